/* SPDX-License-Identifier: Apache-2.0 */

/* The converter fails three times, in ways of its own, and goes well then. */

#include <stdint.h>
#include <wisp.h>

#include "check.h"

int main(void)
{
	int32_t opened = wisp_adc_open_str("battery");
	uint32_t battery = (uint32_t)opened;
	int32_t value = -1;

	EXPECT(opened >= 0);
	EXPECT(wisp_adc_read(battery, &value) == -WISP_EBUSY);
	EXPECT(wisp_adc_read_uv(battery, &value) == -WISP_ETIMEDOUT);
	EXPECT(wisp_adc_read(battery, &value) == -WISP_EIO);
	/* Nothing was written. */
	EXPECT(value == -1);
	EXPECT(wisp_adc_read(battery, &value) == 0 && value > 0);
	return 0;
}
