/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The border between the C and the Rust side: what Rust may ask of Zephyr, and what C
 * calls in Rust. bindgen reads this header and nothing of Zephyr's, so it includes only
 * what a freestanding compiler has.
 */

#ifndef WISP_BORDER_SHIM_H_
#define WISP_BORDER_SHIM_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wisp/host_function.h>
#include <wisp/trap.h>

#include "border/peripherals.h"

struct wisp_app;

/* Error numbers of the guest ABI, the same whatever libc the firmware is built with. */
enum wisp_errno {
	WISP_EPERM = 1,
	WISP_ENOENT = 2,
	WISP_EIO = 5,
	WISP_ENXIO = 6,
	WISP_EAGAIN = 11,
	WISP_ENOMEM = 12,
	WISP_EACCES = 13,
	WISP_EBUSY = 16,
	WISP_ENODEV = 19,
	WISP_EINVAL = 22,
	WISP_ENOSPC = 28,
	WISP_ERANGE = 34,
	WISP_ENOSYS = 88,
	WISP_ETIMEDOUT = 116,
	WISP_ENOTSUP = 134,
	WISP_EOVERFLOW = 139,
	WISP_ECANCELED = 140,
};

/*
 * Enums cross the border as uint32_t: compilers may make them shorter, and what C does not
 * name is still a number.
 */

/* How a run ended, beside a trap: numbers for wisp_run.error. */
enum wisp_run_error {
	WISP_RUN_OK = 0,
	/* Not an image, or a damaged one: wisp_run.detail is the reader's code. */
	WISP_RUN_BAD_IMAGE = 1,
	/* The arena or memory limit is too small: wisp_run.detail is the size needed, if known. */
	WISP_RUN_NO_MEMORY = 2,
	/* An import that nothing provides, or one of another type; already logged. */
	WISP_RUN_BAD_IMPORT = 3,
	/* The image has no entry function. */
	WISP_RUN_NO_ENTRY = 4,
	/* More imports, functions or table elements than allowed; already logged. */
	WISP_RUN_LIMIT = 5,
	/* It needs what the engine is built without; already logged. */
	WISP_RUN_NO_FEATURE = 6,
};

/* What is known about the native code of an image, if it has any. */
enum wisp_native {
	/* Nobody the firmware trusts made it. */
	WISP_NATIVE_UNSIGNED = 0,
	/* It may run. */
	WISP_NATIVE_ALLOWED = 1,
	/* It lies where the processor may not execute it. */
	WISP_NATIVE_NOT_EXECUTABLE = 2,
};

/* What became of an attempt to stop native code from outside. */
enum wisp_redirect {
	/* The app was not told to stop. */
	WISP_REDIRECT_NONE = 0,
	/* The thread is to go on at the address given. */
	WISP_REDIRECT_DONE = 1,
	/* It is not in native code now. */
	WISP_REDIRECT_LATER = 2,
};

/* One run of an app: filled in by C above the line, by Rust below. */
struct wisp_run {
	const struct wisp_app *app;
	const uint8_t *image;
	size_t image_size;
	/* The build verified the image, and it lies in the firmware. */
	bool verified;
	uint64_t *arena;
	/* Bytes. */
	size_t arena_size;
	uint32_t memory_size;
	uint32_t frame_size;
	uint32_t table_size;
	/* 0 for no limit but that of the frames. */
	uint32_t call_depth;
	uint32_t max_imports;
	uint32_t max_functions;
	/* Units of fuel between two looks at the stop flag. */
	uint32_t stop_interval;
	/* UINT64_MAX for no limit. */
	uint64_t fuel;
	/* Lowest address of the thread's stack for native code; 0 if unknown. */
	uintptr_t native_limit;
	/* An enum wisp_native; enums have another size in C than bindgen thinks. */
	uint32_t native;
	/*
	 * For native code in user mode, all 0 without: linear memory, what else it may write,
	 * its stack. Sizes in bytes.
	 */
	uint64_t *user_memory;
	size_t user_memory_size;
	uint64_t *user_window;
	size_t user_window_size;
	uintptr_t user_stack;
	uintptr_t user_stack_end;
	/* wisp_native_stop() works: code need not look at the stop flag. */
	bool native_stop;
	/* Of the processor, as in the header of a native section. */
	uint8_t native_features;

