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
	/** The guest trapped. */
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
	 * what the firmware does not have. -ENOMEM: it needs more memory than the app has.
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
	/** WISP_APP_EXITED: the status the guest ended with, 0 if it returned. */
	int exit_status;
	/** Fuel used by the last run; 0 if it had no limit. */
	uint64_t fuel_used;
	/** Bytes of the arena that the last run used. */
	uint32_t arena_used;
	/** Bytes of linear memory among them. */
	uint32_t memory_used;
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

/** @cond INTERNAL_HIDDEN */

struct wisp_grants;

struct wisp_app_data {
	struct k_thread thread;
	struct k_spinlock lock;
	struct k_poll_signal stop;
	void *stop_flag;
	const uint8_t *image;
	size_t image_size;
	uint64_t fuel;
	struct wisp_app_status status;
	bool has_fuel;
	bool created;
	bool stopping;
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
	uint32_t memory_size;
	uint32_t frame_size;
	int priority;
	const struct wisp_grants *grants;
	/** @endcond */
};

/** @cond INTERNAL_HIDDEN */

/*
 * Instance records, globals and tables of a module beside its memory and frames, and the
 * most that aligning them costs.
 */
#define Z_WISP_ARENA_WORDS(_memory, _frame)                                                        \
	(DIV_ROUND_UP((_memory) + (_frame) + CONFIG_WISP_INSTANCE_SIZE, sizeof(uint64_t)))

#define Z_WISP_APP_DEFINE(_id, _name, _memory, _frame, _stack, _priority, _grants)                 \
	static K_KERNEL_STACK_DEFINE(_CONCAT(_id, _stack_area), _stack);                           \
	static __noinit uint64_t _CONCAT(_id, _arena)[Z_WISP_ARENA_WORDS(_memory, _frame)];        \
	static struct wisp_app_data _CONCAT(_id, _data);                                           \
	const STRUCT_SECTION_ITERABLE(wisp_app, _id) = {                                           \
		.name = _name,                                                                     \
		.data = &_CONCAT(_id, _data),                                                      \
		.stack = _CONCAT(_id, _stack_area),                                                \
		.stack_size = K_KERNEL_STACK_SIZEOF(_CONCAT(_id, _stack_area)),                    \
		.arena = _CONCAT(_id, _arena),                                                     \
		.arena_size = sizeof(_CONCAT(_id, _arena)),                                        \
		.memory_size = _memory,                                                            \
		.frame_size = _frame,                                                              \
		.priority = _priority,                                                             \
		.grants = _grants,                                                                 \
	}

#define Z_WISP_APP_DT_NAME(_node_id) _CONCAT(wisp_app_dt_, DT_DEP_ORD(_node_id))

#define Z_WISP_APP_DT_DECLARE(_node_id) extern const struct wisp_app Z_WISP_APP_DT_NAME(_node_id);

#define Z_WISP_APPS_DT_DECLARE(_node_id)                                                           \
	DT_FOREACH_CHILD_STATUS_OKAY(_node_id, Z_WISP_APP_DT_DECLARE)

DT_FOREACH_STATUS_OKAY(wisp_apps, Z_WISP_APPS_DT_DECLARE)

/** @endcond */

/**
 * @brief Defines an app without peripherals.
 *
 * Its frames, native stack and priority are those of the configuration. An app with
 * grants is a devicetree node and needs no definition in C.
 *
 * @param _id Identifier of the `const struct wisp_app`.
 * @param _name Its name, a string.
 * @param _memory Most linear memory in bytes.
 */
#define WISP_APP_DEFINE(_id, _name, _memory)                                                       \
	Z_WISP_APP_DEFINE(_id, _name, _memory, CONFIG_WISP_FRAME_SIZE, CONFIG_WISP_STACK_SIZE,     \
			  CONFIG_WISP_PRIORITY, NULL)

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
