/* SPDX-License-Identifier: Apache-2.0 */
/* memory: 16384 */

#include <stdint.h>
#include <stdio.h>
#include <string.h>

static uint32_t constants[64];
static uint32_t state[8];

static uint32_t turn(uint32_t x, int n)
{
	return x >> n | x << (32 - n);
}

static void block(const uint8_t *p)
{
	uint32_t w[64], s[8];

	for (int i = 0; i < 16; i++) {
		w[i] = (uint32_t)p[4 * i] << 24 | p[4 * i + 1] << 16 | p[4 * i + 2] << 8 |
		       p[4 * i + 3];
	}
	for (int i = 16; i < 64; i++) {
		uint32_t a = w[i - 15], b = w[i - 2];

		w[i] = w[i - 16] + (turn(a, 7) ^ turn(a, 18) ^ a >> 3) + w[i - 7] +
		       (turn(b, 17) ^ turn(b, 19) ^ b >> 10);
	}
	memcpy(s, state, sizeof(s));
	for (int i = 0; i < 64; i++) {
		uint32_t t = s[7] + (turn(s[4], 6) ^ turn(s[4], 11) ^ turn(s[4], 25)) +
			     ((s[4] & s[5]) ^ (~s[4] & s[6])) + constants[i] + w[i];
		uint32_t u = (turn(s[0], 2) ^ turn(s[0], 13) ^ turn(s[0], 22)) +
			     ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));

		memmove(s + 1, s, 7 * sizeof(s[0]));
		s[4] += t;
		s[0] = t + u;
	}
	for (int i = 0; i < 8; i++) {
		state[i] += s[i];
	}
}

/* The constants are fractions of roots of primes. */
static uint32_t fraction(int prime, int root)
{
	unsigned long long low = 0, high = 1ull << 36;

	while (low + 1 < high) {
		unsigned long long middle = (low + high) / 2;
		unsigned __int128 power = middle;

		for (int i = 1; i < root; i++) {
			power *= middle;
		}
		if (power >> (32 * root) < (unsigned)prime) {
			low = middle;
		} else {
			high = middle;
		}
	}
	return (uint32_t)low;
}

int main(void)
{
	static const char text[] = "The quick brown fox jumps over the lazy dog";
	uint8_t padded[64] = {0};
	int found = 0;

	for (int n = 2; found < 64; n++) {
		int prime = 1;

		for (int i = 2; i * i <= n; i++) {
			prime = prime && n % i != 0;
		}
		if (prime) {
			if (found < 8) {
				state[found] = fraction(n, 2);
			}
			constants[found++] = fraction(n, 3);
		}
	}
	memcpy(padded, text, sizeof(text) - 1);
	padded[sizeof(text) - 1] = 0x80;
	padded[62] = (sizeof(text) - 1) * 8 >> 8;
	padded[63] = (sizeof(text) - 1) * 8 & 0xff;
	block(padded);
	for (int i = 0; i < 8; i++) {
		printf("%08x", (unsigned)state[i]);
	}
	putchar('\n');
	return 0;
}
