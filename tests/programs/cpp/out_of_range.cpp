// SPDX-License-Identifier: Apache-2.0
// trap: unreachable
// stdout: three elements
// stderr: out_of_range

#include <cstdio>
#include <vector>

int main()
{
	std::vector<int> v{1, 2, 3};
	std::puts("three elements");
	return v.at((std::size_t)v[2]);
}
