# SPDX-License-Identifier: Apache-2.0

# MCUboot and the firmware must agree on the slots.
set(slots ${CMAKE_CURRENT_LIST_DIR}/boards/${BOARD}_slots.dtsi)
if(EXISTS ${slots} AND NOT slots IN_LIST mcuboot_EXTRA_DTC_OVERLAY_FILE)
  list(APPEND mcuboot_EXTRA_DTC_OVERLAY_FILE ${slots})
  set(mcuboot_EXTRA_DTC_OVERLAY_FILE ${mcuboot_EXTRA_DTC_OVERLAY_FILE} CACHE INTERNAL "" FORCE)
endif()
