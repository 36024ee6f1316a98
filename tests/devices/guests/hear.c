/* SPDX-License-Identifier: Apache-2.0 */

/* Hears the second report of a device that two apps were granted. */

#include <stdint.h>
#include <wisp.h>

#include "check.h"

BOARD("holds") void holds(void);

int main(void)
{
	struct wisp_input_report report;
	int32_t opened = wisp_input_open_str("keys");

	EXPECT(opened >= 0);
	holds();
	EXPECT(wisp_input_read((uint32_t)opened, WISP_INPUT_FOREVER, &report) == 0);
	EXPECT(report.code == 30 && report.value == 1);
	EXPECT(wisp_input_read((uint32_t)opened, WISP_INPUT_FOREVER, &report) == 0);
	EXPECT(report.code == 30 && report.value == 0);
	return 0;
}
