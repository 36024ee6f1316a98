/* SPDX-License-Identifier: Apache-2.0 */

/**
 * @file
 * @brief WebAssembly apps: loading, running, stopping.
 */

#ifndef WISP_INCLUDE_WISP_WISP_H_
#define WISP_INCLUDE_WISP_WISP_H_

#include <zephyr/devicetree.h>
#include <zephyr/kernel.h>
#include <zephyr/sys/iterable_sections.h>
#include <zephyr/toolchain.h>

#include <wisp/host_function.h>
#include <wisp/trap.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * @defgroup wisp Wisp
 * @brief WebAssembly apps in sandboxes.
 *
 * An app is a place where an image can run: a thread, an arena and grants. Apps are
 * defined at build time, by a child of a `wisp,apps` devicetree node or by
 * WISP_APP_DEFINE(), and run one image at a time, as often as wanted. Every app has its
 * own thread; one that traps or computes without end does not stop the others.
 *
 * All functions may be called from any thread, wisp_app_stop() also from interrupts.
 * @{
 */

/** @brief Fuel of an app that may run without limit. */
#define WISP_FUEL_UNLIMITED UINT64_MAX

/** @brief What an app is doing. */
enum wisp_app_state {
	/** It has no image. */
	WISP_APP_EMPTY,
	/** It has an image and was not started. */
	WISP_APP_LOADED,
	/** It runs, or blocks in a host function. */
	WISP_APP_RUNNING,
	/** The guest returned or ended itself. */
	WISP_APP_EXITED,
	/** The guest trapped; WISP_TRAP_INTERRUPTED: it missed its heartbeat. */
	WISP_APP_TRAPPED,
	/** It ended because of wisp_app_stop(). */
	WISP_APP_STOPPED,
	/** The image could not be started. */
	WISP_APP_FAILED,
};

/** @brief State of an app and the outcome of its last run. */
struct wisp_app_status {
	/** What it is doing. */
	enum wisp_app_state state;
	/**
	 * WISP_APP_FAILED: the reason. -ENOEXEC: the image is damaged. -ENOTSUP: it imports
	 * what the firmware does not have, or needs what its engine is built without.
	 * -ENOMEM: it needs more memory than the app has.
	 * -E2BIG: it has more imports, functions or table elements than the app may have.
	 * -ENOENT: it has no entry. -EFAULT: the app's thread was aborted, as Zephyr does with
	 * a thread that faults in a driver.
	 */
	int error;
	/** WISP_APP_TRAPPED: the reason. */
	enum wisp_trap trap;
	/** WISP_APP_TRAPPED: index of the function among those that the image defines. */
	uint32_t function;
	/** WISP_APP_TRAPPED: byte offset in the image's code section. */
	uint32_t offset;
	/**
	 * WISP_APP_TRAPPED: the image, as `wisp symbolize` knows it: the first bytes of its
	 * module's hash.
	 */
	uint32_t image_wasm;
	/** WISP_APP_TRAPPED: the image as well: bytes of its code section. */
	uint32_t image_code;
	/** WISP_APP_EXITED: the status the guest ended with, 0 if it returned. */
	int exit_status;
	/** Fuel used by the last run; 0 if it had no limit. */
	uint64_t fuel_used;
	/** Bytes of the arena that the last run used. */
	uint32_t arena_used;
	/** Bytes of linear memory among them. */
	uint32_t memory_used;
	/** The last run executed native code, not the image's IR. */
	bool native;
};

/** @brief An image in the firmware; wisp_add_app() in CMake makes one. */
struct wisp_image {
	/** Name given to wisp_add_app(). */
	const char *name;
	/** The image, 8-aligned. */
	const uint8_t *data;
	/** Bytes. */
	size_t size;
};

/** @brief The most that an app has used since boot, and what there is. */
struct wisp_app_usage {
	/** Runs that ended, and those of them that failed. */
	uint32_t runs;
	/** Traps, exits with a status other than zero, images that could not be started. */
	uint32_t failures;
	/**
	 * Bytes of the native stack that the present or last run has used so far, the most of
	 * those that were asked for; 0 without CONFIG_INIT_STACKS and CONFIG_THREAD_STACK_INFO, and
	 * on native_sim.
	 */
	uint32_t stack;
	/** Bytes of the native stack. */
	uint32_t stack_size;
	/** Bytes of the arena, of runs that ended. */
	uint32_t arena;
	/** Bytes of the arena there are. */
	uint32_t arena_size;
	/** Bytes of linear memory, of runs that ended. */
	uint32_t memory;
	/** Bytes of linear memory there may be. */
	uint32_t memory_size;
	/** Fuel of a run that ended, of runs with a limit. */
	uint64_t fuel;
	/** Events that waited at once. */
	uint32_t events;
	/** Events that can wait. */
	uint32_t events_size;
	/** Events dropped because the queue was full. */
	uint32_t events_lost;
	/** Messages of subscribed channels dropped because a queue was full. */
	uint32_t messages_lost;
	/** Bytes written to the settings as values of the app, as they lie in flash. */
	uint32_t kv_written;
	/** Values not stored because the app writes too much. */
	uint32_t kv_refused;
	/** Lines of the log dropped because the app writes too many. */
	uint32_t lines_dropped;
};

/** @cond INTERNAL_HIDDEN */

struct wisp_grants;

/* What a guest may not exceed, beside its memory and stacks: see doc/limits.md. */
struct wisp_limits {
	uint32_t table_size;
	uint32_t call_depth;
	uint32_t max_imports;
	uint32_t max_functions;
	uint32_t fuel;
	uint32_t max_run_ms;
};

#ifdef CONFIG_WISP_NATIVE_USER_MODE
/* Native code in user mode: its thread, and what that asks the app's thread for. */
struct wisp_user {
	struct k_thread thread;
	struct k_mem_domain domain;
	struct k_mem_partition parts[2];
	struct k_sem asked;
	struct k_sem answered;
	uintptr_t request[6];
	uint32_t result;
	/* Where it stood when it was ended. */
	uintptr_t pc;
	bool prepared;
	bool runs;
	/* It has asked, and not been answered. */
	bool asking;
	bool faulted;
};
#endif

/* What was taken of a budget: see src/rate.h. */
struct wisp_rate {
	int64_t at_ms;
	uint32_t level;
};

#if CONFIG_WISP_ARGS_SIZE > 0
/* Strings one behind the other, each with its NUL. */
struct wisp_strings {
	char text[CONFIG_WISP_ARGS_SIZE];
	size_t size;
	bool set;
};
#endif

struct wisp_app_data {
	struct k_thread thread;
	struct k_spinlock lock;
	/* Available once the app is to stop: whatever blocks waits for it as well. */
	struct k_sem stop;
	void *stop_flag;
	const uint8_t *image;
	size_t image_size;
#ifdef CONFIG_WISP_NATIVE
	/* What wisp_native_decide() said about the image. */
	uint8_t native;
	struct k_work_delayable native_stop;
#endif
#ifdef CONFIG_WISP_NATIVE_USER_MODE
	struct wisp_user user;
#endif
#if CONFIG_WISP_ARGS_SIZE > 0
	struct wisp_strings args;
	struct wisp_strings env;
#endif
	uint64_t fuel;
	/* In ticks since boot; 0 while the app blocks or has none. */
	int64_t deadline;
	uint32_t max_run_ms;
	struct wisp_app_status status;
	struct wisp_app_usage most;
	/* Lines of the log, and bytes of stored values; they outlive runs. */
	struct wisp_rate log_rate;
	struct wisp_rate kv_rate;
	/* Lines dropped since the last one that was logged. */
	uint32_t log_dropped;
	int watchdog;
	bool missed;
	bool has_fuel;
	bool has_max_run;
	/* In this run, the guest asked for something that its node does not grant. */
	bool denied;
	bool created;
	bool stopping;
	/* The stop is that of the deadline. */
	bool expired;
};

/** @endcond */

/** @brief An app. All members are private. */
struct wisp_app {
	/** @cond INTERNAL_HIDDEN */
	const char *name;
	struct wisp_app_data *data;
	k_thread_stack_t *stack;
	size_t stack_size;
	uint64_t *arena;
	size_t arena_size;
#ifdef CONFIG_WISP_NATIVE_USER_MODE
	k_thread_stack_t *user_stack;
	size_t user_stack_size;
	/* Linear memory, and behind it what else native code may write. */
	uint64_t *user_memory;
	size_t user_memory_size;
	size_t user_window_size;
#endif
	uint32_t memory_size;
	uint32_t frame_size;
	int priority;
	uint32_t heartbeat_ms;
	struct wisp_limits limits;
	const struct wisp_grants *grants;
	/** @endcond */
};

/** @cond INTERNAL_HIDDEN */

#ifdef CONFIG_WISP_NATIVE_USER_MODE

/* What the memory protection unit can make a region of. */
#ifdef CONFIG_MPU_REQUIRES_POWER_OF_TWO_ALIGNMENT
#define Z_WISP_REGION(_bytes) Z_POW2_CEIL(MAX(_bytes, 64))
#define Z_WISP_REGION_ALIGN(_memory)                                                               \
	MAX(Z_WISP_REGION(_memory), Z_WISP_REGION(CONFIG_WISP_NATIVE_USER_SIZE))
#else
#define Z_WISP_REGION(_bytes)        ROUND_UP(_bytes, 64)
#define Z_WISP_REGION_ALIGN(_memory) 64
#endif

/* The second region follows the first, so that it is aligned if it is not the larger one. */
#define Z_WISP_USER_DEFINE(_id, _memory)                                                           \
	BUILD_ASSERT(Z_WISP_REGION(CONFIG_WISP_NATIVE_USER_SIZE) <= Z_WISP_REGION(_memory) ||      \
			     !IS_ENABLED(CONFIG_MPU_REQUIRES_POWER_OF_TWO_ALIGNMENT),              \
		     "CONFIG_WISP_NATIVE_USER_SIZE exceeds the linear memory of an app");          \
	static K_THREAD_STACK_DEFINE(_CONCAT(_id, _user_stack),                                    \
				     CONFIG_WISP_NATIVE_USER_STACK_SIZE);                          \
	static __noinit __aligned(Z_WISP_REGION_ALIGN(_memory)) uint64_t _CONCAT(                  \
		_id, _user_memory)[(Z_WISP_REGION(_memory) +                                       \
				    Z_WISP_REGION(CONFIG_WISP_NATIVE_USER_SIZE)) /                 \
				   sizeof(uint64_t)];
#define Z_WISP_USER(_id, _memory)                                                                  \
	.user_stack = _CONCAT(_id, _user_stack),                                                   \
	.user_stack_size = K_THREAD_STACK_SIZEOF(_CONCAT(_id, _user_stack)),                       \
	.user_memory = _CONCAT(_id, _user_memory), .user_memory_size = Z_WISP_REGION(_memory),     \
	.user_window_size = Z_WISP_REGION(CONFIG_WISP_NATIVE_USER_SIZE),
#define Z_WISP_ARENA_MEMORY(_memory) 0

#else

#define Z_WISP_USER_DEFINE(_id, _memory)
#define Z_WISP_USER(_id, _memory)
#define Z_WISP_ARENA_MEMORY(_memory) (_memory)

#endif /* CONFIG_WISP_NATIVE_USER_MODE */

/*
 * Instance records, globals and tables of a module beside its memory and frames, and the
 * most that aligning them costs.
 */
#define Z_WISP_ARENA_WORDS(_memory, _frame, _instance)                                             \
	(DIV_ROUND_UP(Z_WISP_ARENA_MEMORY(_memory) + (_frame) + (_instance), sizeof(uint64_t)))

/* The limits follow as initializers. */
/* clang-format off */
#define Z_WISP_APP_DEFINE(_id, _name, _memory, _frame, _instance, _stack, _priority, _heartbeat,   \
			  _grants, ...)                                                            \
	Z_WISP_USER_DEFINE(_id, _memory)                                                           \
	static K_KERNEL_STACK_DEFINE(_CONCAT(_id, _stack_area), _stack);                           \
	static __noinit uint64_t                                                                   \
		_CONCAT(_id, _arena)[Z_WISP_ARENA_WORDS(_memory, _frame, _instance)];              \
	static struct wisp_app_data _CONCAT(_id, _data);                                           \
	const STRUCT_SECTION_ITERABLE(wisp_app, _id) = {                                           \
		.name = _name,                                                                     \
		.data = &_CONCAT(_id, _data),                                                      \
		.stack = _CONCAT(_id, _stack_area),                                                \
		.stack_size = K_KERNEL_STACK_SIZEOF(_CONCAT(_id, _stack_area)),                    \
		.arena = _CONCAT(_id, _arena),                                                     \
		.arena_size = sizeof(_CONCAT(_id, _arena)),                                        \
		Z_WISP_USER(_id, _memory)                                                          \
		.memory_size = _memory,                                                            \
		.frame_size = _frame,                                                              \
		.priority = MIN(_priority, K_LOWEST_APPLICATION_THREAD_PRIO),                      \
		.heartbeat_ms = _heartbeat,                                                        \
		.limits = {__VA_ARGS__},                                                           \
		.grants = _grants,                                                                 \
	}
