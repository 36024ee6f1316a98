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

#include <wisp/app.h>
#include <wisp/host_function.h>
#include <wisp/trap.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * @defgroup wisp Wisp
 * @brief WebAssembly apps in sandboxes.
 *
 * A `struct wisp_app` is a slot in which an image can run: a thread, an arena and grants. Apps
 * are defined at build time, by a child of a `wisp,apps` devicetree node or by
 * WISP_APP_DEFINE(). An app runs one image at a time, any number of times. If it traps or
 * computes without end, the other apps and the firmware continue.
 *
 * Unless a function says otherwise, it may be called from any thread in supervisor mode, does
 * not block, and must not be called from an interrupt. A function keeps no pointer that it is
 * given, except for the image of wisp_app_load().
 * @{
 */

/** @brief State of an app and the outcome of its last run. */
struct wisp_app_status {
	/** Present state. */
	enum wisp_app_state state;
	/**
	 * Reason of WISP_APP_FAILED, a negative error number:
	 * - -ENOEXEC: the image is damaged, or has no native code that may run here.
	 * - -ENOTSUP: the image imports a function that the firmware does not have, or needs a
	 *   feature that the firmware is built without.
	 * - -ENOMEM: the image needs more memory than the app has.
	 * - -E2BIG: the image has more imports, functions or table elements than the app may
	 *   have.
	 * - -ENOENT: the image exports neither `_start` nor `_initialize`.
	 * - -EFAULT: Zephyr aborted the app's thread, because it faulted in a driver, and the
	 *   firmware's k_sys_fatal_error_handler() returned.
	 */
	int error;
	/** Reason of WISP_APP_TRAPPED. */
	enum wisp_trap trap;
	/**
	 * Function in which the app trapped: its index among those that the image defines, or
	 * UINT32_MAX if the trap occurred outside of the image's code.
	 */
	uint32_t function;
	/** Place of the trap: byte offset in the image's code section. */
	uint32_t offset;
	/**
	 * Image that trapped, for `wisp symbolize`: the first four bytes of the SHA-256 of its
	 * module.
	 */
	uint32_t image_wasm;
	/** Length of that image's code section in bytes, for `wisp symbolize`. */
	uint32_t image_code;
	/** Status of WISP_APP_EXITED: that of `proc_exit`, or 0 if the guest returned. */
	int exit_status;
	/** Fuel that the last run used, or 0 if it had no limit. */
	uint64_t fuel_used;
	/** Bytes of the arena that the last run used. */
	uint32_t arena_used;
	/** Bytes of linear memory in arena_used. */
	uint32_t memory_used;
	/** True if the last run executed native code, false if it executed IR. */
	bool native;
};

/** @brief Image that is part of the firmware. wisp_add_app() in CMake makes one. */
struct wisp_image {
	/** Name given to wisp_add_app(). */
	const char *name;
	/** Bytes of the image, aligned to 8. */
	const uint8_t *data;
	/** Length of the image in bytes. */
	size_t size;
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
	/* It has sent a request that was not answered yet. */
	bool asking;
	bool faulted;
};
#endif

/* What was taken of a budget: see src/app/rate.h. */
struct wisp_rate {
	int64_t at_ms;
	uint32_t level;
};

#if CONFIG_WISP_ARGS_SIZE > 0
/* Strings one behind the other, each with its NUL, and one NUL more where they are saved. */
struct wisp_strings {
	char text[CONFIG_WISP_ARGS_SIZE + 1];
	size_t size;
	bool set;
};
#endif

#ifdef CONFIG_WISP_TIMES
/* Times of the present or last run. The end is 0 while it goes on. */
struct wisp_times {
	int64_t began; /* In ticks since boot. */
	int64_t ended;
	uint64_t cycles;
	uint64_t host_cycles;
	uint32_t wakeups;
	uint32_t depth; /* Host functions under way. */
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
#ifdef CONFIG_WISP_TRANSLATE
	/* The app's part of the memory for machine code. */
	uint32_t code_begin;
	uint32_t code_size;
#endif
#if CONFIG_WISP_ARGS_SIZE > 0
	struct wisp_strings args;
	struct wisp_strings env;
	/* Saved strings were looked for. */
	bool args_loaded;
#endif
	uint64_t fuel;
	/* In ticks since boot, or 0 while the app blocks or has none. */
	int64_t deadline;
	uint32_t max_run_ms;
	struct wisp_app_status status;
	struct wisp_app_usage most;
	/* Lines of the log, and bytes of stored values. They outlive runs. */
	struct wisp_rate log_rate;
	struct wisp_rate kv_rate;
	uint32_t log_dropped; /* Lines dropped since the last one that was logged. */
	int watchdog;
#ifdef CONFIG_WISP_SPI
	const void *spi_held; /* SPI device whose bus a transaction keeps, or NULL. */
#endif
	/* Outputs that the app set last to another value than 0, one bit for each. */
#ifdef CONFIG_WISP_PWM
	uint32_t pwm_active;
#endif
#ifdef CONFIG_WISP_DAC
	uint32_t dac_active;
#endif
	bool missed;
	bool has_fuel;
	bool has_max_run;
	/* In this run, the guest asked for something that its node does not grant. */
	bool denied;
	bool created;
	bool releasing; /* After a fault, the thread releases what the app had open. */
	bool stopping;
	bool expired; /* The stop is that of the deadline. */
#ifdef CONFIG_WISP_TIMES
	struct wisp_times times;
#endif
#ifdef CONFIG_WISP_DEBUG
	bool has_steps; /* The image of this run was built for a debugger. */
#endif
};

/** @endcond */

/** @brief App. All members are private. */
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
/* The window follows the linear memory, so that it is aligned if it is not the larger one. */
#define Z_WISP_USER_MEMORY(_memory, _records)                                                      \
	MAX(Z_WISP_REGION(_memory), Z_WISP_USER_WINDOW(_records))
#define Z_WISP_REGION_ALIGN(_memory, _records) Z_WISP_USER_MEMORY(_memory, _records)
#else
#define Z_WISP_REGION(_bytes)                  ROUND_UP(_bytes, 64)
#define Z_WISP_USER_MEMORY(_memory, _records)  Z_WISP_REGION(_memory)
#define Z_WISP_REGION_ALIGN(_memory, _records) 64
#endif

#ifdef CONFIG_WISP_INTERPRETER_USER_MODE
/* The window also has frames, and a copy of the records of an instance. */
#define Z_WISP_USER_WINDOW(_records) Z_WISP_REGION(CONFIG_WISP_NATIVE_USER_SIZE + (_records))
/* Arguments and results of calls by the host. */
#define Z_WISP_ARENA_FRAME(_frame)   256
#else
#define Z_WISP_USER_WINDOW(_records) Z_WISP_REGION(CONFIG_WISP_NATIVE_USER_SIZE)
#define Z_WISP_ARENA_FRAME(_frame)   (_frame)
#endif

#define Z_WISP_USER_DEFINE(_id, _memory, _records)                                                 \
	static K_THREAD_STACK_DEFINE(_CONCAT(_id, _user_stack),                                    \
				     CONFIG_WISP_NATIVE_USER_STACK_SIZE);                          \
	static __noinit __aligned(Z_WISP_REGION_ALIGN(_memory, _records)) uint64_t _CONCAT(        \
		_id, _user_memory)[(Z_WISP_USER_MEMORY(_memory, _records) +                        \
				    Z_WISP_USER_WINDOW(_records)) /                                \
				   sizeof(uint64_t)];
#define Z_WISP_USER(_id, _memory, _records)                                                        \
	.user_stack = _CONCAT(_id, _user_stack),                                                   \
	.user_stack_size = K_THREAD_STACK_SIZEOF(_CONCAT(_id, _user_stack)),                       \
	.user_memory = _CONCAT(_id, _user_memory),                                                 \
	.user_memory_size = Z_WISP_USER_MEMORY(_memory, _records),                                 \
	.user_window_size = Z_WISP_USER_WINDOW(_records),
#define Z_WISP_ARENA_MEMORY(_memory) 0

#else

#define Z_WISP_USER_DEFINE(_id, _memory, _records)
#define Z_WISP_USER(_id, _memory, _records)
#define Z_WISP_ARENA_FRAME(_frame)   (_frame)
#define Z_WISP_ARENA_MEMORY(_memory) (_memory)

#endif /* CONFIG_WISP_NATIVE_USER_MODE */

/*
 * Instance records, globals and tables of a module beside its memory and frames, and the
 * most that aligning them costs.
 */
#define Z_WISP_ARENA_WORDS(_memory, _frame, _instance)                                             \
	(DIV_ROUND_UP(Z_WISP_ARENA_MEMORY(_memory) + Z_WISP_ARENA_FRAME(_frame) + (_instance),     \
		      sizeof(uint64_t)))

/* The limits follow as initializers. */
/* clang-format off */
#define Z_WISP_APP_DEFINE(_id, _name, _memory, _frame, _instance, _stack, _priority, _heartbeat,   \
			  _grants, ...)                                                            \
	Z_WISP_USER_DEFINE(_id, _memory, (_frame) + (_instance))                                   \
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
		Z_WISP_USER(_id, _memory, (_frame) + (_instance))                                  \
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
 * Frames, native stack, priority and limits of the app are those of the configuration. An app with
 * grants is a devicetree node and needs no definition in C.
 *
 * @param _id Identifier of the `const struct wisp_app`.
 * @param _name Name of the app, a string literal.
 * @param _memory Largest linear memory in bytes.
 */
