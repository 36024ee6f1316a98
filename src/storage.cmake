# SPDX-License-Identifier: Apache-2.0
#
# Sources of the app store; included by src/CMakeLists.txt.

zephyr_library_sources(
  needs.c
  storage.c
  storage_describe.c
  storage_flash.c
  storage_supervisor.c
)
zephyr_library_sources_ifdef(CONFIG_WISP_MGMT mgmt.c)
zephyr_library_sources_ifdef(CONFIG_WISP_SHELL shell.c)