/* clang-format on */

#define Z_WISP_LIMITS                                                                              \
	.table_size = CONFIG_WISP_TABLE_SIZE, .call_depth = CONFIG_WISP_CALL_DEPTH,                \
	.max_imports = CONFIG_WISP_MAX_IMPORTS, .max_functions = CONFIG_WISP_MAX_FUNCTIONS,        \
	.fuel = CONFIG_WISP_FUEL, .max_run_ms = CONFIG_WISP_MAX_RUN_MS

#define Z_WISP_LIMITS_DT(_node_id)                                                                 \
	.table_size = DT_PROP_OR(_node_id, table_size, CONFIG_WISP_TABLE_SIZE),                    \
	.call_depth = DT_PROP_OR(_node_id, call_depth, CONFIG_WISP_CALL_DEPTH),                    \
	.max_imports = DT_PROP_OR(_node_id, max_imports, CONFIG_WISP_MAX_IMPORTS),                 \
	.max_functions = DT_PROP_OR(_node_id, max_functions, CONFIG_WISP_MAX_FUNCTIONS),           \
	.fuel = DT_PROP_OR(_node_id, fuel, CONFIG_WISP_FUEL),                                      \
	.max_run_ms = DT_PROP_OR(_node_id, max_run_ms, CONFIG_WISP_MAX_RUN_MS)

