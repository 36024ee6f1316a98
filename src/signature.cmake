# SPDX-License-Identifier: Apache-2.0
#
# The public keys of CONFIG_WISP_SIGNATURE_KEY_FILE; included by src/CMakeLists.txt.

set(wisp_keys)
separate_arguments(wisp_key_files UNIX_COMMAND "${CONFIG_WISP_SIGNATURE_KEY_FILE}")
foreach(key IN LISTS wisp_key_files)
  cmake_path(ABSOLUTE_PATH key BASE_DIRECTORY ${APPLICATION_SOURCE_DIR} NORMALIZE)
  if(NOT EXISTS ${key})
    message(FATAL_ERROR "CONFIG_WISP_SIGNATURE_KEY_FILE: ${key} does not exist; give the public key "
      "that `wisp keygen` writes beside the secret one, name.pub.pem")
  endif()
  list(APPEND wisp_keys ${key})
endforeach()
set(wisp_keys_file ${CMAKE_BINARY_DIR}/wisp/public_keys.c)
add_custom_command(
  OUTPUT ${wisp_keys_file}
  COMMAND ${PYTHON_EXECUTABLE} ${ZEPHYR_WISP_MODULE_DIR}/scripts/public_keys.py
    --output ${wisp_keys_file} ${wisp_keys}
  DEPENDS ${wisp_keys} ${ZEPHYR_WISP_MODULE_DIR}/scripts/public_keys.py
  COMMENT "Wisp: public keys"
  VERBATIM
)
zephyr_library_sources(${wisp_keys_file})