#define WISP_APP_DEFINE(_id, _name, _memory)                                                       \
	Z_WISP_APP_DEFINE(_id, _name, _memory, CONFIG_WISP_FRAME_SIZE, CONFIG_WISP_INSTANCE_SIZE,  \
			  CONFIG_WISP_STACK_SIZE, CONFIG_WISP_PRIORITY, 0, NULL, Z_WISP_LIMITS)

/**
 * @brief Gets the app of a devicetree node.
 *
 * @param _node_id Node identifier of a child of a `wisp,apps` node.
 *
 * @return Pointer to the `const struct wisp_app`, a constant expression.
 */
#define WISP_APP_DT_GET(_node_id) (&Z_WISP_APP_DT_NAME(_node_id))

/**
 * @brief Finds an image that is part of the firmware.
 *
 * May be called from interrupts.
 *
 * @param name Name given to wisp_add_app() in CMake. NUL-terminated.
 *
 * @return The image, or NULL if there is none of this name.
 */
const struct wisp_image *wisp_image_find(const char *name);

#if defined(CONFIG_WISP_NATIVE_USER_MODE) || defined(__DOXYGEN__)
/**
 * @brief Records that the current thread has faulted, if it runs native code of an app.
 *
 * For a k_sys_fatal_error_handler() of the firmware, which calls this function and returns if the
 * result is true. The app then ends with WISP_TRAP_MEMORY_PROTECTION. Available with
 * @kconfig{CONFIG_WISP_NATIVE_USER_MODE}.
 *
 * May be called from interrupts and from the fatal error handler only.
 *
 * @param reason Reason that the handler was called with.
 * @param esf Exception frame that the handler was called with.
 *
 * @retval true An app's native code has failed, and nothing else.
 * @retval false Another part of the system has failed.
 */
