/* SPDX-License-Identifier: Apache-2.0 */
/* memory: 32768 */

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

int main(void)
{
	wchar_t wide[32];
	char text[64];

	if (setlocale(LC_ALL, "C.UTF-8") == NULL) {
		return 1;
	}
	size_t count = mbstowcs(wide, "gr\xc3\xbc\xc3\x9f \xe2\x82\xac", 32);
	printf("%d %x %x\n", (int)count, (unsigned)wide[2], (unsigned)wide[5]);
	wcstombs(text, wide, sizeof(text));
	printf("%s %d\n", text, (int)wcslen(wide));
	printf("%ls|%lc\n", wide, (wint_t)wide[3]);
	return 0;
}