#define Z_WISP_APP_DT_NAME(_node_id) _CONCAT(wisp_app_dt_, DT_DEP_ORD(_node_id))

#define Z_WISP_APP_DT_DECLARE(_node_id) extern const struct wisp_app Z_WISP_APP_DT_NAME(_node_id);

#define Z_WISP_APPS_DT_DECLARE(_node_id)                                                           \
	DT_FOREACH_CHILD_STATUS_OKAY(_node_id, Z_WISP_APP_DT_DECLARE)

DT_FOREACH_STATUS_OKAY(wisp_apps, Z_WISP_APPS_DT_DECLARE)

/** @endcond */

/**
 * @brief Defines an app without peripherals.
 *
 * Its frames, native stack, priority and limits are those of the configuration. An app with
 * grants is a devicetree node and needs no definition in C.
 *
 * @param _id Identifier of the `const struct wisp_app`.
 * @param _name Its name, a string.
 * @param _memory Most linear memory in bytes.
 */
#define WISP_APP_DEFINE(_id, _name, _memory)                                                       \
	Z_WISP_APP_DEFINE(_id, _name, _memory, CONFIG_WISP_FRAME_SIZE, CONFIG_WISP_INSTANCE_SIZE,  \
			  CONFIG_WISP_STACK_SIZE, CONFIG_WISP_PRIORITY, 0, NULL, Z_WISP_LIMITS)

