/* SPDX-License-Identifier: Apache-2.0 */

/* How text of others is shown in the log and in the shell. */

#ifndef WISP_APP_SHOWN_H_
#define WISP_APP_SHOWN_H_

#include <ctype.h>

/* Returns a character as it is, or a question mark if it could command a terminal. */
static inline char wisp_shown(char character)
{
	return isprint((unsigned char)character) ? character : '?';
}

#endif /* WISP_APP_SHOWN_H_ */
