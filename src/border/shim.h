/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The interface between C and Rust: functions of C that Rust calls, and functions of Rust that C
 * calls. bindgen reads this header and no header of Zephyr. So it includes only headers that a
 * freestanding compiler has.
 */

#ifndef WISP_BORDER_SHIM_H_
#define WISP_BORDER_SHIM_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wisp/host_function.h>
#include <wisp/trap.h>

#include "border/debug.h"
#include "border/files.h"
#include "border/firmware.h"
#include "border/kept.h"
#include "border/peripherals.h"
#include "border/profile.h"
#include "border/record.h"

struct wisp_app;

/* Error numbers of the guest ABI. They do not depend on the C library of the firmware. */
enum wisp_errno {
	WISP_EPERM = 1,
	WISP_ENOENT = 2,
	WISP_EINTR = 4,
	WISP_EIO = 5,
	WISP_ENXIO = 6,
	WISP_EBADF = 9,
	WISP_EAGAIN = 11,
	WISP_ENOMEM = 12,
	WISP_EACCES = 13,
	WISP_EFAULT = 14,
	WISP_EBUSY = 16,
	WISP_ENODEV = 19,
	WISP_EINVAL = 22,
	WISP_ENOSPC = 28,
	WISP_ERANGE = 34,
	WISP_ENOSYS = 88,
	WISP_ETIMEDOUT = 116,
	WISP_EMSGSIZE = 122,
	WISP_ENOTSUP = 134,
	WISP_EOVERFLOW = 139,
	WISP_ECANCELED = 140,
	WISP_EPROTO = 71,
};

/*
 * Parameters and members have the type uint32_t instead of an enum. Compilers may make enums
 * shorter, and the other side may pass a number that the enum does not define.
 */

/* Values of wisp_run.error: reasons other than a trap for the end of a run. */
enum wisp_run_error {
	WISP_RUN_OK = 0,
	/*
	 * The bytes are no image, or the image is damaged. wisp_run.detail is the code of the
	 * reader.
	 */
	WISP_RUN_BAD_IMAGE = 1,
	/*
	 * The arena or the limit of memory is too small. wisp_run.detail is the size needed, if
	 * known.
	 */
	WISP_RUN_NO_MEMORY = 2,
	/* An import does not exist or has another type. This was logged. */
	WISP_RUN_BAD_IMPORT = 3,
	/* The image exports no entry function. */
	WISP_RUN_NO_ENTRY = 4,
	/* The image has more imports, functions or table elements than allowed. This was logged. */
	WISP_RUN_LIMIT = 5,
	/* The image needs a feature that the engine is built without. This was logged. */
	WISP_RUN_NO_FEATURE = 6,
};

/* Decision about the native code of an image. */
enum wisp_native {
	/* The code is neither part of the firmware nor signed by a known key. */
	WISP_NATIVE_UNSIGNED = 0,
	/* The code may run. */
	WISP_NATIVE_ALLOWED = 1,
	/* The code is at an address that the processor may not execute. */
	WISP_NATIVE_NOT_EXECUTABLE = 2,
};

/* Result of an attempt to stop native code from outside. */
enum wisp_redirect {
	/* The app does not have to stop. */
	WISP_REDIRECT_NONE = 0,
	/* The thread has to continue at the returned address. */
	WISP_REDIRECT_DONE = 1,
	/* The thread is not in native code at present. */
	WISP_REDIRECT_LATER = 2,
};

/* One run of an app. C sets the members above the line, Rust those below. */
struct wisp_run {
	const struct wisp_app *app;
	const uint8_t *image;
	size_t image_size;
	/* The image is part of the firmware, and the build has verified it. */
	bool verified;
	uint64_t *arena;
	/* Bytes. */
	size_t arena_size;
	uint32_t memory_size;
	uint32_t frame_size;
	uint32_t table_size;
	/* Maximum depth of calls, or 0 if only the frame stack limits it. */
	uint32_t call_depth;
	uint32_t max_imports;
	uint32_t max_functions;
	/* Units of fuel between two checks of the stop flag. */
	uint32_t stop_interval;
	/* Units of fuel, UINT64_MAX for no limit. */
	uint64_t fuel;
	/* Bytes of IR that are translated at most. */
	uint32_t translate_budget;
	/* Lowest address of the stack that translated code may use, 0 if unknown. */
	uintptr_t translated_limit;
	/* Lowest address of the stack that native code may use, 0 if unknown. */
	uintptr_t native_limit;
	/* An enum wisp_native. */
	uint32_t native;
	/*
	 * Memory of native code in user mode: linear memory, the window with its record, and its
	 * stack, with sizes in bytes. All are 0 without user mode.
	 */
	uint64_t *user_memory;
	size_t user_memory_size;
	uint64_t *user_window;
	size_t user_window_size;
	uintptr_t user_stack;
	uintptr_t user_stack_end;
	/* Bytes of the window for the frames of an interpreter in user mode, or 0. */
	uint32_t user_frames;
	/* True if wisp_native_stop() can stop code that does not read the stop flag. */
	bool native_stop;
	/* Features of the processor, as in the header of a native section. */
	uint8_t native_features;

