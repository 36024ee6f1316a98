/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plugin of QEMU that counts how often each block of instructions ran in two spans of each of a
 * program's workloads:
 *
 *   -plugin blocks.so,load=ADDRESS,run=ADDRESS,end=ADDRESS,out=FILE
 *
 * A call of the function `load` begins a workload. The second call of `run` begins its first span,
 * and the third call begins its second span. The first call of the function `end` after that ends
 * it. FILE then has a line "workload NUMBER", the blocks that ran, and a line "end". A block is a
 * line "block RAN TAKEN RAN TAKEN", and a line for each of its instructions. It is taken when the
 * one before it in time is not the one before it in memory.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is used of version 1 of the plugins' interface. Distributions leave out the header. */
#define EXPORT __attribute__((visibility("default")))
EXPORT int qemu_plugin_version = 1;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
char *qemu_plugin_insn_disas(const struct qemu_plugin_insn *insn);
void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id,
					   void (*call)(uint64_t id, struct qemu_plugin_tb *tb));
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb,
					  void (*call)(unsigned int cpu, void *data), int flags,
					  void *data);

#define SPANS 2

struct block {
	struct block *next;
	/* its first byte, and the first byte behind it */
	uint64_t start, end;
	uint64_t ran[SPANS], taken[SPANS];
	size_t count;
	char *text[];
};

static struct block *blocks;
static uint64_t load, run, end, last;
static FILE *out;
/* Calls of `load`, and of `run` since then. One more than all of these is the end of the spans. */
static unsigned int loads, calls;

static void write_all(void)
{
	fprintf(out, "workload %u\n", loads - 1);
	for (struct block *b = blocks; b != NULL; b = b->next) {
		if (b->ran[0] + b->ran[1] == 0) {
			continue;
		}
		fprintf(out, "block %llu %llu %llu %llu\n", (unsigned long long)b->ran[0],
			(unsigned long long)b->taken[0], (unsigned long long)b->ran[1],
			(unsigned long long)b->taken[1]);
		for (size_t i = 0; i < b->count; i++) {
			fprintf(out, "%s\n", b->text[i]);
		}
		memset(b->ran, 0, sizeof(b->ran));
		memset(b->taken, 0, sizeof(b->taken));
	}
	fprintf(out, "end\n");
	fflush(out);
}

static void executed(unsigned int cpu, void *data)
{
	struct block *b = data;

	if (b->start == load) {
		loads++;
		calls = 0;
	} else if (b->start == run && calls <= SPANS) {
		calls++;
	} else if (b->start == end && calls == SPANS + 1) {
		calls++;
		write_all();
	}
	if (calls == 2 || calls == 3) {
		b->ran[calls - 2]++;
		b->taken[calls - 2] += b->start != last;
	}
	last = b->end;
}

static void translated(uint64_t id, struct qemu_plugin_tb *tb)
{
	size_t count = qemu_plugin_tb_n_insns(tb);
	struct block *b = calloc(1, sizeof(*b) + count * sizeof(*b->text));

	if (b == NULL) {
		abort();
	}
	for (size_t i = 0; i < count; i++) {
		const struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);

		if (i == 0) {
			b->start = qemu_plugin_insn_vaddr(insn);
		}
		b->end = qemu_plugin_insn_vaddr(insn) + qemu_plugin_insn_size(insn);
		b->text[i] = qemu_plugin_insn_disas(insn);
	}
	b->count = count;
	b->next = blocks;
	blocks = b;
	qemu_plugin_register_vcpu_tb_exec_cb(tb, executed, 0, b);
}

EXPORT int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		if (strncmp(argv[i], "load=", 5) == 0) {
			load = strtoull(argv[i] + 5, NULL, 0);
		} else if (strncmp(argv[i], "run=", 4) == 0) {
			run = strtoull(argv[i] + 4, NULL, 0);
		} else if (strncmp(argv[i], "end=", 4) == 0) {
			end = strtoull(argv[i] + 4, NULL, 0);
		} else if (strncmp(argv[i], "out=", 4) == 0) {
			out = fopen(argv[i] + 4, "w");
		}
	}
	if (load == 0 || run == 0 || end == 0 || out == NULL) {
		fprintf(stderr, "blocks: expected load=ADDRESS,run=ADDRESS,end=ADDRESS,out=FILE, a "
				"file that can be written\n");
		return 1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}
