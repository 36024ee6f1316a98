/* SPDX-License-Identifier: Apache-2.0 */

#include <stdint.h>
#include <wisp.h>

#include "check.h"

static void refused(uint32_t output)
{
	EXPECT(wisp_dac_write(output, 0) == -WISP_EBADF);
	EXPECT(wisp_dac_resolution(output) == -WISP_EBADF);
	EXPECT(wisp_dac_close(output) == -WISP_EBADF);
}

int main(void)
{
	int32_t opened = wisp_dac_open_str("level");
	uint32_t level = (uint32_t)opened;

	EXPECT(opened >= 0);
	EXPECT(wisp_dac_open_str("battery") == -WISP_EACCES);
	EXPECT(wisp_dac_open(NOWHERE, 5) == -WISP_EFAULT);
	refused(1);
	refused(0xffffffff);
	EXPECT(wisp_dac_resolution(level) == 10);
	EXPECT(wisp_dac_write(level, 1024) == -WISP_EINVAL);
	EXPECT(wisp_dac_write(level, 1023) == 0);
	/* The converter fails at this value. */
	EXPECT(wisp_dac_write(level, 13) == -WISP_EIO);
	EXPECT(wisp_dac_open_str("level") == opened);
	/* The converter has no such output. */
	EXPECT(wisp_dac_open_str("missing") == -WISP_ENOTSUP);
	/* Left behind: the host sets it to 0. */
	EXPECT(wisp_dac_write(level, 512) == 0);
	return 0;
}
