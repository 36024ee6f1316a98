/* SPDX-License-Identifier: Apache-2.0 */

/* Dims the lamp in the hall, with functions that only this firmware has. */

#include <stdint.h>
#include <stdio.h>
#include <string.h>

__attribute__((import_module("acme:lamp@1"), import_name("set"))) int32_t
lamp_set(const char *name, uint32_t length, uint32_t percent);

__attribute__((import_module("acme:lamp@1"), import_name("fade"))) void
lamp_fade(uint32_t milliseconds);

int main(void)
{
	static const char hall[] = "hall";

	for (uint32_t percent = 20; percent <= 80; percent += 20) {
		int32_t error = lamp_set(hall, sizeof(hall) - 1, percent);

		if (error != 0) {
			printf("%u %% is refused: %d\n", (unsigned int)percent, (int)error);
			return 0;
		}
		lamp_fade(50);
	}
	return 0;
}
