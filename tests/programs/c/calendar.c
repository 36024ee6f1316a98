/* SPDX-License-Identifier: Apache-2.0 */
/* memory: 32768 */

#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int main(void)
{
	static const long long stamps[] = {0, 951782400, 1732752000, 4102444799};
	char text[64];
	struct timespec before, after;

	for (int i = 0; i < 4; i++) {
		time_t stamp = (time_t)stamps[i];
		struct tm parts;

		gmtime_r(&stamp, &parts);
		strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S %a %b %j", &parts);
		printf("%s %d\n", text, timegm(&parts) == stamp);
	}
	clock_gettime(CLOCK_MONOTONIC, &before);
	usleep(2000);
	clock_gettime(CLOCK_MONOTONIC, &after);
	long long passed =
		(after.tv_sec - before.tv_sec) * 1000000000LL + (after.tv_nsec - before.tv_nsec);
	printf("slept %d\n", passed >= 2000000);
	struct timespec pause = {0, 1000000};
	printf("%d %.1f\n", nanosleep(&pause, NULL), difftime(10, 4));
	return 0;
}
