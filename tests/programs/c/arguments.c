/* SPDX-License-Identifier: Apache-2.0 */
/* memory: 16384 */
/* args: one two "three four" -5 */
/* env: ROOM=kitchen */

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
	printf("%d\n", argc);
	for (int i = 1; i < argc; i++) {
		printf("[%s]\n", argv[i]);
	}
	printf("%s %d\n", getenv("ROOM"), getenv("NOTHING") == NULL);
	return argc;
}
