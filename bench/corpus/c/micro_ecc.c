/* SPDX-License-Identifier: Apache-2.0 */
/* A signature on the curve P-256. */
#include "corpus.h"
#include "uECC.h"

static uint32_t state;

static int random_bytes(uint8_t *to, unsigned int size)
{
	while (size-- != 0) {
		state = state * 1664525u + 1013904223u;
		*to++ = (uint8_t)(state >> 24);
	}
	return 1;
}

ENTRY
{
	uint32_t sum = 0, round;

	uECC_set_rng(random_bytes);
	for (round = 0; round < n; round++) {
		uint8_t key[32], hash[32], signature[64];

		state = round + 1;
		random_bytes(key, sizeof(key));
		random_bytes(hash, sizeof(hash));
		CHECK(uECC_sign(key, hash, sizeof(hash), signature, uECC_secp256r1()));
		sum = mix(sum, signature, sizeof(signature));
	}
	return sum;
}
