# SPDX-License-Identifier: Apache-2.0

include(${CMAKE_CURRENT_LIST_DIR}/rust-library.cmake)
bench_rust_library(wasmi wasmi_bench "")
