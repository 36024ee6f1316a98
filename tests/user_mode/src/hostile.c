/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What a wrong compiler could have made, or an attacker: called in place of a guest's function,
 * in user mode, with the record and the slots that it would get. It lies in flash and uses its
 * stack.
 */

#define __ZEPHYR_USER__

#include <string.h>

#include <zephyr/kernel.h>
#include <zephyr/linker/linker-defs.h>
#include <zephyr/syscall_list.h>
#ifdef CONFIG_NET_SOCKETS
#include <zephyr/net/socket.h>
#endif

#include "support.h"

struct import {
	uint32_t (*function)(void *engine, uint32_t *slots, const void *env);
	const void *env;
	const void *direct;
	uintptr_t type;
};

typedef uint32_t (*helper)(void *record, ...);

/* The first fields of a record, as rust/image/src/native.rs has them. */
struct record {
	uint8_t *memory;
	uintptr_t memory_size;
	uintptr_t stack_limit;
	const uint32_t *stop;
	const helper *helpers;
	const struct import *imports;
	void *engine;
	const void *tables;
	const void *functions;
	const void *code;
	const void *imported_globals;
	void (*trap)(struct record *record, uint32_t site, uint32_t function);
	uintptr_t unwind;
	uint32_t first_reference;
	uint32_t function_count;
	uint32_t site;
	uint32_t function;
	uint32_t code_number;
};

/* Places in the table of helpers. */
enum {
	MEMORY_GROW = 0,
	MEMORY_FILL = 3,
	TABLE_GET = 6,
	TABLE_SET = 7,
	CALL_REFERENCE = 13,
};

static uint32_t ask(struct record *record, uint32_t what)
{
	const struct import *import = &record->imports[0];
	uint32_t slots[1] = {what};

	import->function(record->engine, slots, import->env);
	return slots[0];
}

static void tell(struct record *record, uint32_t what)
{
	(void)ask(record, TELL + what);
}

static __attribute__((noinline)) uint32_t overflow(volatile uint32_t *last)
{
	volatile uint32_t here[16];

	here[0] = *last + 1;
	return (here[0] == 0) ? 0 : overflow(here) + here[0];
}

static void execute(uint8_t *memory)
{
#ifdef __riscv
	static const uint8_t code[] = {0x67, 0x80, 0x00, 0x00};
	uintptr_t entry = (uintptr_t)memory;
#else
	static const uint8_t code[] = {0x70, 0x47, 0x70, 0x47};
	uintptr_t entry = (uintptr_t)memory | 1;
#endif
	memcpy(memory, code, sizeof(code));
	((void (*)(void))entry)();
}

/* The kernel must not take this for the thread that runs. */
static void forge_thread(uintptr_t place)
{
#ifdef CONFIG_THREAD_LOCAL_STORAGE
	uintptr_t size = (uintptr_t)__tdata_size + (uintptr_t)__tbss_size;
	uintptr_t *words;

	__asm__ volatile("mv %0, tp" : "=r"(words));
	for (uintptr_t i = 0; i < size / sizeof(*words); i++) {
		words[i] = place;
	}
#else
	ARG_UNUSED(place);
#endif
}

/* Two faults at once: nothing can be put on such a stack. */
static void undefined_elsewhere(uintptr_t place)
{
#ifdef __riscv
	__asm__ volatile("mv sp, %0\nunimp" ::"r"(place));
#else
	__asm__ volatile("mov sp, %0\nudf #0" ::"r"(place));
#endif
}

static void stack_elsewhere(uintptr_t place)
{
#ifdef __riscv
	__asm__ volatile("mv sp, %0\n1: addi sp, sp, -4\nsw zero, 0(sp)\nj 1b" ::"r"(place));
#else
	__asm__ volatile("mov sp, %0\n1: push {r0}\nb 1b" ::"r"(place));
#endif
}

/* Requests that do not exist, imports that do not exist: how many were refused of 100. */
static uint32_t ask_directly(struct record *record, uintptr_t place)
{
	uint32_t (*request)(uintptr_t, uintptr_t, uintptr_t, uintptr_t, uintptr_t, uintptr_t) =
		record->engine;
	uint32_t refused = 0;

	for (uintptr_t i = 0; i < 100; i++) {
		refused += request(CALL_REFERENCE + 1 + i, 1 + i, place, 0, 0, 0) ==
			   WISP_TRAP_MEMORY_PROTECTION;
	}
	return refused;
}

