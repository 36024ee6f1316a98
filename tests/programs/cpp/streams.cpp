// SPDX-License-Identifier: Apache-2.0
// memory: 65536

#include <cstdio>
#include <iomanip>
#include <sstream>
#include <string>

int main()
{
	std::ostringstream out;
	out << "value " << 42 << ' ' << std::fixed << std::setprecision(3) << 3.14159 << ' '
	    << std::hex << 255 << ' ' << std::boolalpha << true << std::setw(6) << "end";
	std::puts(out.str().c_str());
	std::istringstream in("10 2.5 word\nsecond line");
	int n;
	double d;
	std::string word, rest;
	in >> n >> d >> word;
	std::getline(in >> std::ws, rest);
	std::printf("%d %.1f %s [%s]\n", n, d, word.c_str(), rest.c_str());
	return 0;
}
