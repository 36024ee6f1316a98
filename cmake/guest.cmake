# SPDX-License-Identifier: Apache-2.0
#
# wisp_add_app(): compiles a guest, makes its image and puts it into the firmware.

# Adds what compiles the host tools: the `wisp` program and the C header of the guest
# ABI. Sets WISP_TOOL, WISP_GUEST_INCLUDE and WISP_TOOL_FILES in the caller.
macro(_wisp_host_tools)
  wisp_cargo_target_dir(_tools_dir host)
  set(WISP_TOOL ${_tools_dir}/release/wisp)
  set(WISP_GUEST_INCLUDE ${CMAKE_BINARY_DIR}/wisp/include)
  set(WISP_TOOL_FILES ${WISP_GUEST_INCLUDE}/wisp.h)
  if(DEFINED ENV{WISP_TOOL})
    set(WISP_TOOL $ENV{WISP_TOOL})
  endif()
  if(NOT TARGET wisp_host_tools)
    find_program(WISP_HOST_CARGO cargo REQUIRED DOC "cargo for tools that run on this machine")
    add_custom_target(wisp_host_tools
      COMMAND ${CMAKE_COMMAND} -E env --unset=RUSTFLAGS --unset=RUSTC --unset=RUSTC_BOOTSTRAP
        --unset=CARGO_UNSTABLE_BUILD_STD --unset=CARGO_BUILD_TARGET --unset=CARGO_TARGET_DIR
        ${PYTHON_EXECUTABLE} ${ZEPHYR_WISP_MODULE_DIR}/scripts/guest.py tools
        --cargo ${WISP_HOST_CARGO} --target-dir ${_tools_dir} --include ${WISP_GUEST_INCLUDE}
      BYPRODUCTS ${WISP_TOOL} ${WISP_GUEST_INCLUDE}/wisp.h
      COMMENT "Wisp: building the host tools"
      VERBATIM
    )
  endif()
endmacro()

# Sets <result> to the libc that a guest is linked with.
function(wisp_choose_libc caller given result)
  set(chosen ${given})
  if(NOT chosen)
    set(chosen ${WISP_LIBC})
  endif()
  if(NOT chosen)
    set(chosen wasi)
  endif()
  if(NOT chosen MATCHES "^(wasi|tiny)$")
    message(FATAL_ERROR "${caller}: LIBC is ${chosen}; expected wasi or tiny")
  endif()
  set(${result} ${chosen} PARENT_SCOPE)
endfunction()

# Refuses keywords without their value, and values that the tools behind would refuse in the
# middle of the build. <prefix> is that of the caller's cmake_parse_arguments().
function(wisp_check_values caller prefix)
  set(missing ${${prefix}_KEYWORDS_MISSING_VALUES})
  # Lists may be empty.
  list(REMOVE_ITEM missing SOURCE AOT_OPTIONS)
  if(missing)
    message(FATAL_ERROR "${caller}: nothing stands behind ${missing}; "
      "give a value, or leave the word out")
  endif()
  foreach(number STACK HEAP ROLLBACK)
    set(value "${${prefix}_${number}}")
    if(NOT value MATCHES "^[0-9]*$")
      message(FATAL_ERROR "${caller}: ${number} is ${value}; "
        "expected a whole number, in digits and without a unit")
    endif()
  endforeach()
  set(value "${${prefix}_VERSION}")
  if(value AND NOT value MATCHES "^[0-9]+\\.[0-9]+\\.[0-9]+$")
    message(FATAL_ERROR "${caller}: VERSION is ${value}; expected MAJOR.MINOR.PATCH, "
      "up to 255.255.65535")
  endif()
  string(LENGTH "${${prefix}_NAME}" length)
  if(length GREATER 31)
    message(FATAL_ERROR "${caller}: the name has ${length} bytes; expected 31 at most")
  endif()
endfunction()

# Refuses a second app whose files and targets would have the names of the first one's.
function(wisp_check_unique name id)
  get_property(other GLOBAL PROPERTY WISP_APP_${id})
  if(other)
    message(FATAL_ERROR "wisp_add_app(NAME ${name}): the firmware has the app ${other} already; "
      "give this one a NAME that differs in letters or digits")
  endif()
  set_property(GLOBAL PROPERTY WISP_APP_${id} ${name})
