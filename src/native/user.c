/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Native code and interpreters in user mode.
 *
 * Each entry into an app's code is a user thread. It can write the app's linear memory, the
 * window with its record, and its stack. The app's thread waits for its system calls, does what
 * they request, and returns the result. So host functions run as always, with the stack, the
 * priority and the stop signal of the app's thread. Nothing that the user thread can write is
 * trusted: wisp_rust_serve() checks all of it.
 *
 * A thread that faults or has to stop is aborted wherever it is. It holds no resources, because in
 * the kernel it only waits for the app's thread.
 */

#include <string.h>

#include <zephyr/kernel.h>

#include <zephyr/app_memory/mem_domain.h>
#include <zephyr/fatal.h>
#include <zephyr/internal/syscall_handler.h>
#include <zephyr/logging/log.h>
#include <zephyr/linker/linker-defs.h>
#include <zephyr/logging/log_ctrl.h>

#ifdef CONFIG_CPU_CORTEX_M
#include <cmsis_core.h>
#endif

#include "native/native.h"
#include "native/wisp_user.h"

LOG_MODULE_DECLARE(wisp, CONFIG_WISP_LOG_LEVEL);

/* See src/native/Kconfig. */
BUILD_ASSERT(!IS_ENABLED(CONFIG_RISCV) || CONFIG_PRIVILEGED_STACK_SIZE >= 2048,
	     "user mode on RISC-V needs CONFIG_PRIVILEGED_STACK_SIZE of 2048 or more");

const struct wisp_app *wisp_user_current(void)
{
	STRUCT_SECTION_FOREACH(wisp_app, app) {
		if (_current == &app->data->user.thread) {
			return app;
		}
	}
	return NULL;
}

uint32_t z_impl_wisp_user_request(uintptr_t what, uintptr_t a, uintptr_t b, uintptr_t c,
				  uintptr_t d, uintptr_t e)
{
	struct wisp_user *user = CONTAINER_OF(_current, struct wisp_user, thread);

	user->asking = true;
	user->request[0] = what;
	user->request[1] = a;
	user->request[2] = b;
	user->request[3] = c;
	user->request[4] = d;
	user->request[5] = e;
	k_sem_give(&user->asked);
	(void)k_sem_take(&user->answered, K_FOREVER);
	return user->result;
}

static inline uint32_t z_vrfy_wisp_user_request(uintptr_t what, uintptr_t a, uintptr_t b,
						uintptr_t c, uintptr_t d, uintptr_t e)
{
	K_OOPS(K_SYSCALL_VERIFY_MSG(wisp_user_current() != NULL, "not the native code of an app"));
	return z_impl_wisp_user_request(what, a, b, c, d, e);
}
#include <zephyr/syscalls/wisp_user_request_mrsh.c>

void wisp_user_prepare(const struct wisp_app *app, struct wisp_run *run)
{
	struct wisp_user *user = &app->data->user;
	struct k_mem_partition *parts[ARRAY_SIZE(user->parts)];

	run->user_memory = app->user_memory;
	run->user_memory_size = app->user_memory_size;
	run->user_window = app->user_memory + app->user_memory_size / sizeof(uint64_t);
	run->user_window_size = app->user_window_size;
#ifdef CONFIG_WISP_INTERPRETER_USER_MODE
	run->user_frames = run->frame_size;
	run->frame_size = Z_WISP_ARENA_FRAME(run->frame_size);
#endif
	run->user_stack = (uintptr_t)K_THREAD_STACK_BUFFER(app->user_stack);
	run->user_stack_end = run->user_stack + app->user_stack_size;
#ifdef CONFIG_THREAD_LOCAL_STORAGE
	/* The kernel relies on the top of the stack, so nothing is written there for the code. */
	run->user_stack_end -=
		ROUND_UP((uintptr_t)__tdata_size + (uintptr_t)__tbss_size, ARCH_STACK_PTR_ALIGN);
#endif
	/* Clear what another image left in the memory. */
	memset(run->user_memory, 0, run->user_memory_size + run->user_window_size);
	if (user->prepared) {
		return;
	}
	user->parts[0] = (struct k_mem_partition){
		.start = (uintptr_t)run->user_memory,
		.size = run->user_memory_size,
		.attr = K_MEM_PARTITION_P_RW_U_RW,
	};
	user->parts[1] = (struct k_mem_partition){
		.start = (uintptr_t)run->user_window,
		.size = run->user_window_size,
		.attr = K_MEM_PARTITION_P_RW_U_RW,
	};
	ARRAY_FOR_EACH(parts, i) {
		parts[i] = &user->parts[i];
	}
	if (k_mem_domain_init(&user->domain, ARRAY_SIZE(parts), parts) != 0) {
		LOG_ERR("%s: no memory domain", app->name);
		run->native = WISP_NATIVE_NOT_EXECUTABLE;
		return;
	}
	user->prepared = true;
}

/*
 * Serves the thread until it has ended. When the app has to stop, the answer to the next request
 * is the trap that ends the code.
 */
static uint32_t serve(const struct wisp_app *app, const void *ctx)
{
	struct wisp_app_data *data = app->data;
	struct wisp_user *user = &data->user;
	bool told = false;

	for (;;) {
		(void)k_sem_take(&user->asked, K_FOREVER);
		if (user->faulted) {
			return WISP_USER_FAULTED;
		}
		if (!user->asking || (told && user->request[0] != WISP_USER_ENDED)) {
			return WISP_USER_STOPPED;
		}
		if (user->request[0] == WISP_USER_ENDED) {
			return (user->request[1] == 0) ? WISP_USER_RETURNED : WISP_USER_TRAPPED;
		}
		told = data->stopping;
		user->result = wisp_rust_serve(ctx, user->request);
		user->asking = false;
		k_sem_give(&user->answered);
	}
}