	/* An enum wisp_run_error. */
	uint32_t error;
	uint32_t detail;
	/* An enum wisp_trap; its function's index and byte offset. */
	uint32_t trap;
	uint32_t function;
	uint32_t offset;
	/* The image of a trap, as the log names it. */
	uint32_t image_wasm;
	uint32_t image_code;
	int32_t exit_status;
	uint64_t fuel_used;
	/* Bytes of the arena in use at the end, and of these in linear memory. */
	uint32_t arena_used;
	uint32_t memory_used;
	/* Native code ran. */
	bool ran_native;
};

/* Rust: runs the app to its end in the calling thread. */
void wisp_rust_run(struct wisp_run *run);

/*
 * Rust: checks an image as far as that goes without RAM, and logs what is wrong: an enum
 * wisp_run_error.
 */
uint32_t wisp_rust_check(const struct wisp_app *app, const uint8_t *image, size_t size);

/* Rust: sets a stop flag that was registered; the trap says which of both. From any context. */
void wisp_rust_interrupt(void *stop_flag);
void wisp_rust_deadline(void *stop_flag);

/* Rust: true if the image has native code, for whatever machine. */
bool wisp_rust_has_native(const uint8_t *image, size_t size);

/* How native code is stopped here, and what its target may use of this processor. */
bool wisp_shim_native_stop(void);
uint8_t wisp_shim_native_features(void);

/* An enum wisp_native: whether native code of an image that lies there may run, if somebody trusted
 * made it. */
uint32_t wisp_shim_native_allowed(const struct wisp_app *app, const uint8_t *image, size_t size,
				  bool trusted);

/* True if the app's runs have a limit of fuel. */
bool wisp_shim_has_fuel_limit(const struct wisp_app *app);

/* Who may sign: Ed25519 keys of 32 bytes each, and ids of 8 bytes of those that are retired. */
struct wisp_signers {
	const uint8_t *keys;
	size_t key_count;
	const uint8_t *roots;
	size_t root_count;
	const uint8_t *retired;
	size_t retired_count;
};

/* Rust: true if one of these signed the image. */
bool wisp_rust_signed(const uint8_t *image, size_t size, const struct wisp_signers *signers);

/* Rust: where a preempted thread that stands at *pc goes on for its native code to end. */
enum wisp_redirect wisp_rust_redirect(void *stop_flag, uintptr_t *pc, uintptr_t *argument);

/* Rust: the thread of the run whose stop flag this was will never come back from its guest. */
void wisp_rust_forget(void *stop_flag);

/* How native code in user mode ended, as the engine numbers it. */
enum wisp_user_outcome {
	WISP_USER_RETURNED = 0,
	WISP_USER_TRAPPED = 1,
	WISP_USER_STOPPED = 2,
	WISP_USER_FAULTED = 3,
};

/*
 * Runs wisp_native_enter() in user mode with these arguments and serves its requests: an
 * enum wisp_user_outcome. `env` is the app; *pc is where code stood that was
 * stopped or faulted, if known.
 */
uint32_t wisp_shim_user_enter(const void *env, const void *ctx, const void *record, uint32_t *slots,
			      const uint8_t *function, uintptr_t *pc);

/* In user mode: has wisp_rust_serve() called in the app's thread with these words. */
uint32_t wisp_shim_user_request(uintptr_t what, uintptr_t a, uintptr_t b, uintptr_t c, uintptr_t d,
				uintptr_t e);

/* Rust: calls native code with its record and slots. 0, or 1 if a trap ended it. */
uint32_t wisp_native_enter(void *record, uint32_t *slots, const uint8_t *function);

/* Rust: does what native code in user mode asked for, whatever the words are. */
uint32_t wisp_rust_serve(const void *ctx, const uintptr_t *request);

/* Ends the firmware: a bug in the runtime. The text is not NUL-terminated. */
_Noreturn void wisp_shim_panic(const char *file, size_t length, uint32_t line);

