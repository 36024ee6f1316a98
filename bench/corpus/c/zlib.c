/* SPDX-License-Identifier: Apache-2.0 */
/* 2 KiB of log compressed by zlib and back. */
#include <string.h>

#include "corpus.h"
#include "zlib.h"

static uint8_t text[2048 + 64], packed[2048], output[2048];
static uint64_t heap[32 * 1024 / 8];
static size_t used;

static voidpf allocate(voidpf opaque, uInt items, uInt size)
{
	size_t start = used;

	(void)opaque;
	used += ((size_t)items * size + 7) & ~(size_t)7;
	return used <= sizeof(heap) ? (uint8_t *)heap + start : NULL;
}

static void release(voidpf opaque, voidpf block)
{
	(void)opaque;
	(void)block;
}

ENTRY
{
	uint32_t sum = 0, round;

	if (text[0] == 0) {
		write_log(text, sizeof(text));
	}
	for (round = 0; round < n; round++) {
		const uint8_t *input = text + round % 64;
		z_stream stream = {.zalloc = allocate, .zfree = release};

		used = 0;
		CHECK(deflateInit2(&stream, 6, Z_DEFLATED, 10, 3, Z_DEFAULT_STRATEGY) == Z_OK);
		stream.next_in = (uint8_t *)input;
		stream.avail_in = 2048;
		stream.next_out = packed;
		stream.avail_out = sizeof(packed);
		CHECK(deflate(&stream, Z_FINISH) == Z_STREAM_END);
		sum = mix(sum, packed, stream.total_out);

		used = 0;
		stream = (z_stream){.zalloc = allocate, .zfree = release, .next_in = packed,
				    .avail_in = stream.total_out, .next_out = output,
				    .avail_out = sizeof(output)};
		CHECK(inflateInit2(&stream, 10) == Z_OK);
		CHECK(inflate(&stream, Z_FINISH) == Z_STREAM_END);
		CHECK(memcmp(input, output, sizeof(output)) == 0);
	}
	return sum;
}
