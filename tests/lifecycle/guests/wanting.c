/* SPDX-License-Identifier: Apache-2.0 */

/* Cannot do without a channel that its node does not grant. */

#include <wisp.h>

int main(void)
{
	wisp_lifecycle_confirm();
	return wisp_msg_open_str("other", WISP_MSG_PUBLISH) < 0 ? 1 : 0;
}
