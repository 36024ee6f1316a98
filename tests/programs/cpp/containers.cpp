// SPDX-License-Identifier: Apache-2.0
// memory: 65536

#include <algorithm>
#include <cstdio>
#include <deque>
#include <list>
#include <map>
#include <queue>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

int main()
{
	std::vector<int> numbers{5, 3, 9, 1, 7};
	std::map<std::string, std::vector<int>> groups;
	std::unordered_map<int, int> squares;
	std::set<char> letters;
	std::deque<int> line;
	std::list<int> chain;
	std::priority_queue<int> heap;

	for (int n : numbers) {
		groups[n % 2 ? "odd" : "even"].push_back(n);
		groups[n > 4 ? "large" : "small"].push_back(n);
		line.push_front(n);
		line.push_back(-n);
		chain.insert(chain.begin(), n);
		heap.push(n);
	}
	for (const auto &[name, members] : groups) {
		std::printf("%s:", name.c_str());
		for (int n : members) {
			std::printf(" %d", n);
		}
		std::printf("\n");
	}
	for (int i = 0; i < 100; i++) {
		squares[i] = i * i;
	}
	std::printf("%d %d %d\n", squares.at(9), (int)squares.size(), (int)squares.count(100));
	for (char c : std::string("mississippi")) {
		letters.insert(c);
	}
	std::printf("%s\n", std::string(letters.begin(), letters.end()).c_str());
	chain.sort();
	chain.remove(7);
	for (int n : chain) {
		std::printf("%d ", n);
	}
	std::printf("| %d %d |", line.front(), line.back());
	while (!heap.empty()) {
		std::printf(" %d", heap.top());
		heap.pop();
	}
	std::printf("\n");
	numbers.erase(std::remove_if(numbers.begin(), numbers.end(), [](int n) { return n > 6; }),
		      numbers.end());
	std::printf("%d %d\n", (int)numbers.size(), numbers.back());
	return 0;
}
