/* SPDX-License-Identifier: Apache-2.0 */

/* A definition that another one replaces: its debug information stays, and claims the other's
 * place. */

__attribute__((weak)) int split(int index)
{
	for (int i = 0; i < 10; i++) {
		index = index * index + i;
	}
	return index;
}
