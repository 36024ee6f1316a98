# SPDX-License-Identifier: Apache-2.0
#
# The public keys of the CONFIG_WISP_*_KEY_FILE options; included by src/CMakeLists.txt.

# The key files of an option, as absolute paths.
function(wisp_key_files option out)
  set(keys)
  separate_arguments(files UNIX_COMMAND "${CONFIG_${option}}")
  foreach(key IN LISTS files)
    cmake_path(ABSOLUTE_PATH key BASE_DIRECTORY ${APPLICATION_SOURCE_DIR} NORMALIZE)
    if(NOT EXISTS ${key})
      message(FATAL_ERROR "CONFIG_${option}: ${key} does not exist; give the public key "
        "that `wisp keygen` writes beside the secret one, name.pub.pem")
    endif()
    list(APPEND keys ${key})
  endforeach()
  set(${out} ${keys} PARENT_SCOPE)
endfunction()

wisp_key_files(WISP_SIGNATURE_KEY_FILE wisp_app_keys)
wisp_key_files(WISP_ROOT_KEY_FILE wisp_root_keys)
wisp_key_files(WISP_COMPILE_KEY_FILE wisp_compile_keys)
wisp_key_files(WISP_MANAGEMENT_KEY_FILE wisp_management_keys)
if(CONFIG_WISP_MGMT_SIGNED AND NOT wisp_management_keys)
  message(FATAL_ERROR "CONFIG_WISP_MGMT_SIGNED: CONFIG_WISP_MANAGEMENT_KEY_FILE names no key, so that nobody could "
    "manage the apps; give it the public key that `wisp keygen --role management` writes, name.pub.pem")
endif()
set(wisp_keys_file ${CMAKE_BINARY_DIR}/wisp/public_keys.c)
add_custom_command(
  OUTPUT ${wisp_keys_file}
  COMMAND ${PYTHON_EXECUTABLE} ${ZEPHYR_WISP_MODULE_DIR}/scripts/public_keys.py
    --output ${wisp_keys_file} --app ${wisp_app_keys} --root ${wisp_root_keys}
    --compile ${wisp_compile_keys} --management ${wisp_management_keys}
  DEPENDS ${wisp_app_keys} ${wisp_root_keys} ${wisp_compile_keys} ${wisp_management_keys}
    ${ZEPHYR_WISP_MODULE_DIR}/scripts/public_keys.py
  COMMENT "Wisp: public keys"
  VERBATIM
)
zephyr_library_sources(${wisp_keys_file})

