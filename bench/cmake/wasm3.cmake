# SPDX-License-Identifier: Apache-2.0

file(GLOB sources ${BENCH_SOURCE}/*.c)
list(FILTER sources EXCLUDE REGEX "m3_api_.*\\.c$")
add_library(wasm3 STATIC ${sources})
target_include_directories(wasm3 PUBLIC ${BENCH_SOURCE} src)
target_link_libraries(wasm3 PRIVATE zephyr_interface)
# The heap counts. Sizes are those that its own presets for microcontrollers have, as far as they
# let every workload run.
target_compile_options(wasm3 PRIVATE -w -include ${CMAKE_CURRENT_LIST_DIR}/../src/malloc.h
  -Dd_m3LogOutput=0 -Dd_m3VerboseErrorMessages=0
  -Dd_m3CodePageAlignSize=1024 -Dd_m3MaxFunctionStackHeight=512 -Dd_m3MaxConstantTableSize=64)
target_link_libraries(app PRIVATE wasm3)
