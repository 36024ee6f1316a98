/* SPDX-License-Identifier: Apache-2.0 */

/* Traps, unless the firmware's function ends its thread before. */

__attribute__((import_module("test"), import_name("before"))) void before(void);

int main(void)
{
	before();
	__builtin_trap();
}