bool wisp_native_fault(unsigned int reason, const struct arch_esf *esf);
#endif

#if CONFIG_WISP_ARGS_SIZE > 0 || defined(__DOXYGEN__)
/**
 * @brief Sets the arguments of the next runs of an app, in place of those of its devicetree node.
 *
 * The strings are copied. Available if @kconfig{CONFIG_WISP_ARGS_SIZE} is not 0.
 *
 * @param app App that is not running.
 * @param count Number of arguments. The name of the app, which is argument 0, is not among them.
 * @param args Arguments, NUL-terminated.
 *
 * @retval 0 The arguments were set.
 * @retval -ENOSPC The arguments with their NULs take more than @kconfig{CONFIG_WISP_ARGS_SIZE}
 *         bytes.
 * @retval -EBUSY The app is running.
 */
int wisp_app_set_args(const struct wisp_app *app, size_t count, const char *const *args);

/**
 * @brief Sets the environment of the next runs of an app, in place of that of its devicetree node.
 *
 * The strings are copied. Available if @kconfig{CONFIG_WISP_ARGS_SIZE} is not 0.
 *
 * @param app App that is not running.
 * @param count Number of variables.
 * @param variables Variables, each as NAME=VALUE, NUL-terminated.
 *
 * @retval 0 The environment was set.
 * @retval -EINVAL A variable has no name or no equals sign.
 * @retval -ENOSPC The variables with their NULs take more than @kconfig{CONFIG_WISP_ARGS_SIZE}
 *         bytes.
 * @retval -EBUSY The app is running.
 */
