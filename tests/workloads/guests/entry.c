/* SPDX-License-Identifier: Apache-2.0 */

/* Runs a workload as often as the firmware asks, and tells it the checksum. */

#include <stdint.h>

#define TEST(name) __attribute__((import_module("test"), import_name(#name)))

TEST(iterations) uint32_t iterations(void);
TEST(checksum) void checksum(uint32_t value);

uint32_t run(uint32_t iterations);

int main(void)
{
	checksum(run(iterations()));
	return 0;
}
