/* SPDX-License-Identifier: Apache-2.0 */
/* Lua: a program compiled and run, with tables, closures, strings and numbers. Errors end the program. */
#include <string.h>

#include "corpus.h"
#include "lua.h"

/* Blocks of powers of two from 16 bytes, with a list of free ones for each size. */
#define SIZES 12
static uint64_t heap[48 * 1024 / 8];
static size_t used;
static void *free_blocks[SIZES];

static const char source[] =
	"local n = ... "
	"local function sorted(t) "
	"  for i = 2, #t do local v, j = t[i], i - 1 "
	"    while j > 0 and t[j] > v do t[j + 1] = t[j]; j = j - 1 end t[j + 1] = v end "
	"  return t end "
	"local seed = 42 + n "
	"local function random() seed = (seed * 1103515245 + 12345) & 0x7fffffff return seed >> 16 end "
	"local t = {} for i = 1, 24 do t[i] = random() % 1000 end sorted(t) "
	"local counter = (function() local c = 0 return function(v) c = c + v return c end end)() "
	"for i = 1, #t do counter(t[i] // 3) end "
	"local words, text = {}, 'the quick brown fox' "
	"for i = 1, 12 do words['key' .. text] = i; text = text .. 'x' end "
	"local mean = 0.0 for i = 1, 16 do mean = mean + t[i] * 0.25 end "
	"local sieve, primes = {}, 0 "
	"for i = 2, 100 do if not sieve[i] then primes = primes + 1 for j = i * i, 100, i do sieve[j] = true end end end "
	"return counter(0) + primes * 100000 + #text + mean // 1 | 0";

static unsigned int class_of(size_t size)
{
	unsigned int class = 0;

	while ((size_t)16 << class < size) {
		class++;
	}
	return class;
}

static void *allocate(void *context, void *block, size_t old, size_t size)
{
	unsigned int class;
	void *found;

	(void)context;
	if (block != NULL && size != 0 && class_of(old) == class_of(size)) {
		return block;
	}
	found = NULL;
	if (size != 0) {
		class = class_of(size);
		CHECK(class < SIZES);
		found = free_blocks[class];
		if (found != NULL) {
			free_blocks[class] = *(void **)found;
		} else {
			found = (uint8_t *)heap + used;
			used += (size_t)16 << class;
			CHECK(used <= sizeof(heap));
		}
		if (block != NULL) {
			memcpy(found, block, old < size ? old : size);
		}
	}
	if (block != NULL) {
		class = class_of(old);
		*(void **)block = free_blocks[class];
		free_blocks[class] = block;
	}
	return found;
}

/* Nothing is printed. */
int corpus_snprintf(char *to, size_t size, const char *format, ...)
{
	(void)to;
	(void)size;
	(void)format;
	__builtin_trap();
}

/* Digits with a decimal point. */
double corpus_strtod(const char *text, char **end)
{
	double value = 0, unit = 1;

	for (; *text >= '0' && *text <= '9'; text++) {
		value = value * 10 + (*text - '0');
	}
	if (*text == '.') {
		for (text++; *text >= '0' && *text <= '9'; text++) {
			unit /= 10;
			value += unit * (*text - '0');
		}
	}
	*end = (char *)text;
	return value;
}

static const char *read_source(lua_State *state, void *data, size_t *size)
{
	const char **at = data, *text = *at;

	(void)state;
	*at = NULL;
	*size = text == NULL ? 0 : sizeof(source) - 1;
	return text;
}

ENTRY
{
	uint32_t sum = 0, round;

	for (round = 0; round < n; round++) {
		const char *at = source;
		lua_State *state;

		used = 0;
		memset(free_blocks, 0, sizeof(free_blocks));
		state = lua_newstate(allocate, NULL);
		CHECK(state != NULL);
		CHECK(lua_load(state, read_source, &at, "=corpus", "t") == LUA_OK);
		lua_pushinteger(state, (lua_Integer)round);
		lua_call(state, 1, 1);
		sum = (sum << 7 | sum >> 25) ^ (uint32_t)lua_tointegerx(state, -1, NULL);
		lua_close(state);
	}
	return sum;
}
