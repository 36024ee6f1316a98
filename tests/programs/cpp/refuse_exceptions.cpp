// SPDX-License-Identifier: Apache-2.0
// refused: exceptions disabled

#include <stdexcept>

int main()
{
	try {
		throw std::runtime_error("no");
	} catch (const std::exception &) {
		return 1;
	}
}