/* The app's name, NUL-terminated. */
const char *wisp_shim_app_name(const struct wisp_app *app);

/* The argument, or the environment variable, with this index; NULL behind the last. */
const char *wisp_shim_app_argument(const struct wisp_app *app, size_t index);
const char *wisp_shim_app_variable(const struct wisp_app *app, size_t index);

/*
 * Tells where the stop flag of the run is, or NULL before it becomes invalid. If the app
 * was told to stop already, the flag is set at once.
 */
void wisp_shim_app_stop_flag(const struct wisp_app *app, void *flag);

/* The guest asked for something that its node does not grant. */
void wisp_shim_app_denied(const struct wisp_app *app);

/* The app's run has begun, with so many bytes of the arena, and of linear memory among them. */
void wisp_shim_app_usage(const struct wisp_app *app, uint32_t arena, uint32_t memory);

/* The trap that ends the app, once it was told to stop or its time is over; else 0. */
uint32_t wisp_shim_app_stop_reason(const struct wisp_app *app);

/* The host functions of the firmware. */
const struct wisp_host_function *wisp_shim_host_functions(size_t *count);

/* An image in flash by its name, which is not NUL-terminated; NULL if there is none. */
const uint8_t *wisp_shim_image_find(const char *name, size_t length, size_t *size);

/* Logs for the runtime itself; level as in wisp:log@1. The text is not NUL-terminated. */
void wisp_shim_log(const struct wisp_app *app, uint32_t level, const char *text, size_t length);

/*
 * Logs an error of the app in numbers: an error of rust/port/src/report_numbers.rs and its values.
 */
void wisp_shim_error(const struct wisp_app *app, uint32_t error, uint32_t first, uint32_t second);

/* Logs a trap in numbers: the image by both parts of its id, function and code offset. */
void wisp_shim_trap(const struct wisp_app *app, uint32_t trap, uint32_t wasm, uint32_t code,
		    uint32_t function, uint32_t offset);

/* The highest level that an app's own lines are kept at, 0 if none. */
uint32_t wisp_shim_app_log_level(void);

/*
 * Logs a trap; the place, NUL-terminated, tells the image and the frames in numbers that
 * `wisp symbolize` turns into names.
 */
void wisp_shim_app_trap(const struct wisp_app *app, uint32_t trap, const char *place);

/* Logs a line of the app. */
void wisp_shim_app_log(const struct wisp_app *app, uint32_t level, const uint8_t *text,
		       size_t length);

/* Writes a line of the app's standard output or error. */
void wisp_shim_app_output(const struct wisp_app *app, bool error, const uint8_t *text,
			  size_t length);

/* Microseconds since boot. */
uint64_t wisp_shim_uptime_us(void);

/* Nanoseconds of one step of the above. */
uint32_t wisp_shim_uptime_resolution_ns(void);

/* Sleeps; true if the app was told to stop. Zero yields. */
bool wisp_shim_sleep_us(const struct wisp_app *app, uint64_t duration);

/* Random bytes: 0 or an enum wisp_errno. */
uint32_t wisp_shim_entropy(uint8_t *buffer, size_t length);

/* The index of a granted pin, or -1. The label is not NUL-terminated. */
int32_t wisp_shim_gpio_find(const struct wisp_app *app, const uint8_t *label, size_t length);

enum wisp_pin_mode {
	WISP_PIN_INPUT,
	WISP_PIN_OUTPUT_INACTIVE,
	WISP_PIN_OUTPUT_ACTIVE,
	WISP_PIN_RELEASED,
};

/* Pins by index into the app's grants: 0 or an enum wisp_errno. The mode is an enum wisp_pin_mode.
 */
uint32_t wisp_shim_gpio_configure(const struct wisp_app *app, uint32_t pin, uint32_t mode);
uint32_t wisp_shim_gpio_set(const struct wisp_app *app, uint32_t pin, bool active);
uint32_t wisp_shim_gpio_toggle(const struct wisp_app *app, uint32_t pin);
uint32_t wisp_shim_gpio_get(const struct wisp_app *app, uint32_t pin, bool *active);

#include "storage/shim.h"

#endif /* WISP_BORDER_SHIM_H_ */
