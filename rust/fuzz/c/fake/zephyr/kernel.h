/* SPDX-License-Identifier: Apache-2.0 */

/*
 * As much of Zephyr's kernel as src/app/stop.c, src/drivers/event.c, src/drivers/input.c and
 * src/border/timer.c use, for model.c, and src/storage/uploads.c, for uploads.c. In model.c, an interrupt may come at each
 * call, but for those between lock and unlock.
 */

#ifndef FAKE_ZEPHYR_KERNEL_H_
#define FAKE_ZEPHYR_KERNEL_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <zephyr/sys/util.h>

struct k_work_q;

struct k_thread {
	int unused;
};

typedef struct {
	int64_t ticks;
} k_timeout_t;

typedef uint8_t k_thread_stack_t;

struct k_spinlock {
	bool held;
};

struct k_poll_signal {
	bool raised;
};

struct k_sem {
	bool given;
};

/* Both of what a thread polls begin with whether it need not wait. */
struct k_poll_event {
	const bool *ready;
};

#define K_POLL_TYPE_SIGNAL                               0
#define K_POLL_TYPE_SEM_AVAILABLE                        1
#define K_POLL_MODE_NOTIFY_ONLY                          0
#define K_POLL_SIGNAL_INITIALIZER(_signal)               {false}
#define k_poll_event_init(_event, _type, _mode, _object) ((_event)->ready = (const bool *)(_object))

/* A tick is a microsecond. */
#define K_USEC(_us)                    ((k_timeout_t){(int64_t)(_us)})
#define K_NO_WAIT                      ((k_timeout_t){0})
#define MSEC_PER_SEC                   1000
#define USEC_PER_SEC                   1000000u
#define NSEC_PER_SEC                   1000000000u
#define CONFIG_SYS_CLOCK_TICKS_PER_SEC 1000000
#define k_ticks_to_us_floor64(_ticks)  ((uint64_t)(_ticks))

void model_lock(struct k_spinlock *lock);
void model_unlock(struct k_spinlock *lock);
int64_t k_uptime_ticks(void);
int64_t k_uptime_get(void);
void k_yield(void);
int k_poll_signal_raise(struct k_poll_signal *signal, int result);
void k_poll_signal_reset(struct k_poll_signal *signal);
int k_sem_take(struct k_sem *sem, k_timeout_t timeout);
void k_sem_give(struct k_sem *sem);
int k_poll(struct k_poll_event *events, int count, k_timeout_t timeout);

/* As in Zephyr: the body is the loop's, so K_SPINLOCK_BREAK leaves it through the unlock. */
#define K_SPINLOCK(_lock)                                                                          \
	for (bool _once = (model_lock(_lock), true); _once; model_unlock(_lock), _once = false)
#define K_SPINLOCK_BREAK continue

#endif /* FAKE_ZEPHYR_KERNEL_H_ */
