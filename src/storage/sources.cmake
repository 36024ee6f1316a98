# SPDX-License-Identifier: Apache-2.0
#
# Sources of the app storage and of what manages it; included by src/CMakeLists.txt.

zephyr_library_sources(
  app/needs.c
  storage/describe.c
  storage/flash.c
  storage/storage.c
  storage/supervisor.c
  storage/uploads.c
)
if(CONFIG_WISP_STORAGE_IN_RAM)
  zephyr_library_sources(storage/ram.c)
else()
  zephyr_library_sources(storage/map.c)
endif()
zephyr_library_sources_ifdef(CONFIG_WISP_MGMT manage/mgmt.c manage/upload.c)
zephyr_library_sources_ifdef(CONFIG_WISP_MGMT_SIGNED manage/signed.c storage/requests.c)
if(CONFIG_WISP_ARGS_SIZE GREATER 0)
  zephyr_library_sources_ifdef(CONFIG_WISP_MGMT manage/arguments.c)
endif()
zephyr_library_sources_ifdef(CONFIG_WISP_SHELL manage/shell.c)
zephyr_library_sources_ifdef(CONFIG_WISP_DDI
  ddi/ddi.c
  ddi/documents.c
  ddi/http.c
  ddi/part.c
  ddi/record.c
)
zephyr_library_sources_ifdef(CONFIG_WISP_LWM2M lwm2m/lwm2m.c lwm2m/package.c)
zephyr_library_sources_ifdef(CONFIG_WISP_EPOCH storage/epoch.c)
