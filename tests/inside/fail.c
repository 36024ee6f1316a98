// SPDX-License-Identifier: Apache-2.0
// Divides by the distance of two random numbers until it is zero, and sleeps between.

__attribute__((import_module("wasi_snapshot_preview1"), import_name("random_get"))) int random_get(void *to, int length);
__attribute__((import_module("wisp:timer@1"), import_name("sleep_ms"))) int sleep_ms(int ms);

static unsigned char bytes[2];
int rounds = 0;
int sum = 0;

static int divide(int by)
{
	int result = 1000 / by;

	return result;
}

__attribute__((export_name("_start"))) void start(void)
{
	for (;;) {
		random_get(bytes, sizeof(bytes));
		sum += divide((bytes[0] & 7) - (bytes[1] & 7));
		rounds++;
		sleep_ms(1);
	}
}