	/* An enum wisp_run_error. */
	uint32_t error;
	uint32_t detail;
	/* An enum wisp_trap, with the index of the function and the byte offset. */
	uint32_t trap;
	uint32_t function;
	uint32_t offset;
	/* Identification of the image that trapped, as in the log. */
	uint32_t image_wasm;
	uint32_t image_code;
	int32_t exit_status;
	uint64_t fuel_used;
	/* Bytes of the arena in use at the end, and bytes of linear memory among them. */
	uint32_t arena_used;
	uint32_t memory_used;
	/* True if native code was executed. */
	bool ran_native;
};

/* Rust: runs the app in the calling thread until it ends. */
void wisp_rust_run(struct wisp_run *run);

/*
 * Rust: checks an image as far as possible without RAM, and logs errors. Returns an enum
 * wisp_run_error.
 */
uint32_t wisp_rust_check(const struct wisp_app *app, const uint8_t *image, size_t size);

/*
 * Rust: set a registered stop flag. The guest ends with the trap for a deadline or for a stop.
 * Callable from any context.
 */
void wisp_rust_interrupt(void *stop_flag);
void wisp_rust_deadline(void *stop_flag);

/* Rust: returns true if the image has native code for any processor. */
bool wisp_rust_has_native(const uint8_t *image, size_t size);

/*
 * Return whether native code can be stopped asynchronously, and which features of the processor it
 * may use.
 */
bool wisp_shim_native_stop(void);
uint8_t wisp_shim_native_features(void);

/*
 * Returns an enum wisp_native that says whether native code of an image at this address may run.
 * `trusted` is true if the image is part of the firmware or signed.
 */
uint32_t wisp_shim_native_allowed(const struct wisp_app *app, const uint8_t *image, size_t size,
				  bool trusted);

/* Returns true if the fuel of the app is limited. */
bool wisp_shim_has_fuel_limit(const struct wisp_app *app);

/*
 * Keys that may sign: Ed25519 public keys of 32 bytes, and ids of 8 bytes of retired keys.
 * `compilers` may sign attached native code only.
 */
struct wisp_signers {
	const uint8_t *keys;
	size_t key_count;
	const uint8_t *roots;
	size_t root_count;
	const uint8_t *compilers;
	size_t compiler_count;
	const uint8_t *retired;
	size_t retired_count;
};

/* Rust: returns true if one of these keys signed the image. */
bool wisp_rust_signed(const uint8_t *image, size_t size, const struct wisp_signers *signers);

/*
 * Rust: finds the address at which a preempted thread with this program counter has to continue,
 * so that its native code ends.
 */
enum wisp_redirect wisp_rust_redirect(void *stop_flag, uintptr_t *pc, uintptr_t *argument);

/* Rust: ends the run with this stop flag, because its thread will never return from the guest. */
void wisp_rust_forget(void *stop_flag);

/* Results of native code in user mode, with the engine's numbers. */
enum wisp_user_outcome {
	WISP_USER_RETURNED = 0,
	WISP_USER_TRAPPED = 1,
	WISP_USER_STOPPED = 2,
	WISP_USER_FAULTED = 3,
};

/*
 * Runs wisp_native_enter() in user mode with these arguments, and serves its requests. Returns an
 * enum wisp_user_outcome. `env` is the app. *pc is set to the program counter of code that was
 * stopped or faulted, if known.
 */
uint32_t wisp_shim_user_enter(const void *env, const void *ctx, const void *record, uint32_t *slots,
			      const uint8_t *function, uintptr_t *pc);

/* Called in user mode: makes the app's thread call wisp_rust_serve() with these words. */
uint32_t wisp_shim_user_request(uintptr_t what, uintptr_t a, uintptr_t b, uintptr_t c, uintptr_t d,
				uintptr_t e);

/* Rust: calls native code with its record and slots. Returns 0, or 1 if a trap ended it. */
uint32_t wisp_native_enter(void *record, uint32_t *slots, const uint8_t *function);

/* Rust: executes a request of code in user mode. The words may have any values. */
uint32_t wisp_rust_serve(const void *ctx, const uintptr_t *request);

/* Halts the firmware because of a bug in the runtime. The text is not NUL-terminated. */
_Noreturn void wisp_shim_panic(const char *file, size_t length, uint32_t line);

/* Returns the app's name, NUL-terminated. */
const char *wisp_shim_app_name(const struct wisp_app *app);

/* Return the argument or the environment variable with this index, or NULL if there are fewer. */
const char *wisp_shim_app_argument(const struct wisp_app *app, size_t index);
const char *wisp_shim_app_variable(const struct wisp_app *app, size_t index);

/*
 * Registers the stop flag of the run, or NULL before the flag becomes invalid. If the app already
 * has to stop, the flag is set at once.
 */
void wisp_shim_app_stop_flag(const struct wisp_app *app, void *flag);

/* Records that the guest tried to open something that its node does not grant. */
void wisp_shim_app_denied(const struct wisp_app *app);

