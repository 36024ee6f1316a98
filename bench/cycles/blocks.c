/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plugin of QEMU that counts how often each block of instructions ran in two spans of a program:
 *
 *   -plugin blocks.so,run=ADDRESS,end=ADDRESS,out=FILE
 *
 * `run` is a function whose second call begins the first span and whose third call begins the
 * second one. The first call of the function `end` in the second span ends it and writes FILE. Each
 * block that ran has a line "block RAN TAKEN RAN TAKEN", and a line for each of its instructions. A
 * block is taken when the one before it in time is not the one before it in memory.
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
static uint64_t run, end, last;
static const char *out;
/* calls of `run`, and more than all of them when the spans are over */
static unsigned int calls;

static void write_all(void)
{
	FILE *file = fopen(out, "w");

	if (file == NULL) {
		perror(out);
		return;
	}
	for (const struct block *b = blocks; b != NULL; b = b->next) {
		if (b->ran[0] + b->ran[1] == 0) {
			continue;
		}
		fprintf(file, "block %llu %llu %llu %llu\n", (unsigned long long)b->ran[0],
			(unsigned long long)b->taken[0], (unsigned long long)b->ran[1],
			(unsigned long long)b->taken[1]);
		for (size_t i = 0; i < b->count; i++) {
			fprintf(file, "%s\n", b->text[i]);
		}
	}
	fprintf(file, "end\n");
	fclose(file);
}

static void executed(unsigned int cpu, void *data)
{
	struct block *b = data;

	if (b->start == run && calls <= SPANS) {
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
		if (strncmp(argv[i], "run=", 4) == 0) {
			run = strtoull(argv[i] + 4, NULL, 0);
		} else if (strncmp(argv[i], "end=", 4) == 0) {
			end = strtoull(argv[i] + 4, NULL, 0);
		} else if (strncmp(argv[i], "out=", 4) == 0) {
			out = strdup(argv[i] + 4);
		}
	}
	if (run == 0 || end == 0 || out == NULL) {
		fprintf(stderr, "blocks: expected run=ADDRESS,end=ADDRESS,out=FILE\n");
		return 1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}
