/* SPDX-License-Identifier: Apache-2.0 */

/* Needs a channel, which no node here grants. */

#include <wisp.h>

int main(void)
{
	return wisp_msg_open_str("anything", WISP_MSG_PUBLISH);
}
