/* SPDX-License-Identifier: Apache-2.0 */
/* memory: 32768 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct node {
	struct node *next;
	int value;
};

int main(void)
{
	struct node *list = NULL;
	int sum = 0;
	char *text = malloc(8);
	size_t size = 8, used = 0;
	int *zeros = calloc(64, sizeof(int));
	void *aligned = NULL;

	for (int i = 0; i < 100; i++) {
		struct node *node = malloc(sizeof(*node));

		if (node == NULL) {
			return 1;
		}
		node->value = i;
		node->next = list;
		list = node;
	}
	while (list != NULL) {
		struct node *next = list->next;

		sum += list->value;
		free(list);
		list = next;
	}
	printf("sum %d\n", sum);
	for (int i = 0; i < 40; i++) {
		char word[16];
		int length = snprintf(word, sizeof(word), "%d,", i);

		while (used + (size_t)length + 1 > size) {
			size *= 2;
			text = realloc(text, size);
			if (text == NULL) {
				return 1;
			}
		}
		memcpy(text + used, word, (size_t)length + 1);
		used += (size_t)length;
	}
	printf("%s %d\n", text, (int)used);
	free(text);
	for (int i = 0; i < 64; i++) {
		sum += zeros[i];
	}
	free(zeros);
	if (posix_memalign(&aligned, 64, 200) == 0) {
		printf("aligned %d\n", (int)((uintptr_t)aligned % 64));
		free(aligned);
	}
	/* What is freed is used again: this would need 1 MB otherwise. */
	for (int i = 0; i < 1000; i++) {
		char *block = malloc(1000);

		if (block == NULL) {
			return 1;
		}
		memset(block, i, 1000);
		sum += block[999];
		free(block);
	}
	void *volatile much = malloc(SIZE_MAX / 2);
	printf("sum %d %d\n", sum, much == NULL);
	return 0;
}
