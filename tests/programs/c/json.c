/* SPDX-License-Identifier: Apache-2.0 */
/* memory: 32768 */

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Reads JSON and prints it with its structure. Ends at the first mistake. */
static const char *at;

static void skip(void)
{
	while (isspace((unsigned char)*at)) {
		at++;
	}
}

static int value(int depth);

static int string(char *out, int most)
{
	int used = 0;

	if (*at++ != '"') {
		return -1;
	}
	while (*at != '"') {
		char c = *at++;

		if (c == '\0') {
			return -1;
		}
		if (c == '\\') {
			c = *at++;
			c = c == 'n' ? '\n' : c == 't' ? '\t' : c;
			if (c == 'u') {
				char hex[5] = {0};

				memcpy(hex, at, 4);
				c = (char)strtol(hex, NULL, 16);
				at += 4;
			}
		}
		if (used < most - 1) {
			out[used++] = c;
		}
	}
	out[used] = '\0';
	at++;
	return used;
}

static int members(int depth, char close)
{
	int count = 0;

	at++;
	skip();
	while (*at != close) {
		if (close == '}') {
			char key[32];

			if (string(key, sizeof(key)) < 0) {
				return -1;
			}
			printf("%*s%s:\n", depth * 2, "", key);
			skip();
			if (*at++ != ':') {
				return -1;
			}
		}
		if (value(depth + 1) != 0) {
			return -1;
		}
		count++;
		skip();
		if (*at == ',') {
			at++;
			skip();
		} else if (*at != close) {
			return -1;
		}
	}
	at++;
	printf("%*s(%d)\n", depth * 2, "", count);
	return 0;
}

static int value(int depth)
{
	char text[64];

	skip();
	switch (*at) {
	case '{':
		return members(depth, '}');
	case '[':
		return members(depth, ']');
	case '"':
		if (string(text, sizeof(text)) < 0) {
			return -1;
		}
		printf("%*s\"%s\"\n", depth * 2, "", text);
		return 0;
	case 't':
	case 'f':
	case 'n': {
		static const char *const words[] = {"true", "false", "null"};

		for (int i = 0; i < 3; i++) {
			if (strncmp(at, words[i], strlen(words[i])) == 0) {
				printf("%*s%s\n", depth * 2, "", words[i]);
				at += strlen(words[i]);
				return 0;
			}
		}
		return -1;
	}
	default: {
		char *end;
		double number = strtod(at, &end);

		if (end == at) {
			return -1;
		}
		printf("%*s%.10g\n", depth * 2, "", number);
		at = end;
		return 0;
	}
	}
}

int main(void)
{
	static const char *const texts[] = {
		"{\"name\": \"sensor \\u0041\", \"values\": [1, -2.5e3, 0.1, 1e-7], \"on\": true, "
		"\"next\": null}",
		"[[], {}, [[1], {\"a\": {\"b\": [false]}}]]",
		"{\"broken\": [1, 2",
		"\"tab\\there\"",
		"nul",
	};

	for (int i = 0; i < 5; i++) {
		at = texts[i];
		int result = value(0);

		printf("%s at %d\n", result == 0 ? "read" : "mistake", (int)(at - texts[i]));
	}
	return 0;
}
