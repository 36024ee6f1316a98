// SPDX-License-Identifier: Apache-2.0
// memory: 32768

#include <algorithm>
#include <cstdio>
#include <functional>
#include <iterator>
#include <numeric>
#include <string>
#include <vector>

int main()
{
	std::vector<int> v(20);
	std::iota(v.begin(), v.end(), 1);
	std::vector<int> even;
	std::copy_if(v.begin(), v.end(), std::back_inserter(even),
		     [](int n) { return n % 2 == 0; });
	std::transform(even.begin(), even.end(), even.begin(), [](int n) { return n * n; });
	std::printf("%d %d\n", std::accumulate(even.begin(), even.end(), 0),
		    *std::max_element(even.begin(), even.end()));
	std::vector<std::pair<std::string, int>> people{
		{"Eve", 30}, {"Al", 25}, {"Bo", 30}, {"Cy", 25}};
	std::stable_sort(people.begin(), people.end(),
			 [](auto &a, auto &b) { return a.second < b.second; });
	for (auto &[name, age] : people) {
		std::printf("%s:%d ", name.c_str(), age);
	}
	std::printf("\n%d %d\n", (int)std::binary_search(v.begin(), v.end(), 7), std::gcd(84, 30));
	std::rotate(v.begin(), v.begin() + 5, v.end());
	std::reverse(v.begin(), v.begin() + 3);
	std::printf("%d %d %d\n", v[0], v[2], v[19]);
	std::vector<int> order{1, 2, 3};
	int permutations = 0;
	do {
		permutations++;
	} while (std::next_permutation(order.begin(), order.end()));
	std::function<int(int)> factorial = [&](int n) { return n < 2 ? 1 : n * factorial(n - 1); };
	std::printf("%d %d %d\n", permutations, factorial(10),
		    std::inner_product(order.begin(), order.end(), order.begin(), 0));
	return 0;
}
