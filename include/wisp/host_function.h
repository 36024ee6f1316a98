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

/** @brief Guest that called a host function. Valid until the host function returns. */
struct wisp_caller;

struct wisp_app;

/**
 * @brief Code of a host function.
 *
 * Runs in the app's thread, on the app's native stack, and may block. A function that may block
 * without end should wait with wisp_caller_sleep() or k_poll(), so that the app can be stopped
 * meanwhile.
 *
 * @param caller Calling guest, valid until the function returns.
 * @param slots Arguments in order: i32 and f32 take one slot, i64 and f64 take two, low half
 *        first. Floats are raw bits. The function writes its result to the slots from slots[0] on.
 * @param env Pointer given to WISP_HOST_FUNCTION_ENV_DEFINE(), or NULL.
 *
 * @return 0, or an @ref wisp_trap that ends the guest, such as WISP_TRAP_HOST_ERROR.
 */
typedef uint32_t (*wisp_host_fn)(struct wisp_caller *caller, uint32_t *slots, const void *env);

/** @brief Host function. WISP_HOST_FUNCTION_DEFINE() defines one. */
struct wisp_host_function {
	/** Name of the import module. */
	const char *module;
	/** Name of the import. */
	const char *name;
	/** Parameters and result, see WISP_HOST_FUNCTION_DEFINE(). */
	const char *signature;
	/** Code of the function. */
	wisp_host_fn function;
	/** Pointer that the code is called with. */
	const void *env;
};

/**
 * @brief Defines a C function as one that every app can import.
 *
 * The signature is the function's WebAssembly type, for example `"(ii)i"`. The letters are `i` for
 * i32, `I` for i64, `f` for f32 and `F` for f64. `*~` is a pointer and its length, two i32 that
 * are checked against the guest's memory before the function is called. A guest that imports the
 * function with another type is refused when it is started.
 *
 * @param _module Name of the import module, a string literal such as `"acme:lamp@1"`.
 * @param _name Name of the import, a string literal.
 * @param _signature Type of the function, a string literal.
 * @param _function A @ref wisp_host_fn whose identifier no other host function has.
 */
#define WISP_HOST_FUNCTION_DEFINE(_module, _name, _signature, _function)                           \
	WISP_HOST_FUNCTION_ENV_DEFINE(_module, _name, _signature, _function, NULL)

/**
 * @brief Defines a host function as WISP_HOST_FUNCTION_DEFINE() does, with a pointer for its code.
 *
 * @param _module Name of the import module, a string literal.
 * @param _name Name of the import, a string literal.
 * @param _signature Type of the function, a string literal.
 * @param _function A @ref wisp_host_fn whose identifier no other host function has.
 * @param _env Address of an object with static lifetime.
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
 * @brief Translates a range of the guest's linear memory to a pointer.
 *
 * May be called in the host function only. The memory may move when the guest continues, so the
 * pointer is valid until the host function returns.
 *
 * @param caller Calling guest.
 * @param address First byte of the range, as the guest passed it.
 * @param length Length of the range in bytes.
 *
 * @return Pointer to the bytes, or NULL if any of them is outside of the guest's memory.
 */
void *wisp_caller_memory(struct wisp_caller *caller, uint32_t address, uint32_t length);

/**
 * @brief Gets the app in which the calling guest runs.
 *
 * @param caller Calling guest.
 *
 * @return The app.
 */
const struct wisp_app *wisp_caller_app(struct wisp_caller *caller);

/**
 * @brief Sleeps until a time has passed or the app has to stop.
 *
 * Blocks. May be called in the host function only.
 *
 * @param caller Calling guest.
 * @param duration_us Duration in microseconds.
 *
 * @retval true The app has to stop: return WISP_TRAP_INTERRUPTED from the host function.
 * @retval false The time has passed.
 */
bool wisp_caller_sleep(struct wisp_caller *caller, uint64_t duration_us);

/**
 * @brief Reads an argument of type i64 or f64.
 *
 * @param slots First slot of the argument.
 *
 * @return Bits of the value.
 */
static inline uint64_t wisp_slot_get64(const uint32_t *slots)
{
	return slots[0] | ((uint64_t)slots[1] << 32);
}

/**
 * @brief Writes a result of type i64 or f64.
 *
 * @param slots First slot of the result.
 * @param value Bits of the value.
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
