/* SPDX-License-Identifier: Apache-2.0 */

#include <stdint.h>
#include <wisp.h>

#include "check.h"

static void refused(uint32_t channel)
{
	int32_t value = 0;

	EXPECT(wisp_adc_read(channel, &value) == -WISP_EBADF);
	EXPECT(wisp_adc_read_uv(channel, &value) == -WISP_EBADF);
	EXPECT(wisp_adc_resolution(channel) == -WISP_EBADF);
	EXPECT(wisp_adc_close(channel) == -WISP_EBADF);
}

int main(void)
{
	int32_t battery = wisp_adc_open_str("battery");
	int32_t rail = wisp_adc_open_str("rail");
	int32_t value = 0;

	EXPECT(battery >= 0 && rail >= 0 && battery != rail);
	EXPECT(wisp_adc_open_str("fan") == -WISP_EACCES);
	refused(2);
	refused(0xffffffff);
	EXPECT(wisp_adc_resolution((uint32_t)battery) == 12);
	EXPECT(wisp_adc_resolution((uint32_t)rail) == 10);

	/* 1.65 V of 3.3 V, and 3.3 V with a gain of one half. */
	EXPECT(wisp_adc_read((uint32_t)battery, &value) == 0);
	EXPECT(value >= 2046 && value <= 2048);
	EXPECT(wisp_adc_read((uint32_t)rail, &value) == 0);
	EXPECT(value >= 510 && value <= 512);
	EXPECT(wisp_adc_read_uv((uint32_t)battery, &value) == 0);
	EXPECT(value >= 1648000 && value <= 1651000);
	EXPECT(wisp_adc_read_uv((uint32_t)rail, &value) == 0);
	EXPECT(value >= 3290000 && value <= 3301000);

	EXPECT(wisp_adc_read((uint32_t)battery, NOWHERE) == -WISP_EFAULT);
	EXPECT(wisp_adc_close((uint32_t)battery) == 0);
	refused((uint32_t)battery);
	return 0;
}
