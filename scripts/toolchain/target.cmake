# SPDX-License-Identifier: Apache-2.0
#
# The architecture is known here: choose the compiler that serves it.

if("${ARCH}" STREQUAL "riscv")
  set(CROSS_COMPILE $ENV{WISP_DISTRO_RISCV_PREFIX})
elseif("${ARCH}" STREQUAL "arm")
  set(CROSS_COMPILE $ENV{WISP_DISTRO_ARM_PREFIX})
elseif("${ARCH}" STREQUAL "arm64")
  set(CROSS_COMPILE $ENV{WISP_DISTRO_ARM64_PREFIX})
elseif("${ARCH}" STREQUAL "x86")
  set(CROSS_COMPILE $ENV{WISP_DISTRO_X86_PREFIX})
else()
  # Where Wisp cannot run, another compiler would not help.
  if(DEFINED ZEPHYR_WISP_MODULE_DIR AND NOT CONFIG_WISP_SUPPORTED)
    include(${ZEPHYR_WISP_MODULE_DIR}/cmake/rust.cmake)
    wisp_why_not(reason)
    message(FATAL_ERROR "Wisp: ${reason}")
  endif()
  message(FATAL_ERROR "The distribution's compilers do not serve '${ARCH}': use the Zephyr SDK")
endif()

if("${CROSS_COMPILE}" STREQUAL "")
  message(FATAL_ERROR "No packaged cross compiler for '${ARCH}' was found by 'make setup'")
endif()

unset(CMAKE_C_COMPILER CACHE)
unset(CMAKE_C_COMPILER)
message(STATUS "Found toolchain: wisp-distro (${ARCH}: ${CROSS_COMPILE})")
