// SPDX-License-Identifier: Apache-2.0
// memory: 32768

#include <cstdio>
#include <string>
#include <string_view>

static int words(std::string_view text)
{
	int count = 0;
	while (!text.empty()) {
		auto start = text.find_first_not_of(' ');
		if (start == std::string_view::npos) {
			break;
		}
		text.remove_prefix(start);
		auto end = std::min(text.find(' '), text.size());
		count++;
		text.remove_prefix(end);
	}
	return count;
}

int main()
{
	std::string text = "The value";
	text += " is " + std::to_string(42) + ", " + std::to_string(2.5) + '!';
	std::printf("%s %d\n", text.c_str(), (int)text.size());
	std::printf("%d %d %s\n", (int)text.find("is"),
		    (int)(text.find("none") == std::string::npos), text.substr(4, 5).c_str());
	text.replace(0, 3, "A").insert(1, " new").append(3, '?');
	std::printf("%s\n", text.c_str());
	std::printf("%d %ld %.3f\n", std::stoi("123abc"), std::stol("-77"), std::stod("1.25e2"));
	std::printf("%d %d\n", words("  one two   three "),
		    std::string("abc") < std::string("abd"));
	std::string reversed(text.rbegin(), text.rend());
	std::printf("%s\n", reversed.c_str());
	std::string big(3000, 'x');
	std::printf("%d %c\n", (int)big.size(), big[2999]);
	return 0;
}
