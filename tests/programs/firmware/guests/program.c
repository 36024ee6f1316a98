/* SPDX-License-Identifier: Apache-2.0 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int ascending(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

int main(void)
{
	int numbers[] = {5, 3, 8, 1, 2};
	char *text = malloc(64);

	if (text == NULL) {
		return errno;
	}
	qsort(numbers, 5, sizeof(numbers[0]), ascending);
	for (int i = 0; i < 5; i++) {
		text[2 * i] = (char)('0' + numbers[i]);
		text[2 * i + 1] = ' ';
	}
	text[9] = '\0';
	char *copy = strdup("heap");

	printf("in C: %.2f %e %g, sorted: %s, %s\n", 21.5, 22.0 / 7, 0.1, text, copy);
	free(copy);
	free(text);
	return 0;
}
