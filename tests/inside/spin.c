// SPDX-License-Identifier: Apache-2.0
// Computes in two functions, ten times more in the first, and sleeps in between.

__attribute__((import_module("wisp:timer@1"), import_name("sleep_ms"))) int sleep_ms(int ms);

unsigned int sum = 0;

void hot(int times)
{
	for (int i = 0; i < times; i++) {
		sum = sum * 3 + i;
	}
}

void cold(int times)
{
	for (int i = 0; i < times; i++) {
		sum = sum * 5 + i;
	}
}

__attribute__((export_name("_start"))) void start(void)
{
	for (;;) {
		hot(20000);
		cold(2000);
		sleep_ms(1);
	}
}
