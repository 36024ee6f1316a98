# SPDX-License-Identifier: Apache-2.0
#
# Finds the Rust that builds firmware code, maps Zephyr's configuration to a Rust
# target and builds the runtime's static library with cargo.

# Sets ${out} to the reason why this build has no Wisp, and what to do about it.
function(wisp_why_not out)
  set(board "${CONFIG_BOARD_TARGET}")
  if(CONFIG_WISP_SUPPORTED AND NOT CONFIG_MULTITHREADING)
    string(CONCAT reason "Wisp needs threads; set CONFIG_MULTITHREADING=y in prj.conf")
  elseif(CONFIG_WISP_SUPPORTED)
    string(CONCAT reason "CONFIG_WISP is not enabled; set CONFIG_WISP=y in prj.conf")
  elseif(CONFIG_XTENSA)
    string(CONCAT reason "${board} has an Xtensa core, for which the Rust project has no compiler; choose a "
      "board with an Arm Cortex-M or RISC-V core, such as the RISC-V chips of the same maker")
  elseif(CONFIG_ARC OR CONFIG_RX)
    string(TOUPPER "${CONFIG_ARCH}" core)
    string(CONCAT reason "${board} has a core of the kind ${core}, for which the Rust project has no compiler; choose a "
      "board with an Arm Cortex-M or RISC-V core")
  elseif(CONFIG_SPARC OR CONFIG_MIPS)
    string(TOUPPER "${CONFIG_ARCH}" core)
    string(CONCAT reason "${board} has a core of the kind ${core}, for which the Rust project has no library that "
      "rustup can install; choose a board with an Arm Cortex-M or RISC-V core")
  elseif(CONFIG_BIG_ENDIAN)
    string(CONCAT reason "${board} has the most significant byte first, and Wisp needs the least significant one "
      "first; choose another board")
  elseif(CONFIG_RISCV)
    string(CONCAT reason "${board} has a RISC-V core of the E kind with 16 registers, or one of 128 bits; Wisp "
      "needs RV32I or RV64I")
  elseif(CONFIG_X86)
    string(CONCAT reason "${board} has an x86 core without SSE2, which Rust's library for 32 bits needs; choose a "
      "board with a newer core, such as qemu_x86 or qemu_x86_64")
  else()
    string(CONCAT reason "Wisp does not know the core of ${board}; it runs on Arm, RISC-V, x86 and native_sim")
  endif()
  set(${out} "${reason}" PARENT_SCOPE)
endfunction()

# Sets ${out} to the Rust target for the configured CPU, or fails with the reason.
# zephyr-lang-rust takes every RV32 for riscv32i; here the configured extensions count.
function(wisp_rust_target out)
  if(CONFIG_CPU_CORTEX_M)
    if(CONFIG_CPU_CORTEX_M0 OR CONFIG_CPU_CORTEX_M0PLUS OR CONFIG_CPU_CORTEX_M1)
      set(target thumbv6m-none-eabi)
    elseif(CONFIG_CPU_CORTEX_M3)
      set(target thumbv7m-none-eabi)
    elseif(CONFIG_CPU_CORTEX_M4 OR CONFIG_CPU_CORTEX_M7)
      set(target thumbv7em-none-eabi)
    elseif(CONFIG_CPU_CORTEX_M23)
      set(target thumbv8m.base-none-eabi)
    else()
      set(target thumbv8m.main-none-eabi)
    endif()
    if(CONFIG_FP_HARDABI)
      string(APPEND target hf)
    endif()
  elseif(CONFIG_CPU_AARCH32_CORTEX_A)
    set(target armv7a-none-eabi)
    if(CONFIG_FP_HARDABI)
      string(APPEND target hf)
    endif()
  elseif(CONFIG_CPU_AARCH32_CORTEX_R)
    # Cortex-R52 runs the older instructions too. Rust's own target for it has hard floats only.
    set(target armv7r-none-eabi)
    if(CONFIG_FP_HARDABI)
      string(APPEND target hf)
    endif()
  elseif(CONFIG_ARM64)
    # Without CONFIG_FPU_SHARING, Zephyr keeps no thread's registers of the FPU.
    set(target aarch64-unknown-none)
    if(NOT CONFIG_FPU_SHARING)
      string(APPEND target -softfloat)
    endif()
  elseif(CONFIG_RISCV AND CONFIG_RISCV_ISA_RV32I)
    set(extensions "")
    foreach(extension M A C)
      if(CONFIG_RISCV_ISA_EXT_${extension})
        string(TOLOWER ${extension} letter)
        string(APPEND extensions ${letter})
      endif()
    endforeach()
    # rustc has targets for these combinations only; plain RV32I runs on all of them.
    if(NOT extensions MATCHES "^(|m|ma|mc|mac)$")
      set(extensions "")
    endif()
    set(target riscv32i${extensions}-unknown-none-elf)
    if(CONFIG_FLOAT_HARD)
      if(extensions STREQUAL "mac")
        set(target riscv32imafc-unknown-none-elf)
      else()
        message(FATAL_ERROR "Wisp: Rust has no hard-float RV32 target without M, A and C")
      endif()
    endif()
  elseif(CONFIG_RISCV AND CONFIG_RISCV_ISA_RV64I)
    if(CONFIG_FLOAT_HARD)
      set(target riscv64gc-unknown-none-elf)
    else()
      set(target riscv64imac-unknown-none-elf)
    endif()
  elseif(CONFIG_ARCH_POSIX AND CONFIG_64BIT)
    set(target ${CMAKE_HOST_SYSTEM_PROCESSOR}-unknown-none)
  elseif(CONFIG_X86_64)
    set(target x86_64-unknown-none)
  elseif(CONFIG_X86 OR CONFIG_ARCH_POSIX)
    # Rust has no target for 32 bits without a system. The code asks Linux for nothing.
    set(target i686-unknown-linux-gnu)
  endif()

  if(NOT target)
    message(FATAL_ERROR "Wisp: no Rust target is known for ${CONFIG_BOARD_TARGET}; "
      "Arm, RISC-V, x86 and native_sim are supported")
  endif()
  set(${out} ${target} PARENT_SCOPE)
