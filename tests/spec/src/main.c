/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The official suite, and every form of every op, on the target: in the library that
 * ships, by the back end of this board's instruction set; the suite as native code if
 * CONFIG_WISP_NATIVE is set.
 */

#include <zephyr/devicetree.h>
#include <zephyr/kernel.h>
#include <zephyr/sys/printk.h>
#include <zephyr/ztest.h>

#include "selftest.h"

ZTEST_SUITE(spec, NULL, NULL, NULL, NULL, NULL);

#define ARENA      ((uint64_t *)DT_REG_ADDR(DT_NODELABEL(test_arena)))
#define ARENA_SIZE DT_REG_SIZE(DT_NODELABEL(test_arena))
/* From here on the few assertions that grow a memory to 804 pages run as well. */
#define LARGE      (96 * 1024 * 1024)

/* The player and the engine take less than a quarter of the stack. */
#define NATIVE_STACK (IS_ENABLED(CONFIG_WISP_NATIVE) ? CONFIG_ZTEST_STACK_SIZE / 4 * 3 : 0)

extern const uint8_t selftest_tape[];
extern const uint8_t selftest_tape_end[];

void *selftest_alloc(size_t size, size_t align)
{
	return k_aligned_alloc(MAX(align, sizeof(void *)), size);
}

void selftest_free(void *place)
{
	k_free(place);
}

void selftest_print(const char *text, size_t length)
{
	printk("%.*s", (int)length, text);
}

ZTEST(spec, test_every_form_of_every_op)
{
	uint32_t failed = UINT32_MAX;
	uint32_t ops = selftest_forms(ARENA, &failed);

	printk("forms: %u ops, %u failed\n", ops, failed);
	zassert_equal(failed, 0);
	zassert_true(ops > 450);
}

ZTEST(spec, test_official_suite)
{
	struct selftest_outcome outcome = {0};

	zassert_true(selftest_play(selftest_tape, selftest_tape_end - selftest_tape, ARENA, ARENA_SIZE,
				   ARENA_SIZE >= LARGE, NATIVE_STACK, &outcome));
	printk("suite: %u passed, %u failed, %u skipped, %u judged on the desk\n", outcome.passed,
	       outcome.failed, outcome.skipped, outcome.desk);
	zassert_equal(outcome.failed, 0);
	zassert_true(outcome.passed > 24000);
}
