# SPDX-License-Identifier: Apache-2.0
#
# wisp_add_update(): compiles a guest and makes its signed image, to be installed later.

# wisp_add_update(NAME name VERSION major.minor.patch SOURCE files... [KEY file]
#                 [ROLLBACK n] [STACK bytes] [LIBC wasi|tiny] [DOWNGRADE])
#
# Makes ${CMAKE_BINARY_DIR}/wisp/updates/<name>-<version>.wisp from C or C++ files; LIBC and
# STACK are those of wisp_add_app(). The image is
# signed with the secret key, if one is given; a relative path begins in the source folder.
# DOWNGRADE: it may take the place of a higher version.
function(wisp_add_update)
  cmake_parse_arguments(UPDATE "DOWNGRADE" "NAME;VERSION;KEY;ROLLBACK;STACK;LIBC" "SOURCE" ${ARGN})
  if(NOT UPDATE_NAME OR NOT UPDATE_VERSION OR NOT UPDATE_SOURCE)
    message(FATAL_ERROR "wisp_add_update(${ARGN}): NAME, VERSION and SOURCE are needed")
  endif()
  if(UPDATE_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "wisp_add_update(NAME ${UPDATE_NAME}): not understood: "
      "${UPDATE_UNPARSED_ARGUMENTS}; expected VERSION, SOURCE, KEY, ROLLBACK, STACK, LIBC, DOWNGRADE")
  endif()
  wisp_check_values("wisp_add_update(NAME ${UPDATE_NAME})" UPDATE)
  wisp_choose_libc("wisp_add_update(NAME ${UPDATE_NAME})" "${UPDATE_LIBC}" libc)

  _wisp_host_tools()
  set(folder ${CMAKE_BINARY_DIR}/wisp/updates)
  file(MAKE_DIRECTORY ${folder})
  set(wasm ${folder}/${UPDATE_NAME}-${UPDATE_VERSION}.wasm)
  set(image ${folder}/${UPDATE_NAME}-${UPDATE_VERSION}.wisp)
  list(TRANSFORM UPDATE_SOURCE PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/ REGEX "^[^/]"
    OUTPUT_VARIABLE sources)
  foreach(source IN LISTS sources)
    if(NOT EXISTS ${source})
      message(FATAL_ERROR "wisp_add_update(NAME ${UPDATE_NAME}): ${source} does not exist; "
        "SOURCE is relative to the CMakeLists.txt that calls it")
    endif()
  endforeach()
  set(compile_options --libc ${libc})
  if(UPDATE_STACK)
    list(APPEND compile_options --stack ${UPDATE_STACK})
  endif()
  set(build_options --version ${UPDATE_VERSION})
  if(UPDATE_ROLLBACK)
    list(APPEND build_options --rollback ${UPDATE_ROLLBACK})
  endif()
  if(UPDATE_DOWNGRADE AND NOT UPDATE_KEY)
    message(FATAL_ERROR "wisp_add_update(NAME ${UPDATE_NAME}): DOWNGRADE needs KEY, because the "
      "mark is a part of what `wisp sign` signs")
  endif()
  set(sign_command)
  if(UPDATE_KEY)
    cmake_path(ABSOLUTE_PATH UPDATE_KEY BASE_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
    if(NOT EXISTS ${UPDATE_KEY})
      message(FATAL_ERROR "wisp_add_update(NAME ${UPDATE_NAME}): the secret key ${UPDATE_KEY} "
        "does not exist; `wisp keygen` makes one")
    endif()
    set(sign_command COMMAND ${WISP_TOOL} sign ${image} --key ${UPDATE_KEY})
    if(UPDATE_DOWNGRADE)
      list(APPEND sign_command --downgrade)
    endif()
  endif()

  file(GLOB library CONFIGURE_DEPENDS ${ZEPHYR_WISP_MODULE_DIR}/guest/c/*.flags
    ${ZEPHYR_WISP_MODULE_DIR}/guest/c/tiny/*.flags ${ZEPHYR_WISP_MODULE_DIR}/guest/c/tiny/*/*.[ch])
  add_custom_command(
    OUTPUT ${image}
    COMMAND ${PYTHON_EXECUTABLE} ${ZEPHYR_WISP_MODULE_DIR}/scripts/guest.py c --output ${wasm}
      --include ${WISP_GUEST_INCLUDE} ${compile_options} ${sources}
    COMMAND ${WISP_TOOL} build ${wasm} -o ${image} --quiet --name ${UPDATE_NAME} ${build_options}
    ${sign_command}
    DEPENDS ${sources} ${library} ${UPDATE_KEY} ${WISP_TOOL_FILES} ${WISP_TOOL} wisp_host_tools
    COMMENT "Wisp: making ${UPDATE_NAME}-${UPDATE_VERSION}.wisp"
    VERBATIM
  )
  string(MAKE_C_IDENTIFIER ${UPDATE_NAME}_${UPDATE_VERSION} id)
  add_custom_target(wisp_update_${id} ALL DEPENDS ${image})
endfunction()
