/* SPDX-License-Identifier: Apache-2.0 */

#include <stdint.h>
#include <wisp.h>

#include "check.h"

static void refused(uint32_t output)
{
	uint32_t period = 0;

	EXPECT(wisp_pwm_set(output, 0) == -WISP_EBADF);
	EXPECT(wisp_pwm_period(output, &period) == -WISP_EBADF);
	EXPECT(wisp_pwm_close(output) == -WISP_EBADF);
}

int main(void)
{
	int32_t opened = wisp_pwm_open_str("fan");
	uint32_t fan = (uint32_t)opened;
	uint32_t period = 0;

	EXPECT(opened >= 0);
	EXPECT(wisp_pwm_open_str("battery") == -WISP_EACCES);
	refused(1);
	refused(0xffffffff);
	EXPECT(wisp_pwm_period(fan, &period) == 0 && period == 20000000);
	EXPECT(wisp_pwm_period(fan, NOWHERE) == -WISP_EFAULT);
	EXPECT(wisp_pwm_set(fan, 20000001) == -WISP_EINVAL);
	EXPECT(wisp_pwm_set(fan, 20000000) == 0);
	EXPECT(wisp_pwm_set(fan, 7000) == -WISP_ENOTSUP);
	EXPECT(wisp_pwm_open_str("fan") == opened);
	/* Left active: the host makes it inactive. */
	EXPECT(wisp_pwm_set(fan, 5000000) == 0);
	return 0;
}