#ifdef CONFIG_FPU
/* Returns how many registers of the FPU do not hold this value. */
static inline uint32_t other_floats(uint32_t value)
{
	uint32_t floats[32];
	uint32_t others = 0;

	__asm__ volatile("vstmia %0, {s0-s31}" ::"r"(floats) : "memory");
	ARRAY_FOR_EACH(floats, i) {
		others += (floats[i] != value) ? 1 : 0;
	}
	return others;
}

/* The frame of an exception fits on the stack, but not the registers of the FPU behind it. */
static void floats_elsewhere(uintptr_t end)
{
	__asm__ volatile("mov sp, %0\n1: vmov s0, r0\nb 1b" ::"r"(end + 64));
}
#endif

void hostile(struct record *record, uint32_t *slots)
{
#ifdef CONFIG_FPU
	uint32_t others = other_floats(0);
#endif
	volatile uint32_t *place = (volatile uint32_t *)ask(record, TARGET);
	const struct import *import = &record->imports[0];

	ARG_UNUSED(slots);
	switch (ask(record, ATTACK)) {
	case READ:
		tell(record, *place);
		break;
	case WRITE:
		*place = 0xbad;
		break;
	case CALL:
		((void (*)(void))place)();
		break;
	case SLOTS_ELSEWHERE:
		tell(record, import->function(record->engine, (uint32_t *)place, import->env));
		break;
	case RESULT_ELSEWHERE:
		tell(record, record->helpers[TABLE_GET](record, 0, 0, place));
		break;
	case FORGED_MEMORY:
		record->memory = (uint8_t *)place;
		record->memory_size = UINTPTR_MAX;
		tell(record, record->helpers[MEMORY_FILL](record, 1020, 0xff, 8));
		break;
	case FORGED_TABLES: {
		const uintptr_t table[2] = {(uintptr_t)place, UINT32_MAX};
		const uintptr_t tables[1] = {(uintptr_t)table};

		record->tables = tables;
		tell(record, record->helpers[TABLE_SET](record, 0, 0, 0xbad));
		break;
	}
	case WHAT_NOBODY_KNOWS:
		tell(record, ask_directly(record, (uintptr_t)place));
		break;
	case FORGED_TRAP:
		record->code_number = 12;
		record->trap(record, 0x12345678, 0xfffffff0);
		break;
	case EXECUTE_DATA:
		execute(record->memory);
		break;
	case STACK_ELSEWHERE:
		stack_elsewhere((uintptr_t)place);
		break;
	case UNDEFINED_ELSEWHERE:
		undefined_elsewhere((uintptr_t)place);
		break;
	case FORGED_THREAD:
		forge_thread((uintptr_t)place);
		tell(record, 7);
		*(volatile enum attack *)&attack = BEHAVE;
		break;
	case FORGED_THREAD_FAULTS:
		forge_thread((uintptr_t)place);
		*(volatile enum attack *)&attack = BEHAVE;
		break;
	case STACK_OVERFLOW:
		(void)overflow((uint32_t *)record);
		break;
	case GIVE_A_SEMAPHORE:
		k_sem_give((struct k_sem *)place);
		break;
	case END_A_THREAD:
		k_thread_abort((k_tid_t)place);
		break;
	case SLEEP:
		tell(record, k_msleep(1));
		break;
	case WRITE_TO_THE_CONSOLE: {
		char text[] = "text\n";

		k_str_out(text, sizeof(text) - 1);
		break;
	}
	case CALL_THAT_IS_NONE:
		tell(record, arch_syscall_invoke0(K_SYSCALL_LIMIT + (uintptr_t)place));
		break;
#ifdef CONFIG_NET_SOCKETS
	case OPEN_A_SOCKET:
		tell(record, zsock_socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP));
		break;
#endif
#ifdef CONFIG_FPU
	case READ_FLOATS:
		(void)ask(record, FLOATS);
		tell(record, others + other_floats(0));
		break;
	case FLOATS_ELSEWHERE:
		floats_elsewhere((uintptr_t)place);
		break;
#endif
	default:
		break;
	}
}
