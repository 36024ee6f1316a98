/* SPDX-License-Identifier: Apache-2.0 */

/**
 * @file
 * @brief Functions of the firmware that guests may import.
 */

#ifndef WISP_INCLUDE_WISP_HOST_FUNCTION_H_
#define WISP_INCLUDE_WISP_HOST_FUNCTION_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wisp/trap.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * @addtogroup wisp
 * @{
 */

/** @brief The guest that called a host function. Valid until the function returns. */
struct wisp_caller;

struct wisp_app;

/**
 * @brief Code of a host function.
 *
 * Runs in the app's thread, on the app's native stack, and may block; one that blocks
 * without end should wait with wisp_caller_sleep() or k_poll(), so that it can be stopped.
 *
 * @param caller The calling guest.
 * @param slots Arguments, in order: i32 and f32 take one slot, i64 and f64 two, low half
 *        first. Floats are raw bits. The result replaces them, from slots[0] on.
 * @param env What the function was defined with.
 *
 * @return 0, or an @ref wisp_trap that ends the guest, such as WISP_TRAP_HOST_ERROR.
 */
typedef uint32_t (*wisp_host_fn)(struct wisp_caller *caller, uint32_t *slots, const void *env);

/** @brief A host function; define it with WISP_HOST_FUNCTION_DEFINE(). */
struct wisp_host_function {
	/** Import module. */
	const char *module;
	/** Import name. */
	const char *name;
	/** Parameters and result, see WISP_HOST_FUNCTION_DEFINE(). */
	const char *signature;
	/** The code. */
	wisp_host_fn function;
	/** Passed to the code. */
	const void *env;
};

/**
 * @brief Makes a C function importable by every app.
 *
 * @param _module Import module, a string: `"acme:lamp@1"`.
 * @param _name Import name, a string.
 * @param _signature The wasm type, a string: `"(ii)i"`. Letters are `i` for i32, `I` for
 *        i64, `f` for f32 and `F` for f64; `*~` is a pointer and its length, two i32 that
 *        are checked against the guest's memory before the function is called. A guest
 *        that imports the function with another type is refused when it is started.
 * @param _function A @ref wisp_host_fn with an identifier of its own.
 */
#define WISP_HOST_FUNCTION_DEFINE(_module, _name, _signature, _function)                           \
	WISP_HOST_FUNCTION_ENV_DEFINE(_module, _name, _signature, _function, NULL)

/**
 * @brief Like WISP_HOST_FUNCTION_DEFINE(), with a pointer that the function is passed.
 *
 * @param _module Import module.
 * @param _name Import name.
 * @param _signature The wasm type.
 * @param _function A @ref wisp_host_fn with an identifier of its own.
 * @param _env Address of something that outlives the apps.
 */
#define WISP_HOST_FUNCTION_ENV_DEFINE(_module, _name, _signature, _function, _env)                 \
	const STRUCT_SECTION_ITERABLE(wisp_host_function,                                          \
				      _CONCAT(wisp_host_function_, _function)) = {                 \
		.module = _module,                                                                 \
		.name = _name,                                                                     \
		.signature = _signature,                                                           \
		.function = _function,                                                             \
		.env = _env,                                                                       \
	}

/**
 * @brief Translates a range of the guest's linear memory.
 *
 * The memory may move when the guest runs again: do not keep the pointer.
 *
 * @param caller The calling guest.
 * @param address Where the range begins, as the guest passed it.
 * @param length Bytes.
 *
 * @return The bytes, or NULL if any of them is outside the guest's memory.
 */
void *wisp_caller_memory(struct wisp_caller *caller, uint32_t address, uint32_t length);

/**
 * @brief The app that the calling guest runs in.
 *
 * @param caller The calling guest.
 *
 * @return The app.
 */
const struct wisp_app *wisp_caller_app(struct wisp_caller *caller);

/**
 * @brief Sleeps, unless the app is told to stop.
 *
 * @param caller The calling guest.
 * @param duration_us Microseconds.
 *
 * @return true if the app is to stop: return WISP_TRAP_INTERRUPTED then.
 */
bool wisp_caller_sleep(struct wisp_caller *caller, uint64_t duration_us);

/**
 * @brief Reads an i64 or f64 argument.
 *
 * @param slots Its first slot.
 *
 * @return The value's bits.
 */
static inline uint64_t wisp_slot_get64(const uint32_t *slots)
{
	return slots[0] | ((uint64_t)slots[1] << 32);
}

/**
 * @brief Writes an i64 or f64 result.
 *
 * @param slots Its first slot.
 * @param value The value's bits.
 */
static inline void wisp_slot_set64(uint32_t *slots, uint64_t value)
{
	slots[0] = (uint32_t)value;
	slots[1] = (uint32_t)(value >> 32);
}

/** @} */

#ifdef __cplusplus
}
#endif

#endif /* WISP_INCLUDE_WISP_HOST_FUNCTION_H_ */
