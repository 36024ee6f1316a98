/* SPDX-License-Identifier: Apache-2.0 */

#include <stdint.h>

/* The firmware's takes an i64. */
__attribute__((import_module("test"), import_name("report"))) void report(uint32_t value);

int main(void)
{
	report(1);
	return 0;
}
