# SPDX-License-Identifier: Apache-2.0
#
# The engine, built as applications build it, behind bench/wisp.

include(${CMAKE_CURRENT_LIST_DIR}/rust-library.cmake)
bench_rust_library(wisp wisp_bench "${BENCH_FEATURES}")
target_compile_definitions(app PRIVATE BENCH_TIER_NAME="${BENCH_TIER}")
