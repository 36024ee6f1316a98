// SPDX-License-Identifier: Apache-2.0
// Counts milliseconds until somebody writes to `go`.

__attribute__((import_module("wisp:timer@1"), import_name("sleep_ms"))) int sleep_ms(int ms);

volatile int go = 0;
unsigned int count = 0;

__attribute__((export_name("_start"))) void start(void)
{
	while (!go) {
		sleep_ms(1);
		count++;
	}
}
