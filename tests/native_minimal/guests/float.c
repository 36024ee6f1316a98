/* SPDX-License-Identifier: Apache-2.0 */

#include <wisp.h>

static volatile double x = 1.5;

__attribute__((export_name("_start"))) void _start(void)
{
	x = x * x;
}
