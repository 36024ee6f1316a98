// SPDX-License-Identifier: Apache-2.0
// memory: 32768

#include <bitset>
#include <chrono>
#include <complex>
#include <cstdio>
#include <random>

int main()
{
	std::mt19937 engine(42);
	std::minstd_rand small(7);
	unsigned first = (unsigned)engine(), second = (unsigned)engine();
	std::printf("%u %u %u\n", first, second, (unsigned)small());
	std::bitset<16> bits("1011001");
	bits.set(15).flip(0);
	std::printf("%s %d %lu\n", bits.to_string().c_str(), (int)bits.count(), bits.to_ulong());
	using namespace std::chrono;
	auto time = hours(1) + minutes(2) + milliseconds(3500);
	std::printf("%d %d\n", (int)duration_cast<seconds>(time).count(), time > minutes(62));
	auto start = steady_clock::now();
	std::printf("%d\n", steady_clock::now() >= start);
	std::complex<double> c(1, 2);
	c *= c;
	std::printf("%.1f %.1f %.4f\n", c.real(), c.imag(), std::abs(c));
	return 0;
}
