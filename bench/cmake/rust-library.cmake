# SPDX-License-Identifier: Apache-2.0

set(root ${CMAKE_CURRENT_LIST_DIR}/../..)
include(${root}/cmake/rust.cmake)

# Builds the crate bench/${folder} for the board with cargo and links its static library.
function(bench_rust_library folder library features)
  wisp_rust_target(target)
  wisp_find_rust(rust ${target})
  string(MAKE_C_IDENTIFIER ${folder} name)
  wisp_cargo_target_dir(target_dir bench-${name})
  set(archive ${CMAKE_CURRENT_BINARY_DIR}/lib${library}.a)
  add_custom_target(bench_rust
    COMMAND ${CMAKE_COMMAND} -E env --unset=RUSTFLAGS --unset=CARGO_BUILD_TARGET
      --unset=CARGO_TARGET_DIR ${rust_ENVIRONMENT}
      ${CMAKE_COMMAND} -DCARGO=${rust_CARGO} -DMANIFEST=${root}/bench/${folder}/Cargo.toml
      -DTARGET=${target} -DTARGET_DIR=${target_dir} "-DFEATURES=${features}"
      -DBUILT=${target_dir}/${target}/release/lib${library}.a -DOUTPUT=${archive}
      -P ${root}/cmake/run-cargo.cmake
    BYPRODUCTS ${archive}
    COMMENT "Building ${folder} for ${target}"
    VERBATIM
  )
  add_dependencies(app bench_rust)
  # libgcc's soft floats rather than the slower ones that Rust's library carries: whoever comes first
  # serves both, and Rust's own references are not seen yet when the linker reads libgcc.
  foreach(name addsf3 subsf3 mulsf3 divsf3 adddf3 subdf3 muldf3 divdf3)
    target_link_libraries(app PRIVATE -Wl,-u,__${name})
  endforeach()
  target_link_libraries(app PRIVATE $<TARGET_PROPERTY:linker,rt_library> ${archive})
endfunction()