/*
 * Records how many bytes of the arena, and of linear memory among them, the run uses at its start.
 */
void wisp_shim_app_usage(const struct wisp_app *app, uint32_t arena, uint32_t memory);

/* What became of an app's functions when they were to be translated. */
struct wisp_translated {
	uint32_t functions;
	/* Those with machine code, and the bytes of it, a multiple of 8. */
	uint32_t translated;
	uint32_t bytes;
	/* Those without, because there was no room or no budget. */
	uint32_t no_room;
	uint32_t over_budget;
	/* Bytes that the stack lacks for translated code, or 0. */
	uint32_t stack_needed;
};

/*
 * Returns the address of memory for machine code, a multiple of 8, and its size in bytes. The app
 * has it until wisp_shim_code_keep() is called, and other apps wait until then. The size is 0 if
 * there is none, or if the app has to stop.
 */
uintptr_t wisp_shim_code_take(const struct wisp_app *app, uint32_t *size);

/* Copies bytes into that memory. */
void wisp_shim_code_write(uint8_t *to, const uint8_t *from, size_t bytes);

/*
 * The app keeps the first bytes of its memory, as many as it uses, until its run ends. Called
 * before anything of the app runs, because others wait. Logs what is interpreted.
 */
void wisp_shim_code_keep(const struct wisp_app *app, const struct wisp_translated *figures);

/* Returns the trap that ends the app if it has to stop or its time is over, else 0. */
uint32_t wisp_shim_app_stop_reason(const struct wisp_app *app);

/* Returns the host functions that the firmware defines. */
const struct wisp_host_function *wisp_shim_host_functions(size_t *count);

/*
 * Finds an image of the firmware by its name, which is not NUL-terminated. Returns NULL if there
 * is none.
 */
const uint8_t *wisp_shim_image_find(const char *name, size_t length, size_t *size);

/* Logs a line of the runtime. Levels are those of wisp:log@1. The text is not NUL-terminated. */
void wisp_shim_log(const struct wisp_app *app, uint32_t level, const char *text, size_t length);

/* Logs an error of the app as a number of rust/port/src/report_numbers.rs with its values. */
void wisp_shim_error(const struct wisp_app *app, uint32_t error, uint32_t first, uint32_t second);

/* Logs a trap as numbers: both parts of the image's id, function and code offset. */
void wisp_shim_trap(const struct wisp_app *app, uint32_t trap, uint32_t wasm, uint32_t code,
		    uint32_t function, uint32_t offset);

/* Returns the most detailed level at which lines of apps are logged, 0 if none. */
uint32_t wisp_shim_app_log_level(void);

/*
 * Logs a trap. The text `place` has the image and the frames as numbers for `wisp symbolize`, and
 * is NUL-terminated.
 */
void wisp_shim_app_trap(const struct wisp_app *app, uint32_t trap, const char *place);

/* Logs a line of the app. */
void wisp_shim_app_log(const struct wisp_app *app, uint32_t level, const uint8_t *text,
		       size_t length);

/* Writes a line of the app's standard output or error. */
void wisp_shim_app_output(const struct wisp_app *app, bool error, const uint8_t *text,
			  size_t length);

/*
 * Measure a call of a host function, by the app's thread. The first returns what the second needs.
 */
uint64_t wisp_shim_host_begin(const struct wisp_app *app);
void wisp_shim_host_end(const struct wisp_app *app, uint64_t began);

/* Returns microseconds since boot. */
uint64_t wisp_shim_uptime_us(void);

/* Returns the resolution of that clock in nanoseconds. */
uint32_t wisp_shim_uptime_resolution_ns(void);

/* Sleeps for a duration, or yields if it is 0. Returns true if the app has to stop. */
bool wisp_shim_sleep_us(const struct wisp_app *app, uint64_t duration);

/* Fills a buffer with random bytes. Returns 0 or an enum wisp_errno. */
uint32_t wisp_shim_entropy(uint8_t *buffer, size_t length);

/* Returns the index of a granted pin, or -1. The label is not NUL-terminated. */
int32_t wisp_shim_gpio_find(const struct wisp_app *app, const uint8_t *label, size_t length);

enum wisp_pin_mode {
	WISP_PIN_INPUT,
	WISP_PIN_OUTPUT_INACTIVE,
	WISP_PIN_OUTPUT_ACTIVE,
	WISP_PIN_RELEASED,
};

/*
 * Use a pin by its index in the app's grants. Return 0 or an enum wisp_errno. The mode is an enum
 * wisp_pin_mode.
 */
uint32_t wisp_shim_gpio_configure(const struct wisp_app *app, uint32_t pin, uint32_t mode);
uint32_t wisp_shim_gpio_set(const struct wisp_app *app, uint32_t pin, bool active);
uint32_t wisp_shim_gpio_toggle(const struct wisp_app *app, uint32_t pin);
uint32_t wisp_shim_gpio_get(const struct wisp_app *app, uint32_t pin, bool *active);

#include "storage/shim.h"

#endif /* WISP_BORDER_SHIM_H_ */