/**
 * @brief The app of a devicetree node.
 *
 * @param _node_id Node identifier of a child of a `wisp,apps` node.
 *
 * @return Pointer to the app.
 */
#define WISP_APP_DT_GET(_node_id) (&Z_WISP_APP_DT_NAME(_node_id))

/**
 * @brief Finds an app by name.
 *
 * @param name Name of the devicetree node, or what WISP_APP_DEFINE() was given.
 *
 * @return The app, or NULL.
 */
const struct wisp_app *wisp_app_find(const char *name);

/**
 * @brief Finds an image in the firmware.
 *
 * @param name What wisp_add_app() was given.
 *
 * @return The image, or NULL.
 */
const struct wisp_image *wisp_image_find(const char *name);

/**
 * @brief Gives an app the image it is to run.
 *
 * The image is used in place: it must stay readable and unchanged until another one is
 * loaded.
 *
 * @param app An app that is not running.
 * @param image The image, 8-aligned.
 * @param size Its bytes.
 *
 * @retval 0 Loaded.
 * @retval -EBUSY The app is running.
 * @retval -ENOEXEC This is not an image, or it is damaged or of another version.
 * @retval -EINVAL The image is not 8-aligned.
 */
int wisp_app_load(const struct wisp_app *app, const void *image, size_t size);

