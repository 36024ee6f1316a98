# SPDX-License-Identifier: Apache-2.0
#
# Workloads compiled for the board with plain -O2 and nothing of Zephyr's own flags, so that the
# reference does not change with the build around it. The tier "own" is the corpus: its programs in Rust by
# rustc, those in C by gcc.

target_compile_definitions(app PRIVATE BENCH_COMPILER="${BENCH_TIER}")
include(${CMAKE_CURRENT_LIST_DIR}/rust-library.cmake)
if(BENCH_TIER STREQUAL rust)
  bench_rust_library(workloads/rust bench_workloads "")
  return()
endif()

if(CONFIG_RISCV)
  set(isa rv32i)
  foreach(extension M A C)
    if(CONFIG_RISCV_ISA_EXT_${extension})
      string(TOLOWER ${extension} letter)
      string(APPEND isa ${letter})
    endif()
  endforeach()
  set(machine -march=${isa} -mabi=ilp32)
  set(clang_target --target=riscv32-unknown-elf)
else()
  set(machine -mcpu=${GCC_M_CPU} -mthumb -mfloat-abi=soft)
  set(clang_target --target=arm-none-eabi)
endif()
if(BENCH_TIER STREQUAL clang)
  if(NOT BENCH_CLANG)
    message(FATAL_ERROR "bench: no clang for the native workloads")
  endif()
  set(compiler ${BENCH_CLANG} ${clang_target})
else()
  set(compiler ${CMAKE_C_COMPILER})
endif()

if(BENCH_TIER STREQUAL own)
  bench_rust_library(corpus/rust bench_corpus "${BENCH_FEATURES}")
  # Compiles a file of a program in C, with further flags, against the C library's headers.
  function(bench_native_source name source)
    cmake_path(GET source STEM stem)
    set(object ${CMAKE_CURRENT_BINARY_DIR}/corpus/${name}-${stem}.o)
    set(headers $<TARGET_PROPERTY:c,INTERFACE_SYSTEM_INCLUDE_DIRECTORIES>)
    add_custom_command(OUTPUT ${object}
      COMMAND ${CMAKE_C_COMPILER} ${machine} -O2 -w -ffunction-sections -fdata-sections -DRUN=run_${name} ${ARGN}
        "-isystem$<JOIN:${headers},;-isystem>" -c ${source} -o ${object}
      DEPENDS ${source} ${BENCH_PARTS}
      COMMAND_EXPAND_LISTS VERBATIM
    )
    target_sources(app PRIVATE ${object})
    set_source_files_properties(${object} PROPERTIES EXTERNAL_OBJECT TRUE GENERATED TRUE)
  endfunction()
  file(MAKE_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/corpus)
  include(${BENCH_PARTS})
  return()
endif()

# Some packaged compilers come without a C library: its stdint.h is then Zephyr's.
set(folder ${CMAKE_CURRENT_LIST_DIR}/../workloads)
foreach(name IN LISTS BENCH_WORKLOADS)
  set(object ${CMAKE_CURRENT_BINARY_DIR}/${name}.o)
  add_custom_command(OUTPUT ${object}
    COMMAND ${compiler} ${machine} -O2 -ffunction-sections -DRUN=run_${name}
      -idirafter ${ZEPHYR_BASE}/lib/libc/minimal/include -c ${folder}/${name}.c -o ${object}
    DEPENDS ${folder}/${name}.c ${folder}/wl.h
    VERBATIM
  )
  target_sources(app PRIVATE ${object})
  set_source_files_properties(${object} PROPERTIES EXTERNAL_OBJECT TRUE GENERATED TRUE)
endforeach()
