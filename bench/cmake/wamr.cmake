# SPDX-License-Identifier: Apache-2.0
#
# WAMR with what an app needs here: an interpreter (classic or fast), no WASI, no AOT, bulk memory
# operations and long numbers of tables where the modules have them, its own port under wamr-platform/.

set(iwasm ${BENCH_SOURCE}/core/iwasm)
set(shared ${BENCH_SOURCE}/core/shared)

file(GLOB sources
  ${iwasm}/common/*.c
  ${shared}/mem-alloc/*.c
  ${shared}/mem-alloc/ems/*.c
  ${shared}/utils/*.c
)
list(FILTER sources EXCLUDE REGEX "(wasm_application|wasm_blocking_op|runtime_timer)\\.c$")
list(APPEND sources
  ${iwasm}/interpreter/wasm_loader.c
  ${iwasm}/interpreter/wasm_runtime.c
  ${iwasm}/interpreter/wasm_interp_${BENCH_TIER}.c
)
if(CONFIG_RISCV)
  list(APPEND sources ${iwasm}/common/arch/invokeNative_riscv.S)
  set(target RISCV32_ILP32)
else()
  # Assembled by hand: CMake takes .s for a file without a preprocessor and drops the CPU flags.
  set_source_files_properties(${iwasm}/common/arch/invokeNative_thumb.s PROPERTIES LANGUAGE ASM)
  list(APPEND sources ${iwasm}/common/arch/invokeNative_thumb.s)
  set(target THUMB)
endif()
if(BENCH_TIER STREQUAL fast)
  set(fast 1)
else()
  set(fast 0)
endif()

add_library(wamr STATIC ${sources} wamr-platform/platform.c)
target_include_directories(wamr PRIVATE wamr-platform src)
target_include_directories(wamr PUBLIC
  ${BENCH_SOURCE}/core
  ${iwasm}/include
  ${iwasm}/common
  ${iwasm}/interpreter
  ${shared}/include
  ${shared}/platform/include
  ${shared}/utils
  ${shared}/mem-alloc
)
target_link_libraries(wamr PRIVATE zephyr_interface)
target_compile_options(wamr PRIVATE $<$<COMPILE_LANGUAGE:C>:-w>)
target_compile_definitions(wamr PRIVATE
  BH_PLATFORM_ZEPHYR
  BH_MALLOC=wasm_runtime_malloc
  BH_FREE=wasm_runtime_free
  BUILD_TARGET_${target}
  BUILD_TARGET="${target}"
  WASM_ENABLE_INTERP=1
  WASM_ENABLE_FAST_INTERP=${fast}
  WASM_ENABLE_SHRUNK_MEMORY=1
  WASM_ENABLE_BULK_MEMORY=$<BOOL:${BENCH_BULK_MEMORY}>
  WASM_ENABLE_BULK_MEMORY_OPT=$<BOOL:${BENCH_BULK_MEMORY}>
  WASM_ENABLE_CALL_INDIRECT_OVERLONG=$<BOOL:${BENCH_BULK_MEMORY}>
  WASM_ENABLE_LOG=0
  WASM_ENABLE_QUICK_AOT_ENTRY=0
  WASM_DISABLE_HW_BOUND_CHECK=1
  WASM_DISABLE_STACK_HW_BOUND_CHECK=1
  BH_ENABLE_GC_CORRUPTION_CHECK=0
)
target_link_libraries(app PRIVATE wamr)

set(version ${BENCH_SOURCE}/core/version.h)
if(EXISTS ${version})
  set(numbers)
  foreach(part IN ITEMS MAJOR MINOR PATCH)
    file(STRINGS ${version} line REGEX "define WAMR_VERSION_${part}")
    string(REGEX MATCH "[0-9]+$" number "${line}")
    list(APPEND numbers ${number})
  endforeach()
  list(JOIN numbers "." name)
else()
  # Sources from before version numbers stood in them: those that the crate carries.
  set(name "of wamr-sys")
  target_compile_definitions(wamr PRIVATE BENCH_WAMR_OLD)
  target_compile_definitions(app PRIVATE BENCH_WAMR_OLD)
endif()
target_compile_definitions(app PRIVATE BENCH_VERSION="${name}")