/**
 * @brief Gives an app an image of the firmware.
 *
 * @param app An app that is not running.
 * @param name What wisp_add_app() was given.
 *
 * @retval 0 Loaded.
 * @retval -ENOENT There is no such image.
 * @retval -EBUSY The app is running.
 * @retval -ENOEXEC The image is damaged.
 */
int wisp_app_load_embedded(const struct wisp_app *app, const char *name);

#if defined(CONFIG_WISP_NATIVE_USER_MODE) || defined(__DOXYGEN__)
/**
 * @brief Notes that the current thread has faulted, if it runs native code of an app.
 *
 * For a k_sys_fatal_error_handler() of the firmware, which returns if this gives true: the app
 * then ends with WISP_TRAP_MEMORY_PROTECTION. Available with CONFIG_WISP_NATIVE_USER_MODE.
 *
 * @param reason What the handler was called with.
 * @param esf What the handler was called with.
 *
 * @return Whether it is an app that has failed, and nothing else.
 */
bool wisp_native_fault(unsigned int reason, const struct arch_esf *esf);
#endif

/**
 * @brief Limits the work of an app's next runs.
 *
 * One unit is one call or one turn of a loop. An app that uses its fuel up traps with
 * WISP_TRAP_OUT_OF_FUEL.
 *
 * @param app The app.
 * @param fuel Units for each run, or WISP_FUEL_UNLIMITED.
 */
void wisp_app_set_fuel(const struct wisp_app *app, uint64_t fuel);

/**
 * @brief Limits the time that an app's next runs may take without blocking.
 *
 * The time from its start, or from the end of a blocking host function, to the beginning of
 * the next one; the start function of its module counts, and so does the time in which
 * threads of higher priority run. An app that takes longer traps with
 * WISP_TRAP_DEADLINE_EXCEEDED. Exists with @kconfig{CONFIG_WISP_DEADLINE}.
 *
 * @param app The app.
 * @param milliseconds Longest time, or 0 for no limit.
 */
void wisp_app_set_max_run(const struct wisp_app *app, uint32_t milliseconds);

#if CONFIG_WISP_ARGS_SIZE > 0 || defined(__DOXYGEN__)
/**
 * @brief Sets the arguments of an app's next runs, in place of those of its devicetree node.
 *
 * The strings are copied. Exists if CONFIG_WISP_ARGS_SIZE is not 0.
 *
 * @param app An app that is not running.
 * @param count Number of arguments behind the app's name.
 * @param args The arguments.
 *
 * @retval 0 Set.
 * @retval -ENOSPC They take more than CONFIG_WISP_ARGS_SIZE bytes with their ends.
 * @retval -EBUSY The app is running.
 */
