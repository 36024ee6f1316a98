/* SPDX-License-Identifier: Apache-2.0 */
/* memory: 16384 */

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

int main(void)
{
	char line[] = "temperature=21.5;humidity=40;;unit=C";
	char text[64] = "";
	char overlap[] = "0123456789";
	char *rest, *copy;

	for (char *part = strtok_r(line, ";", &rest); part != NULL;
	     part = strtok_r(NULL, ";", &rest)) {
		char *equals = strchr(part, '=');

		*equals = '\0';
		printf("[%s]->[%s]\n", part, equals + 1);
	}
	strcpy(text, "one");
	strcat(text, ", two");
	strncat(text, ", three and more", 7);
	printf("%s %d\n", text, (int)strlen(text));
	printf("%s %s %d\n", strstr(text, "two"), strrchr(text, 't'), (int)strcspn(text, ","));
	printf("%d %d\n", (int)strspn("aabbc", "ab"), strpbrk("hello", "xyz") == NULL);
	memmove(overlap + 2, overlap, 5);
	printf("%s\n", overlap);
	printf("%d %d %d\n", strcmp("a", "b") < 0, strncmp("abc", "abd", 2),
	       strcasecmp("HeLLo", "hello"));
	copy = strdup(text);
	for (char *c = copy; *c; c++) {
		*c = (char)toupper((unsigned char)*c);
	}
	printf("%s %d%d%d%d\n", copy, !!isalpha('x'), !!isdigit('x'), !!isspace('\n'),
	       !!ispunct('!'));
	free(copy);
	printf("%d %d\n", memcmp("\xff", "\x01", 1) > 0, (int)strnlen("abcdef", 3));
	printf("%d\n", memchr("abc", 'z', 3) == NULL);
	return 0;
}
