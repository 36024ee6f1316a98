/* SPDX-License-Identifier: Apache-2.0 */

__attribute__((import_module("test"), import_name("absent"))) void absent(void);

int main(void)
{
	absent();
	return 0;
}
