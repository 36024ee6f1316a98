# SPDX-License-Identifier: Apache-2.0

file(GLOB sources ${BENCH_SOURCE}/*.c)
list(FILTER sources EXCLUDE REGEX "m3_api_.*\\.c$")
add_library(wasm3 STATIC ${sources})
target_include_directories(wasm3 PUBLIC ${BENCH_SOURCE} src)
target_link_libraries(wasm3 PRIVATE zephyr_interface)
# The heap counts. Sizes are those of its own presets for microcontrollers, as far as they let every
# workload run; the crate's older version takes its defaults, which are small already.
target_compile_options(wasm3 PRIVATE -w -include ${CMAKE_CURRENT_LIST_DIR}/../src/malloc.h
  -Dd_m3LogOutput=0 -Dd_m3VerboseErrorMessages=0)
if(EXISTS ${BENCH_SOURCE}/m3_validate.c)
  if(NOT BENCH_STACK_HEIGHT)
    set(BENCH_STACK_HEIGHT 512)
  endif()
  target_compile_definitions(wasm3 PRIVATE d_m3CodePageAlignSize=1024
    d_m3MaxFunctionStackHeight=${BENCH_STACK_HEIGHT} d_m3MaxConstantTableSize=64)
  target_compile_definitions(app PRIVATE d_m3CodePageAlignSize=1024
    d_m3MaxFunctionStackHeight=${BENCH_STACK_HEIGHT} d_m3MaxConstantTableSize=64)
endif()
target_link_libraries(app PRIVATE wasm3)
