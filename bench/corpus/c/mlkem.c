/* SPDX-License-Identifier: Apache-2.0 */
/* ML-KEM-512: a key made, a secret sent and received. */
#include <string.h>

#include "api.h"
#include "corpus.h"

static uint64_t heap[2048 / 8];
static size_t used, blocks;
static uint32_t state;

/* What the sources allocate are states of a hash, which they give back. */
void *corpus_malloc(size_t size)
{
	size_t start = used;

	used += (size + 7) & ~(size_t)7;
	CHECK(used <= sizeof(heap));
	blocks++;
	return (uint8_t *)heap + start;
}

void corpus_free(void *block)
{
	(void)block;
	blocks--;
	if (blocks == 0) {
		used = 0;
	}
}

int PQCRYPTO_RUST_randombytes(uint8_t *to, size_t size)
{
	while (size-- != 0) {
		state = state * 1664525u + 1013904223u;
		*to++ = (uint8_t)(state >> 24);
	}
	return 0;
}

ENTRY
{
	static uint8_t public[PQCLEAN_MLKEM512_CLEAN_CRYPTO_PUBLICKEYBYTES],
		secret[PQCLEAN_MLKEM512_CLEAN_CRYPTO_SECRETKEYBYTES],
		cipher[PQCLEAN_MLKEM512_CLEAN_CRYPTO_CIPHERTEXTBYTES];
	uint32_t sum = 0, round;

	for (round = 0; round < n; round++) {
		uint8_t sent[PQCLEAN_MLKEM512_CLEAN_CRYPTO_BYTES], received[sizeof(sent)];

		state = round + 1;
		CHECK(PQCLEAN_MLKEM512_CLEAN_crypto_kem_keypair(public, secret) == 0);
		CHECK(PQCLEAN_MLKEM512_CLEAN_crypto_kem_enc(cipher, sent, public) == 0);
		CHECK(PQCLEAN_MLKEM512_CLEAN_crypto_kem_dec(received, cipher, secret) == 0);
		CHECK(memcmp(sent, received, sizeof(sent)) == 0);
		sum = mix(sum, sent, sizeof(sent));
	}
	return sum;
}
