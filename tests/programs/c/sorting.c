/* SPDX-License-Identifier: Apache-2.0 */
/* memory: 32768 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct person {
	char name[12];
	int age;
	double score;
};

static int by_age(const void *a, const void *b)
{
	const struct person *x = a, *y = b;

	return x->age != y->age ? x->age - y->age : strcmp(x->name, y->name);
}

static int by_score(const void *a, const void *b)
{
	double x = ((const struct person *)a)->score, y = ((const struct person *)b)->score;

	return (x > y) - (x < y);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int by_number(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;

	return (x > y) - (x < y);
}

int main(void)
{
	struct person people[] = {{"Ann", 31, 2.5},
				  {"Bob", 25, -1.0},
				  {"Cid", 31, 9.75},
				  {"Dora", 19, 3.0},
				  {"Eve", 25, 0.125}};
	const char *words[] = {"pear", "apple", "fig", "Banana", "cherry", "apple pie"};
	int numbers[200];
	unsigned state = 12345;
	int key, *found;

	qsort(people, 5, sizeof(people[0]), by_age);
	for (int i = 0; i < 5; i++) {
		printf("%-5s %d %.3f\n", people[i].name, people[i].age, people[i].score);
	}
	qsort(people, 5, sizeof(people[0]), by_score);
	for (int i = 0; i < 5; i++) {
		printf("%s%s", people[i].name, i < 4 ? " < " : "\n");
	}
	qsort(words, 6, sizeof(words[0]), by_text);
	for (int i = 0; i < 6; i++) {
		printf("%s;", words[i]);
	}
	putchar('\n');
	for (int i = 0; i < 200; i++) {
		state = state * 1103515245u + 12345u;
		numbers[i] = (int)(state >> 16) % 1000 - 500;
	}
	qsort(numbers, 200, sizeof(int), by_number);
	for (int i = 0; i < 200; i += 20) {
		printf("%d ", numbers[i]);
	}
	key = numbers[77];
	found = bsearch(&key, numbers, 200, sizeof(int), by_number);
	printf("%d\n", found != NULL && *found == key);
	key = 100000;
	printf("%d\n", bsearch(&key, numbers, 200, sizeof(int), by_number) == NULL);
	return 0;
}