int wisp_app_set_args(const struct wisp_app *app, size_t count, const char *const *args);

/**
 * @brief Sets the environment of an app's next runs, in place of that of its devicetree node.
 *
 * The strings are copied. Exists if CONFIG_WISP_ARGS_SIZE is not 0.
 *
 * @param app An app that is not running.
 * @param count Number of variables.
 * @param variables The variables, each as NAME=VALUE.
 *
 * @retval 0 Set.
 * @retval -EINVAL One of them has no name or no equals sign.
 * @retval -ENOSPC They take more than CONFIG_WISP_ARGS_SIZE bytes with their ends.
 * @retval -EBUSY The app is running.
 */
int wisp_app_set_env(const struct wisp_app *app, size_t count, const char *const *variables);
#endif

/**
 * @brief Starts an app.
 *
 * Returns at once; the image is checked, instantiated and run in the app's thread.
 * wisp_app_status() tells what became of it.
 *
 * @param app An app with an image.
 *
 * @retval 0 Started.
 * @retval -ENOENT The app has no image.
 * @retval -EALREADY The app is running.
 */
int wisp_app_start(const struct wisp_app *app);

/**
 * @brief Tells an app to end.
 *
 * Guest code ends at its next call or turn of a loop, a blocking host function at once.
 * Returns without waiting for it: see wisp_app_join().
 *
 * @param app The app.
 *
 * @retval 0 It will end.
 * @retval -EALREADY It is not running.
 */
int wisp_app_stop(const struct wisp_app *app);

/**
 * @brief Waits until an app is not running.
 *
 * @param app The app.
 * @param timeout How long to wait.
 *
 * @retval 0 It is not running.
 * @retval -EBUSY It runs, and the timeout is K_NO_WAIT.
 * @retval -EAGAIN It still runs after the timeout.
 * @retval -EDEADLK Called by the app itself.
 */
int wisp_app_join(const struct wisp_app *app, k_timeout_t timeout);

/**
 * @brief Tells the state of an app and the outcome of its last run.
 *
 * @param app The app.
 * @param status Filled in.
 */
void wisp_app_status(const struct wisp_app *app, struct wisp_app_status *status);

/**
 * @brief Tells the most that an app has used since boot.
 *
 * @param app The app.
 * @param usage Filled in.
 */
void wisp_app_usage(const struct wisp_app *app, struct wisp_app_usage *usage);

/** @brief A run that failed. */
struct wisp_failure {
	/** The app. */
	const struct wisp_app *app;
	/** When it ended, milliseconds since boot. */
	int64_t uptime_ms;
	/** How it ended. */
	struct wisp_app_status status;
};

/**
 * @brief Tells of recent runs that failed, of all apps.
 *
 * The last CONFIG_WISP_RECENT_FAILURES are kept in RAM; restarting an app does not
 * forget them.
 *
 * @param index 0 for the last one, 1 for the one before it, and so on.
 * @param failure Filled in.
 *
 * @retval 0 Done.
 * @retval -ENOENT There are not so many.
 */
int wisp_failure_get(uint32_t index, struct wisp_failure *failure);

/**
 * @brief How many runs have failed since boot, of all apps.
 *
 * @return Their number.
 */
uint32_t wisp_failure_count(void);

/**
 * @brief The name of an app.
 *
 * @param app The app.
 *
 * @return Its name.
 */
const char *wisp_app_name(const struct wisp_app *app);

/**
 * @brief A trap in words.
 *
 * @param trap The trap.
 *
 * @return A few words, in flash.
 */
const char *wisp_trap_text(enum wisp_trap trap);

/** @} */

#ifdef __cplusplus
}
#endif

#endif /* WISP_INCLUDE_WISP_WISP_H_ */
