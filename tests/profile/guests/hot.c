/* SPDX-License-Identifier: Apache-2.0 */

/* Does most of its work in the function that the firmware wants. */

__attribute__((import_module("test"), import_name("wanted"))) int wanted(void);
__attribute__((import_module("test"), import_name("busy"))) void busy(int us);
__attribute__((import_module("wisp:timer@1"), import_name("sleep_ms"))) int sleep_ms(int ms);

#define WORK(name, statement)                                                                      \
	__attribute__((noinline)) static void name(int times)                                      \
	{                                                                                          \
		for (int i = 0; i < times; i++) {                                                  \
			statement;                                                                 \
		}                                                                                  \
	}

volatile unsigned int sum = 1;
volatile unsigned int mixed = 1;
volatile double product = 1;
volatile int calls;

WORK(adds, sum += sum * 3 + i)
WORK(mixes, mixed = (mixed << 3) ^ (mixed >> 5) ^ i)
WORK(multiplies, product = product * 1.0001 + 1)
WORK(waits, busy(900); calls += 1)
WORK(pauses, busy(900); calls -= 1)

/* Called through pointers, so that the compiler of native code joins no two of them. */
static void (*const volatile works[])(int times) = {adds, mixes, multiplies, waits, pauses};

int main(void)
{
	int most = wanted();

	for (;;) {
		if (most == 5) {
			(void)sleep_ms(20);
		} else if (most < 3) {
			works[0](most == 0 ? 2000 : 100);
			works[1](most == 1 ? 2000 : 100);
			works[2](most == 2 ? 400 : 10);
		} else {
			works[3](most == 3 ? 10 : 1);
			works[4](most == 4 ? 10 : 1);
		}
	}
}
