/* SPDX-License-Identifier: Apache-2.0 */

/**
 * @file
 * @brief The part of the API of apps that needs no header of Zephyr.
 *
 * Firmware in C includes wisp/wisp.h, which includes this header. The bindings of the crate `wisp`
 * for firmware in Rust are generated from it.
 */

#ifndef WISP_INCLUDE_WISP_APP_H_
#define WISP_INCLUDE_WISP_APP_H_

#include <stddef.h>
#include <stdint.h>

#include <wisp/trap.h>

#ifdef __cplusplus
extern "C" {
#endif

struct wisp_app;

/**
 * @addtogroup wisp
 * @{
 */

/** @brief Value for wisp_app_set_fuel() that removes the limit of fuel. */
#define WISP_FUEL_UNLIMITED UINT64_MAX

/** @brief State of an app. */
enum wisp_app_state {
	/** No image was loaded. */
	WISP_APP_EMPTY,
	/** An image was loaded, and the app was not started since. */
	WISP_APP_LOADED,
	/** The app computes, or blocks in a host function. */
	WISP_APP_RUNNING,
	/** The guest returned, or called `proc_exit`. */
	WISP_APP_EXITED,
	/** The guest trapped. WISP_TRAP_INTERRUPTED means that it missed its heartbeat. */
	WISP_APP_TRAPPED,
	/** The app ended because of wisp_app_stop(). */
	WISP_APP_STOPPED,
	/** The image could not be started. */
	WISP_APP_FAILED,
};

/** @brief Highest use of resources by an app since boot, and how much there is of each. */
struct wisp_app_usage {
	/** Runs that have ended. */
	uint32_t runs;
	/**
	 * Runs that have failed: traps, exits with a status other than zero, and images that
	 * could not be started.
	 */
	uint32_t failures;
	/**
	 * Bytes of the native stack that the app has used. The figure is updated when
	 * wisp_app_usage() is called. It is 0 without @kconfig{CONFIG_INIT_STACKS} and
	 * @kconfig{CONFIG_THREAD_STACK_INFO}, and on native_sim.
	 */
	uint32_t stack;
	/** Size of the native stack in bytes. */
	uint32_t stack_size;
	/** Bytes of the arena that a run has used. */
	uint32_t arena;
	/** Size of the arena in bytes. */
	uint32_t arena_size;
	/** Bytes of linear memory that a run has used. */
	uint32_t memory;
	/** Largest linear memory that the app may have, in bytes. */
	uint32_t memory_size;
	/** Fuel that a run with a limit of fuel has used. */
	uint64_t fuel;
	/** Events that waited in the queue at the same time. */
	uint32_t events;
	/** Length of the queue of events. */
	uint32_t events_size;
	/** Events dropped because the queue was full. */
	uint32_t events_lost;
	/** Messages of subscribed channels dropped because a queue was full. */
	uint32_t messages_lost;
	/** Bytes of stored values that were written, counted as in flash. */
	uint32_t kv_written;
	/** Values that were not stored, because the app wrote more than its limit. */
	uint32_t kv_refused;
	/** Bytes that files in the app's folders count for, of those that it has changed. */
	uint32_t files_used;
	/** Changes of files refused because of a folder's quota. */
	uint32_t files_refused;
	/** Lines of the log that were dropped, because the app wrote more than its limit. */
	uint32_t lines_dropped;
#if defined(CONFIG_WISP_TRANSLATE) || defined(__DOXYGEN__)
	/**
	 * Functions of the image in the present or last run, if it was to be translated with
	 * @kconfig{CONFIG_WISP_TRANSLATE}. The firmware has this field with that option only.
	 */
	uint32_t functions;
	/** Those of them that have machine code. */
	uint32_t translated;
#endif
};

/**
 * @brief Finds an app by its name.
 *
 * May be called from interrupts.
 *
 * @param name Name of the devicetree node, or the name given to WISP_APP_DEFINE(). NUL-terminated.
 *
 * @return The app, or NULL if there is none of this name.
 */
const struct wisp_app *wisp_app_find(const char *name);

/**
 * @brief Gives an app the image that it runs when it is started.
 *
 * The image is not copied. It must stay readable and unchanged until another image is loaded.
 *
 * With @kconfig{CONFIG_WISP_NATIVE}, an image with native code that is not part of the firmware is
 * checked for its signature. That takes 1.8 million instructions on a Cortex-M3 and 7 KB of the
 * caller's stack.
 *
 * @param app App that is not running.
 * @param image Image, aligned to 8 bytes.
 * @param size Length of the image in bytes.
 *
 * @retval 0 The image was loaded.
 * @retval -EBUSY The app is running.
 * @retval -EINVAL The image is not aligned to 8 bytes.
 * @retval -ENOEXEC The bytes are no image, or the image is damaged or of another version.
 */
int wisp_app_load(const struct wisp_app *app, const void *image, size_t size);

/**
 * @brief Gives an app an image that is part of the firmware.
 *
 * @param app App that is not running.
 * @param name Name given to wisp_add_app() in CMake. NUL-terminated.
 *
 * @retval 0 The image was loaded.
 * @retval -EBUSY The app is running.
 * @retval -ENOENT The firmware has no image of this name.
 * @retval -ENOEXEC The image is damaged.
 */
int wisp_app_load_embedded(const struct wisp_app *app, const char *name);

/**
 * @brief Limits the work of the next runs of an app.
 *
 * One unit of fuel is one call or one loop iteration. An app that has used all of its fuel ends
 * with WISP_TRAP_OUT_OF_FUEL. Native code does not count fuel, so an app with limited fuel runs
 * its IR. Replaces the property `fuel` of the app's node. May be called from interrupts.
 *
 * @param app App.
 * @param fuel Units for each run, or WISP_FUEL_UNLIMITED.
 */
void wisp_app_set_fuel(const struct wisp_app *app, uint64_t fuel);

/**
 * @brief Limits the time that the next runs of an app may take without blocking.
 *
 * The time runs from the start of the app, or from the end of a blocking host function, to the
 * beginning of the next one. It includes the start function of the module and the time in which
 * threads of higher priority run. An app that takes longer ends with WISP_TRAP_DEADLINE_EXCEEDED.
 * Replaces the property `max-run-ms` of the app's node. May be called from interrupts. Available
 * with @kconfig{CONFIG_WISP_DEADLINE}.
 *
 * @param app App.
 * @param milliseconds Longest time in milliseconds, or 0 for no limit.
 */
void wisp_app_set_max_run(const struct wisp_app *app, uint32_t milliseconds);

/**
 * @brief Starts an app.
 *
 * The image is verified, instantiated and run in the app's thread. wisp_app_status() returns the
 * outcome. If the thread of the last run is about to end, the function waits for its end. After a
 * fault of the thread, the function waits up to a second until what the app had open is released.
 *
 * @param app App with an image.
 *
 * @retval 0 The app was started.
 * @retval -ENOENT The app has no image.
 * @retval -EALREADY The app is running.
 * @retval -EBUSY After a fault of its thread, what the app had open is still being released.
 */
int wisp_app_start(const struct wisp_app *app);

/**
 * @brief Asks an app to end, and returns without waiting for its end.
 *
 * Guest code ends within a bounded number of instructions, at a call or a loop iteration. A
 * blocking host function returns at once. A transfer on a bus that has begun is completed first.
 * wisp_app_join() waits for the end. May be called from interrupts.
 *
 * @param app App.
 *
 * @retval 0 The app will end.
 * @retval -EALREADY The app is not running.
 */
int wisp_app_stop(const struct wisp_app *app);

/**
 * @brief Reads how much of its resources an app has used at most since boot.
 *
 * @param app App.
 * @param[out] usage Figures of the app.
 */
void wisp_app_usage(const struct wisp_app *app, struct wisp_app_usage *usage);

/** @brief Times of the present run of an app, or of the last one. */
struct wisp_app_times {
	/** Microseconds since the app was started, until it ended. */
	uint64_t run_us;
	/** Microseconds in which the app's thread had the processor. */
	uint64_t cpu_us;
	/**
	 * Microseconds of them in host functions, and 0 without @kconfig{CONFIG_WISP_HOST_TIME}.
	 * A host function that calls its guest counts with what the guest does then.
	 */
	uint64_t host_us;
	/**
	 * Number of times that the app went on after a wait, and that a driver polled its device
	 * during one.
	 */
	uint32_t wakeups;
};

/**
 * @brief Reads how long an app runs, how much of that it computes, and how often it wakes up.
 *
 * Available with @kconfig{CONFIG_WISP_TIMES}.
 *
 * @param app App.
 * @param[out] times Times of the app, all 0 before its first run.
 */
void wisp_app_times(const struct wisp_app *app, struct wisp_app_times *times);

/**
 * @brief Gets the name of an app.
 *
 * May be called from interrupts.
 *
 * @param app App.
 *
 * @return Name of the app, NUL-terminated, with static lifetime.
 */
const char *wisp_app_name(const struct wisp_app *app);

/**
 * @brief Describes a trap in a few words.
 *
 * May be called from interrupts.
 *
 * @param trap Trap.
 *
 * @return Words such as "unreachable", NUL-terminated, with static lifetime.
 */
const char *wisp_trap_text(enum wisp_trap trap);

/** @} */

#ifdef __cplusplus
}
#endif

#endif /* WISP_INCLUDE_WISP_APP_H_ */
