# SPDX-License-Identifier: Apache-2.0
#
# Script mode: cargo build of a static library, then a copy of the result, both under
# one lock, so that parallel builds which share a target folder get what they asked for.

file(MAKE_DIRECTORY ${TARGET_DIR})
file(LOCK ${TARGET_DIR}/wisp.lock GUARD PROCESS RESULT_VARIABLE locked TIMEOUT 1800)
if(locked)
  message(FATAL_ERROR "Wisp: ${TARGET_DIR} is locked by another build: ${locked}")
endif()

execute_process(
  COMMAND ${CARGO} build --locked --release --quiet --manifest-path ${MANIFEST} --target ${TARGET}
    --target-dir ${TARGET_DIR} --no-default-features --features "${FEATURES}"
  RESULT_VARIABLE failed
)
if(failed)
  message(FATAL_ERROR "Wisp: cargo failed (${failed}), see its messages above")
endif()
file(COPY_FILE ${BUILT} ${OUTPUT} ONLY_IF_DIFFERENT)