endfunction()

# Appends a compiler to the candidates if it can be run.
macro(_wisp_rustc_candidate path)
  if(NOT "${path}" STREQUAL "" AND EXISTS "${path}" AND NOT "${path}" IN_LIST candidates)
    list(APPEND candidates "${path}")
  endif()
endmacro()

# Chooses the Rust for one target: ${prefix}_CARGO, ${prefix}_RUSTC and
# ${prefix}_ENVIRONMENT (for `cmake -E env`).
#
# A compiler with the target installed is used as it is. Without one, a compiler that
# has the library's sources builds core and alloc: that is what distributions package.
function(wisp_find_rust prefix target)
  set(candidates)
  find_program(WISP_RUSTC rustc DOC "Rust compiler for firmware and guests")
  _wisp_rustc_candidate("$ENV{RUSTC}")
  _wisp_rustc_candidate("${WISP_RUSTC}")
  _wisp_rustc_candidate(/usr/bin/rustc)

  set(with_target)
  set(with_sources)
  foreach(rustc IN LISTS candidates)
    execute_process(COMMAND ${rustc} --print sysroot
      OUTPUT_VARIABLE sysroot OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    file(GLOB core ${sysroot}/lib/rustlib/${target}/lib/libcore-*.rlib)
    if(core AND NOT with_target)
      set(with_target ${rustc})
    endif()
    if(EXISTS ${sysroot}/lib/rustlib/src/rust/library/core AND NOT with_sources)
      set(with_sources ${rustc})
    endif()
  endforeach()

  if(with_target)
    set(rustc ${with_target})
    set(environment --unset=RUSTC_BOOTSTRAP --unset=CARGO_UNSTABLE_BUILD_STD RUSTC=${rustc})
    set(how "installed target")
  elseif(with_sources)
    set(rustc ${with_sources})
    set(environment RUSTC=${rustc} RUSTC_BOOTSTRAP=1 CARGO_UNSTABLE_BUILD_STD=core,alloc)
    set(how "core and alloc built from source")
  else()
    message(FATAL_ERROR "Wisp: no Rust compiler here can build for ${target}.\n"
      "Run `rustup target add ${target}`, or install your distribution's rust-src package.")
  endif()

  # The cargo beside the compiler understands its library's sources.
  cmake_path(GET rustc PARENT_PATH folder)
  find_program(cargo cargo HINTS ${folder} NO_CACHE REQUIRED)
  if(EXISTS ${folder}/cargo)
    set(cargo ${folder}/cargo)
  endif()
  execute_process(COMMAND ${rustc} --version OUTPUT_VARIABLE version
    OUTPUT_STRIP_TRAILING_WHITESPACE)
  message(STATUS "Wisp: ${target} with ${version}, ${how}")

  set(${prefix}_CARGO ${cargo} PARENT_SCOPE)
  set(${prefix}_RUSTC ${rustc} PARENT_SCOPE)
  set(${prefix}_ENVIRONMENT ${environment} PARENT_SCOPE)
endfunction()

# Folder for cargo's output. One build folder by default; test drivers and CI share one
# between builds through WISP_CARGO_TARGET_ROOT, which is safe because nothing that
# cargo compiles here depends on the board or the configuration beyond target and
# features, and those are part of the name.
function(wisp_cargo_target_dir out name)
  if(DEFINED ENV{WISP_CARGO_TARGET_ROOT})
    set(${out} $ENV{WISP_CARGO_TARGET_ROOT}/${name} PARENT_SCOPE)
  else()
    set(${out} ${CMAKE_BINARY_DIR}/wisp/cargo/${name} PARENT_SCOPE)
  endif()
endfunction()

# Builds rust/staticlib and links it to the given library target.
function(wisp_rust_link library)
  wisp_rust_target(target)
  wisp_find_rust(rust ${target})

  # One for each interface that an app can be granted.
  file(GLOB features RELATIVE ${ZEPHYR_WISP_MODULE_DIR}/src/drivers CONFIGURE_DEPENDS
    ${ZEPHYR_WISP_MODULE_DIR}/src/drivers/Kconfig.*)
  list(TRANSFORM features REPLACE "^Kconfig\\." "")
  list(TRANSFORM features TOUPPER OUTPUT_VARIABLE interfaces)
  set(features)
  foreach(feature IN LISTS interfaces ITEMS ASSEMBLYSCRIPT DEBUG INTERPRETER NATIVE PROFILE RECORD SIGNATURE STORAGE WASI)
    if(CONFIG_WISP_${feature})
      string(TOLOWER ${feature} name)
      list(APPEND features ${name})
    endif()
  endforeach()
  if(CONFIG_LOG)
    list(APPEND features log)
  endif()
  # What of WebAssembly the engine has, how it runs and what it tells.
  foreach(feature IN ITEMS
      BULK_MEMORY CORE_DUMP ERROR_MESSAGES FLOAT HOST_TIME REFERENCE_TYPES SATURATING_FLOAT_TO_INT SIGN_EXTENSION TAIL_CALL THREADED_CODE)
    if(CONFIG_WISP_${feature})
      string(TOLOWER ${feature} name)
      string(REPLACE "_" "-" name ${name})
      list(APPEND features ${name})
    endif()
  endforeach()
  if(CONFIG_WISP_NATIVE_USER_MODE)
    list(APPEND features user-mode)
  endif()
  if(CONFIG_WISP_EPOCH)
    list(APPEND features epoch)
  endif()
  if(CONFIG_WISP_NATIVE_CALLERS)
    list(APPEND features callers)
  endif()
  if(CONFIG_WISP_TRANSLATE)
    list(APPEND features translate)
  endif()
  list(JOIN features "," feature_list)

  wisp_cargo_target_dir(target_dir firmware)
  set(staticlib ${ZEPHYR_WISP_MODULE_DIR}/rust/staticlib)
  set(built ${target_dir}/${target}/release/libwisp_staticlib.a)
  set(archive ${CMAKE_BINARY_DIR}/wisp/libwisp_rust.a)

  # cargo knows best what is stale, so it is always asked. The copy changes only when
  # the archive did, and keeps a shared folder's next build from touching this one.
  add_custom_target(wisp_rust
    COMMAND ${CMAKE_COMMAND} -E env --unset=RUSTFLAGS --unset=CARGO_BUILD_TARGET
      --unset=CARGO_TARGET_DIR ${rust_ENVIRONMENT}
      ${CMAKE_COMMAND} -DCARGO=${rust_CARGO} -DMANIFEST=${staticlib}/Cargo.toml
      -DTARGET=${target} -DTARGET_DIR=${target_dir} -DFEATURES=${feature_list}
      -DBUILT=${built} -DOUTPUT=${archive}
      -P ${ZEPHYR_WISP_MODULE_DIR}/cmake/run-cargo.cmake
    BYPRODUCTS ${archive}
    COMMENT "Wisp: building the runtime for ${target}"
    VERBATIM
  )
  add_dependencies(${library} wisp_rust)
  # libgcc comes first: the archive carries Rust's own versions of its functions, and C
  # code shall get the ones that it has without Wisp.
  target_link_libraries(${library} PUBLIC
    $<TARGET_PROPERTY:linker,rt_library> ${archive})
endfunction()
