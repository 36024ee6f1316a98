/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Native code of images: decides which code may run, and stops code that does not read its stop
 * flag.
 *
 * The system work queue preempts the app's thread and reads the program counter that the kernel
 * saved. If it is in the app's code, it is replaced by the address of the runtime's trap entry.
 * Otherwise the thread is in the host. A host function that waits ends because of the stop signal,
 * and the next host function or helper that the code calls ends the code. Until then, the attempt
 * is repeated with each tick.
 */

#include <zephyr/kernel.h>
#include <zephyr/logging/log.h>

#include "native/native.h"
#include "native/preempted.h"
#include "storage/public_keys.h"
#ifdef CONFIG_WISP_STORAGE
#include "storage/images.h"
#include "storage/storage.h"
#endif

LOG_MODULE_DECLARE(wisp, CONFIG_WISP_LOG_LEVEL);

/* Bit of the instruction set, as in rust/image/src/native.rs. */
#define THUMB_DSP 2

static bool is_embedded(const uint8_t *image, size_t size)
{
	STRUCT_SECTION_FOREACH(wisp_image, embedded) {
		if (image == embedded->data && size <= embedded->size) {
			return true;
		}
	}
	return false;
}

bool wisp_native_reaches(const uint8_t *image, size_t size)
{
#if defined(CONFIG_ARCH_POSIX)
	/* Only the code of this program is executable. */
	extern const uint8_t __executable_start[];
	extern const uint8_t etext[];

	return image >= __executable_start && image + size <= etext;
#elif defined(CONFIG_ARM_MPU) && defined(CONFIG_XIP)
	/* All other memory is mapped as data. */
	const uint8_t *flash = (const uint8_t *)CONFIG_FLASH_BASE_ADDRESS;

	return image >= flash && image + size <= flash + CONFIG_FLASH_SIZE * 1024;
#else
	ARG_UNUSED(image);
	ARG_UNUSED(size);
	return true;
#endif
}

static bool is_signed(const uint8_t *image, size_t size)
{
#ifdef CONFIG_WISP_SIGNATURE
	struct wisp_signers signers = {
		.keys = wisp_public_keys,
		.key_count = wisp_public_key_count,
		.roots = wisp_root_keys,
		.root_count = wisp_root_key_count,
		.compilers = wisp_compile_keys,
		.compiler_count = wisp_compile_key_count,
	};
#ifdef CONFIG_WISP_STORAGE
	uint8_t retired[8 * WISP_STORE_RETIRED_MAX];

	/* Installed images continue to run after their key was retired. */
	if (!wisp_images_hold(image)) {
		if (wisp_storage_retired(retired, &signers.retired_count) != 0) {
			LOG_ERR("retired keys are not known: the app storage could not be opened");
			return false;
		}
		signers.retired = retired;
	}
#endif
	return wisp_rust_signed(image, size, &signers);
#else
	ARG_UNUSED(image);
	ARG_UNUSED(size);
	return false;
#endif
}

enum wisp_native wisp_native_decide(const struct wisp_app *app, const uint8_t *image, size_t size)
{
	if (!wisp_rust_has_native(image, size)) {
		return WISP_NATIVE_UNSIGNED;
	}
	/* Checking the signature takes long, so it is checked only if the code needs it. */
	return wisp_shim_native_allowed(
		app, image, size,
		wisp_native_reaches(image, size) &&
			(is_embedded(image, size) || is_signed(image, size)));
}

uint32_t wisp_shim_native_allowed(const struct wisp_app *app, const uint8_t *image, size_t size,
				  bool trusted)
{
	if (!wisp_native_reaches(image, size)) {
		return WISP_NATIVE_NOT_EXECUTABLE;
	}
	if (trusted) {
		return WISP_NATIVE_ALLOWED;
	}
	if (IS_ENABLED(CONFIG_WISP_NATIVE_UNSIGNED_DEVELOPMENT_ONLY)) {
		LOG_WRN("%s: runs native code that nobody signed: "
			"CONFIG_WISP_NATIVE_UNSIGNED_DEVELOPMENT_ONLY",
			app->name);
		return WISP_NATIVE_ALLOWED;
	}
	return WISP_NATIVE_UNSIGNED;
}