int wisp_app_set_env(const struct wisp_app *app, size_t count, const char *const *variables);

/**
 * @brief Returns an argument of an app's next run, from 0 for the one behind the app's name.
 *
 * @return The argument, valid until arguments are set, or NULL if there are fewer.
 */
const char *wisp_app_arg(const struct wisp_app *app, size_t index);

/**
 * @brief Returns an environment variable of an app's next run, from 0, as NAME=VALUE.
 *
 * @return The variable, valid until the environment is set, or NULL if there are fewer.
 */
const char *wisp_app_env(const struct wisp_app *app, size_t index);

/**
 * @brief Goes back to the arguments and the environment of an app's devicetree node.
 *
 * Strings that wisp_app_save_args() stored are deleted.
 *
 * @param app An app that is not running.
 *
 * @retval 0 Done.
 * @retval -EBUSY The app is running.
 * @retval <0 The error of the settings, if the strings could not be deleted.
 */
int wisp_app_reset_args(const struct wisp_app *app);

/**
 * @brief Stores the arguments and the environment that were set, so that they outlive a reboot.
 *
 * They are settings below wisp_args/ and the app's name, and are read when the app is first
 * started or asked for them. Blocks until they are written.
 *
 * @param app The app.
 *
 * @retval 0 Stored.
 * @retval -ENOTSUP The firmware has no CONFIG_WISP_ARGS_SAVED.
 * @retval <0 The error of the settings.
 */
int wisp_app_save_args(const struct wisp_app *app);
#endif

/**
 * @brief Waits until an app is not running.
 *
 * Blocks for up to the timeout. After a fault of the app's thread, and once wisp_app_status() has
 * reported it, the function waits until the thread has released what the app had open.
 *
 * @param app App.
 * @param timeout Longest time to wait.
 *
 * @retval 0 The app is not running.
 * @retval -EBUSY The app is running or being released, and the timeout is K_NO_WAIT.
 * @retval -EAGAIN The app is still running or being released after the timeout.
 * @retval -EDEADLK The app itself called this function through a host function.
 */
int wisp_app_join(const struct wisp_app *app, k_timeout_t timeout);

/**
 * @brief Reads the state of an app and the outcome of its last run.
 *
 * @param app App.
 * @param[out] status State and outcome.
 */
void wisp_app_status(const struct wisp_app *app, struct wisp_app_status *status);

/** @brief Run that has failed. */
struct wisp_failure {
	/** App that failed. */
	const struct wisp_app *app;
	/** Time of its end, in milliseconds since boot. */
	int64_t uptime_ms;
	/** Outcome of the run. */
	struct wisp_app_status status;
};

/**
 * @brief Reads one of the recent runs that have failed, of all apps.
 *
 * The last @kconfig{CONFIG_WISP_RECENT_FAILURES} failures are kept in RAM. They outlive restarts
 * of apps, but not a reboot. May be called from interrupts.
 *
 * @param index 0 for the last failure, 1 for the one before it, and so on.
 * @param[out] failure Failed run.
 *
 * @retval 0 The failure was read.
 * @retval -ENOENT Fewer runs than that have failed, or are kept.
 */
int wisp_failure_get(uint32_t index, struct wisp_failure *failure);

/**
 * @brief Counts the runs that have failed since boot, of all apps.
 *
 * May be called from interrupts.
 *
 * @return Number of runs, or 0 if @kconfig{CONFIG_WISP_RECENT_FAILURES} is 0.
 */
uint32_t wisp_failure_count(void);

/** @} */

#ifdef __cplusplus
}
#endif

#endif /* WISP_INCLUDE_WISP_WISP_H_ */