endfunction()

# Sets <result> to the C and C++ files of a folder.
function(wisp_guest_sources folder result)
  file(GLOB found CONFIGURE_DEPENDS ${folder}/*.c ${folder}/*.cpp ${folder}/*.cc ${folder}/*.cxx)
  set(${result} ${found} PARENT_SCOPE)
endfunction()

# wisp_add_app(NAME name
#              SOURCE directory-or-files... | WASM file
#              [LIBC wasi|tiny] [REACTOR]
#              [STACK bytes] [HEAP bytes] [VERSION major.minor.patch] [NO_TRIM] [NAMES]
#              [AOT | AOT_ONLY] [AOT_OPTIONS options...])
#
# Embeds an app's image in flash; wisp_image_find("name") finds it.
#
# SOURCE: a directory with a Cargo.toml is a Rust guest. Otherwise the C and C++ files given,
#         or all of the directory, are compiled with clang. The guest's own settings count
#         where it has them: .cargo/config.toml of a Rust guest (target, flags, profile),
#         compile.flags, cpp.flags, link.flags and include/ beside C files.
# LIBC:   what guests in C and C++ are linked with: wasi-libc (and libc++), or the few functions
#         of guest/c/tiny. wasi if not given, or what the variable WISP_LIBC says.
# REACTOR: a guest in C or C++ without main(): it exports _initialize, and its exported
#         functions are called.
# WASM:   a module that something else compiles; a relative path is looked for in the
#         build directory, then in the source directory.
# STACK:  bytes of linear memory for the guest's own stack, with SOURCE. It overrides the guest's
#         settings; without it and them, 2048 with LIBC tiny, otherwise 4096.
# HEAP:   bytes of linear memory above the guest's data, for guests that allocate. Without
#         it, guests are linked with pages of one byte where the linker can do that, and
#         cannot grow their memory.
# NO_TRIM: back all the memory that the module declares.
# NAMES:  put the names of functions into the image, so that the log names them where the
#         app traps. They take flash; the side file beside the image has them in any case.
# AOT:    add native code, made by the board's compiler with the board's flags for
#         processor and calling convention. Needs CONFIG_WISP_NATIVE.
# AOT_ONLY: the same, and leave the IR out.
# AOT_OPTIONS: more options of `wisp build` that concern native code, as --small.
function(wisp_add_app)
  cmake_parse_arguments(APP "NO_TRIM;NAMES;AOT;AOT_ONLY;REACTOR" "NAME;WASM;LIBC;STACK;HEAP;VERSION"
    "SOURCE;AOT_OPTIONS" ${ARGN})
  if(NOT CONFIG_WISP)
    wisp_why_not(reason)
    message(FATAL_ERROR "wisp_add_app(): ${reason}")
  endif()
  if(NOT APP_NAME)
    message(FATAL_ERROR "wisp_add_app(): NAME is needed, the name by which the firmware finds the image")
  endif()
  if(APP_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "wisp_add_app(NAME ${APP_NAME}): not understood: ${APP_UNPARSED_ARGUMENTS}; "
      "expected SOURCE, WASM, LIBC, REACTOR, STACK, HEAP, VERSION, NO_TRIM, NAMES, AOT, AOT_ONLY, AOT_OPTIONS")
  endif()
  wisp_check_values("wisp_add_app(NAME ${APP_NAME})" APP)
  if((APP_SOURCE AND APP_WASM) OR NOT (APP_SOURCE OR APP_WASM))
    message(FATAL_ERROR "wisp_add_app(NAME ${APP_NAME}): give one of SOURCE and WASM: "
      "what the guest is compiled from, or a module that something else compiles")
  endif()

  wisp_choose_libc("wisp_add_app(NAME ${APP_NAME})" "${APP_LIBC}" libc)

  if(APP_AOT_ONLY)
    set(APP_AOT ON)
  endif()
  if(APP_AOT AND NOT CONFIG_WISP_NATIVE)
    message(FATAL_ERROR "wisp_add_app(NAME ${APP_NAME} AOT): CONFIG_WISP_NATIVE is not enabled; "
      "set it in prj.conf, or leave AOT out")
  endif()

  _wisp_host_tools()
  set(guest_tool ${PYTHON_EXECUTABLE} ${ZEPHYR_WISP_MODULE_DIR}/scripts/guest.py)
  string(MAKE_C_IDENTIFIER ${APP_NAME} id)
  wisp_check_unique(${APP_NAME} ${id})
  set(folder ${CMAKE_BINARY_DIR}/wisp/apps)
  set(wasm ${folder}/${APP_NAME}.wasm)
  set(image ${folder}/${APP_NAME}.wisp)
  set(include_file ${ZEPHYR_BINARY_DIR}/include/generated/wisp/${id}.inc)
  set(source_file ${folder}/${id}_image.c)

  set(link_options)
  if(APP_STACK)
    list(APPEND link_options --stack ${APP_STACK})
  endif()
  if(APP_HEAP)
    list(APPEND link_options --grows)
  endif()

  if(APP_WASM)
    cmake_path(ABSOLUTE_PATH APP_WASM BASE_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}
      OUTPUT_VARIABLE wasm)
    cmake_path(ABSOLUTE_PATH APP_WASM BASE_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}
      OUTPUT_VARIABLE in_source)
    if(EXISTS ${in_source})
      set(wasm ${in_source})
    endif()
  else()
    list(TRANSFORM APP_SOURCE PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/
      REGEX "^[^/]" OUTPUT_VARIABLE sources)
    foreach(source IN LISTS sources)
      if(NOT EXISTS ${source})
        message(FATAL_ERROR "wisp_add_app(NAME ${APP_NAME}): ${source} does not exist; "
          "SOURCE is relative to the CMakeLists.txt that calls it")
      endif()
    endforeach()
    list(GET sources 0 first)
    if(EXISTS ${first}/Cargo.toml)
      # A guest with std and a component have targets of their own.
      set(guest_target wasm32-unknown-unknown)
      if(EXISTS ${first}/.cargo/config.toml)
        set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${first}/.cargo/config.toml)
        file(STRINGS ${first}/.cargo/config.toml wasi REGEX "^ *target *= *[\"']wasm32-wasip[12][\"']")
        if(wasi MATCHES "wasm32-wasip[12]")
          set(guest_target ${CMAKE_MATCH_0})
        endif()
      endif()
      wisp_find_rust(guest ${guest_target})
      wisp_cargo_target_dir(target_dir guest)
      # cargo knows what is stale; the output's time changes only with its content.
      add_custom_target(wisp_guest_${id}
        COMMAND ${CMAKE_COMMAND} -E env --unset=RUSTFLAGS --unset=CARGO_BUILD_TARGET
          --unset=CARGO_TARGET_DIR ${guest_ENVIRONMENT}
          ${guest_tool} rust --cargo ${guest_CARGO} --rustc ${guest_RUSTC} ${first}
          --target-dir ${target_dir} --output ${wasm} ${link_options}
        BYPRODUCTS ${wasm}
        COMMENT "Wisp: building the Rust guest ${APP_NAME}"
        VERBATIM
      )
    else()
      if(IS_DIRECTORY ${first})
        wisp_guest_sources(${first} sources)
        if(NOT sources)
          message(FATAL_ERROR "wisp_add_app(NAME ${APP_NAME}): ${first} has neither a Cargo.toml "
            "nor C files; give the folder of a guest, or its C files")
        endif()
      endif()
      set(c_options --libc ${libc})
      if(APP_REACTOR)
        list(APPEND c_options --reactor)
      endif()
      list(GET sources 0 first)
      cmake_path(GET first PARENT_PATH settings)
      file(GLOB library CONFIGURE_DEPENDS ${ZEPHYR_WISP_MODULE_DIR}/guest/c/*.flags
        ${ZEPHYR_WISP_MODULE_DIR}/guest/c/tiny/*.flags ${ZEPHYR_WISP_MODULE_DIR}/guest/c/tiny/*/*.[ch]
        ${settings}/*.flags ${settings}/*.h ${settings}/include/*.h)
      add_custom_command(
        OUTPUT ${wasm}
        COMMAND ${guest_tool} c --output ${wasm} --include ${WISP_GUEST_INCLUDE}
          ${c_options} ${link_options} ${sources}
        DEPENDS ${sources} ${library} ${WISP_TOOL_FILES} wisp_host_tools
          ${ZEPHYR_WISP_MODULE_DIR}/scripts/guest.py
        COMMENT "Wisp: building the C guest ${APP_NAME}"
        VERBATIM
      )
    endif()
  endif()

  set(build_options)
  if(APP_HEAP)
    list(APPEND build_options --heap ${APP_HEAP})
  endif()
  if(APP_VERSION)
    list(APPEND build_options --version ${APP_VERSION})
  endif()
  if(APP_NO_TRIM)
    list(APPEND build_options --no-trim)
  endif()
  if(APP_NAMES)
    list(APPEND build_options --names)
  endif()
  if(APP_AOT)
    # Of these flags `wisp build` keeps those that choose the processor and the calling
    # convention.
    list(JOIN TOOLCHAIN_C_FLAGS " " flags)
    list(APPEND build_options --cc ${CMAKE_C_COMPILER} "--cflags=${flags}" ${APP_AOT_OPTIONS})
    if(APP_AOT_ONLY)
      list(APPEND build_options --native-only)
    endif()
    if(CONFIG_WISP_NATIVE_CALLERS)
      list(APPEND build_options --callers)
    endif()
    if(CONFIG_WISP_NATIVE_STOP_ASYNC)
      list(APPEND build_options --stop=async)
    else()
      list(APPEND build_options --stop=poll)
    endif()
  endif()
  add_custom_command(
    OUTPUT ${image}
    COMMAND ${WISP_TOOL} build ${wasm} -o ${image} --quiet --name ${APP_NAME} ${build_options}
    DEPENDS ${wasm} ${WISP_TOOL} wisp_host_tools
    COMMENT "Wisp: making the image ${APP_NAME}.wisp"
    VERBATIM
  )
  if(TARGET wisp_guest_${id})
    add_custom_target(wisp_image_${id} DEPENDS ${image})
    add_dependencies(wisp_image_${id} wisp_guest_${id})
  endif()

  generate_inc_file_for_target(app ${image} ${include_file})
  if(APP_AOT)
    # Where the linker puts code: some processors execute nothing else.
    file(CONFIGURE OUTPUT ${source_file} @ONLY CONTENT [[
/* Generated by wisp_add_app(). */
#include <wisp/wisp.h>

__asm__(".pushsection .text.wisp_image_@id@,\"ax\"\n"
	".balign 16\n"
	".globl wisp_image_@id@_bytes\n"
	"wisp_image_@id@_bytes:\n"
	".incbin \"@image@\"\n"
	".balign 4\n"
	".popsection\n");

extern const uint8_t wisp_image_@id@_bytes[];

const STRUCT_SECTION_ITERABLE(wisp_image, wisp_image_@id@) = {
	.name = "@APP_NAME@",
	.data = wisp_image_@id@_bytes,
	.size = sizeof((const uint8_t[]){
#include <wisp/@id@.inc>
	}),
};
]])
    set_source_files_properties(${source_file} TARGET_DIRECTORY app PROPERTIES OBJECT_DEPENDS ${image})
  else()
    file(CONFIGURE OUTPUT ${source_file} @ONLY CONTENT [[
/* Generated by wisp_add_app(). */
#include <wisp/wisp.h>

static const uint8_t image[] __aligned(8) = {
#include <wisp/@id@.inc>
};

const STRUCT_SECTION_ITERABLE(wisp_image, wisp_image_@id@) = {
	.name = "@APP_NAME@",
	.data = image,
	.size = sizeof(image),
};
]])
  endif()
  target_sources(app PRIVATE ${source_file})
endfunction()
