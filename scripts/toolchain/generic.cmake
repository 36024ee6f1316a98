# SPDX-License-Identifier: Apache-2.0
#
# Toolchain variant for the cross compilers that Linux distributions package.
# The architecture is not known yet when Zephyr includes this file; only the
# preprocessor is used until target.cmake, so any gcc serves.

set(CROSS_COMPILE $ENV{WISP_DISTRO_FIRST_PREFIX})
assert(CROSS_COMPILE "WISP_DISTRO_FIRST_PREFIX is not set: run 'make setup' and load its environment")

set(COMPILER gcc)
set(LINKER ld)
set(BINTOOLS gnu)
