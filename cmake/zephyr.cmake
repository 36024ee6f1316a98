# SPDX-License-Identifier: Apache-2.0
#
# Fails if this Zephyr is older than the first one that has what Wisp uses, such as
# FIXED_PARTITION_ADDRESS(). The tests run it alone, with `cmake -P`.

set(wisp_oldest 4.3.0)
set(wisp_found "${KERNEL_VERSION_MAJOR}.${KERNEL_VERSION_MINOR}.${KERNEL_PATCHLEVEL}")
if(wisp_found VERSION_LESS wisp_oldest)
  message(FATAL_ERROR "Wisp: this is Zephyr ${wisp_found}, and Wisp needs ${wisp_oldest} or later; name a later "
    "revision of zephyr in the manifest of your workspace, and run `west update`")
endif()
