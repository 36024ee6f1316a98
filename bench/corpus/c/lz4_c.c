/* SPDX-License-Identifier: Apache-2.0 */
/* 2 KiB of log compressed by LZ4 and back. */
#include <string.h>

#include "corpus.h"
#include "lz4.h"

static uint8_t text[2048 + 64], packed[2200], output[2048];
static LZ4_stream_t state;

ENTRY
{
	uint32_t sum = 0, round;

	if (text[0] == 0) {
		write_log(text, sizeof(text));
	}
	for (round = 0; round < n; round++) {
		const uint8_t *input = text + round % 64;
		int size = LZ4_compress_fast_extState(&state, (const char *)input, (char *)packed,
						      2048, sizeof(packed), 1);

		CHECK(size > 0);
		sum = mix(sum, packed, (size_t)size);
		CHECK(LZ4_decompress_safe((const char *)packed, (char *)output, size,
					  sizeof(output)) == sizeof(output));
		CHECK(memcmp(input, output, sizeof(output)) == 0);
	}
	return sum;
}