bool wisp_shim_native_stop(void)
{
	return IS_ENABLED(CONFIG_WISP_NATIVE_STOP_ASYNC);
}

uint8_t wisp_shim_native_features(void)
{
#ifdef __ARM_FEATURE_DSP
	return THUMB_DSP;
#else
	return 0;
#endif
}

void wisp_native_prepare(const struct wisp_app *app, struct wisp_run *run)
{
	run->native = app->data->native;
	run->native_stop = wisp_shim_native_stop();
#ifndef CONFIG_ARCH_POSIX
	/* On native_sim, threads run on large stacks of the operating system. */
	run->native_limit =
		(uintptr_t)K_KERNEL_STACK_BUFFER(app->stack) + CONFIG_WISP_NATIVE_STACK_RESERVE;
#endif
	run->native_features = wisp_shim_native_features();
#ifdef CONFIG_WISP_NATIVE_USER_MODE
	wisp_user_prepare(app, run);
#endif
}

#if defined(CONFIG_WISP_NATIVE_USER_MODE)

/* user.c stops native code in user mode. */

#elif defined(CONFIG_WISP_NATIVE_STOP_ASYNC)

/* The thread goes on at the program counter that was written. */
static void redirected(struct k_thread *thread)
{
#ifdef CONFIG_CPU_CORTEX_M
	struct wisp_frame *frame = (struct wisp_frame *)thread->callee_saved.psp;

	/* Set Thumb state, and clear the state of an IT block. */
	frame->pc &= ~(uintptr_t)1;
	frame->xpsr = (frame->xpsr & BIT(9)) | BIT(24);
#else
	ARG_UNUSED(thread);
#endif
}

/* Returns true if another attempt is needed. The caller holds the app's lock. */
static bool stop(struct wisp_app_data *data)
{
	struct wisp_preempted place;
	uintptr_t unknown = 0;
	bool known = wisp_preempted_find(&data->thread, &place);

	if (!known) {
		place.pc = &unknown;
		place.argument = &unknown;
	}
	switch (wisp_rust_redirect(data->stop_flag, place.pc, place.argument)) {
	case WISP_REDIRECT_DONE:
		redirected(&data->thread);
		return false;
	case WISP_REDIRECT_LATER:
		return true;
	default:
		return false;
	}
}

static void stop_work(struct k_work *work)
{
	struct k_work_delayable *delayable = k_work_delayable_from_work(work);
	struct wisp_app_data *data = CONTAINER_OF(delayable, struct wisp_app_data, native_stop);
	bool again = false;

	K_SPINLOCK(&data->lock) {
		if (data->stop_flag != NULL && data->created) {
			again = stop(data);
		}
	}
	if (again) {
		(void)k_work_reschedule(delayable, K_TICKS(1));
	}
}

void wisp_native_stop(const struct wisp_app *app)
{
	struct k_work_delayable *delayable = &app->data->native_stop;

	if (delayable->work.handler == NULL) {
		k_work_init_delayable(delayable, stop_work);
	}
	(void)k_work_reschedule(delayable, K_NO_WAIT);
}

void wisp_native_forget(const struct wisp_app *app)
{
	if (app->data->stop_flag != NULL) {
		wisp_rust_forget(app->data->stop_flag);
	}
}

#else

void wisp_native_forget(const struct wisp_app *app)
{
	ARG_UNUSED(app);
}

void wisp_native_stop(const struct wisp_app *app)
{
	ARG_UNUSED(app);
}

#endif /* CONFIG_WISP_NATIVE_USER_MODE */