uint32_t wisp_shim_user_enter(const void *env, const void *ctx, const void *record, uint32_t *slots,
			      const uint8_t *function, uintptr_t *pc)
{
	const struct wisp_app *app = env;
	struct wisp_app_data *data = app->data;
	struct wisp_user *user = &data->user;
	bool stopping = false;
	uint32_t outcome;

	if (!user->prepared || !wisp_native_reaches(data->image, data->image_size)) {
		LOG_ERR("%s: user mode does not reach its image", app->name);
		return WISP_USER_FAULTED;
	}
	(void)k_sem_init(&user->asked, 0, K_SEM_MAX_LIMIT);
	(void)k_sem_init(&user->answered, 0, 1);
	user->asking = false;
	user->faulted = false;
	user->pc = 0;
	(void)k_thread_create(&user->thread, app->user_stack, app->user_stack_size, wisp_user_main,
			      (void *)record, slots, (void *)function,
			      k_thread_priority_get(k_current_get()), K_USER, K_FOREVER);
	(void)k_thread_name_set(&user->thread, app->name);
	/* The thread has no heap for system calls. */
	k_thread_heap_assign(&user->thread, NULL);
	(void)k_mem_domain_add_thread(&user->domain, &user->thread);
	k_thread_start(&user->thread);
	K_SPINLOCK(&data->lock) {
		user->runs = true;
		stopping = data->stopping;
	}
	if (stopping) {
		wisp_native_stop(app);
	}
	outcome = serve(app, ctx);
	K_SPINLOCK(&data->lock) {
		user->runs = false;
	}
	k_thread_abort(&user->thread);
	*pc = user->pc;
	return outcome;
}

/* Returns the program counter of a preempted thread that computes in user mode. */
static uintptr_t place_of(const struct k_thread *thread)
{
#ifdef CONFIG_CPU_CORTEX_M
	/* r0 to r3, r12, lr and pc. The processor stored them where the thread can write. */
	return ((const uintptr_t *)thread->callee_saved.psp)[6];
#else
	extern void z_riscv_thread_start(void);

	/* Otherwise the thread yielded. */
	return (thread->callee_saved.ra == (unsigned long)z_riscv_thread_start)
		       ? ((const struct arch_esf *)thread->callee_saved.sp)->mepc
		       : 0;
#endif
}

/*
 * Aborts a thread that computes. A thread that waits for a request gets the trap as its answer,
 * and is checked again after a tick. The app's thread cannot run meanwhile, because this thread
 * has a higher priority.
 */
static void stop_work(struct k_work *work)
{
	struct k_work_delayable *delayable = k_work_delayable_from_work(work);
	struct wisp_app_data *data = CONTAINER_OF(delayable, struct wisp_app_data, native_stop);
	struct wisp_user *user = &data->user;
	bool runs = false;

	K_SPINLOCK(&data->lock) {
		runs = user->runs && data->stopping;
	}
	if (!runs || user->faulted) {
		return;
	}
	if (user->asking) {
		(void)k_work_reschedule(delayable, K_TICKS(1));
		return;
	}
	user->pc = place_of(&user->thread);
	k_thread_abort(&user->thread);
	k_sem_give(&user->asked);
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
	struct wisp_user *user = &app->data->user;

	if (user->runs) {
		user->runs = false;
		k_thread_abort(&user->thread);
	}
}

bool wisp_native_fault(unsigned int reason, const struct arch_esf *esf)
{
	const struct wisp_app *app = wisp_user_current();

	if (app == NULL || reason == K_ERR_KERNEL_PANIC || reason == K_ERR_SPURIOUS_IRQ) {
		return false;
	}
#ifdef CONFIG_CPU_CORTEX_M
	/*
	 * Was the fault in an interrupt that preempted the thread? The frame does not say so,
	 * because the thread may have written it. A bad system call is reported in thread mode.
	 */
	if (__get_IPSR() != 0 && (SCB->ICSR & SCB_ICSR_RETTOBASE_Msk) == 0) {
		return false;
	}
	/*
	 * An instruction that faults while the stack pointer is invalid raises a second fault,
	 * which would be taken after the thread was aborted.
	 */
	SCB->SHCSR &= ~(SCB_SHCSR_USGFAULTPENDED_Msk | SCB_SHCSR_MEMFAULTPENDED_Msk |
			SCB_SHCSR_BUSFAULTPENDED_Msk);
#else
	/*
	 * The fault is that of an interrupt or of the kernel. The kernel reports a stack overflow
	 * for the thread.
	 */
	if (reason != K_ERR_STACK_CHK_FAIL && esf != NULL && (esf->mstatus & MSTATUS_MPP) != 0) {
		return false;
	}
#endif
	if (esf != NULL) {
#ifdef CONFIG_CPU_CORTEX_M
		app->data->user.pc = esf->basic.pc;
#else
		app->data->user.pc = esf->mepc;
#endif
	}
	app->data->user.faulted = true;
	k_sem_give(&app->data->user.asked);
	return true;
}

#ifdef CONFIG_WISP_NATIVE_USER_FAULT_HANDLER

void k_sys_fatal_error_handler(unsigned int reason, const struct arch_esf *esf)
{
	if (!wisp_native_fault(reason, esf)) {
		LOG_PANIC();
		LOG_ERR("Halting system");
		k_fatal_halt(reason);
	}
}

#endif /* CONFIG_WISP_NATIVE_USER_FAULT_HANDLER */
