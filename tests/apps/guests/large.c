/* SPDX-License-Identifier: Apache-2.0 */

static volatile char large[20000];

int main(void)
{
	large[sizeof(large) - 1] = 1;
	return 0;
}
