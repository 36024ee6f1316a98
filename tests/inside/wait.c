// SPDX-License-Identifier: Apache-2.0
// Counts until somebody writes to `go`.

volatile int go = 0;
unsigned int count = 0;

__attribute__((export_name("_start"))) void start(void)
{
	while (!go) {
		count++;
	}
}
