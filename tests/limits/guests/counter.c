/* SPDX-License-Identifier: Apache-2.0 */

/* The app beside: counts, each millisecond, and must not notice what happens to the other. */

#include <stdint.h>
#include <wisp.h>

__attribute__((import_module("test"), import_name("count"))) void count(uint32_t n);

int main(void)
{
	for (uint32_t n = 1;; n++) {
		count(n);
		wisp_timer_sleep_ms(1);
	}
}
