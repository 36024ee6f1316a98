// SPDX-License-Identifier: Apache-2.0
// memory: 16384

#include <array>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

template <typename T> constexpr T power(T base, unsigned n)
{
	return n == 0 ? T(1) : base * power(base, n - 1);
}

template <typename... T> constexpr auto sum(T... values)
{
	return (values + ...);
}

template <typename T, int N> struct Ring {
	std::array<T, N> slots{};
	int used = 0;
	void push(T value)
	{
		slots[static_cast<std::size_t>(used++ % N)] = value;
	}
	T total() const
	{
		T result{};
		for (const T &slot : slots) {
			result += slot;
		}
		return result;
	}
};

static std::optional<int> half(int n)
{
	return n % 2 ? std::nullopt : std::optional<int>(n / 2);
}

int main()
{
	static_assert(power(2, 10) == 1024);
	Ring<double, 3> ring;
	for (int i = 1; i <= 5; i++) {
		ring.push(i * 1.5);
	}
	std::printf("%.2f %d %.3f\n", ring.total(), sum(1, 2, 3, 4), sum(0.5, 1.25f));
	auto [a, b, c] = std::make_tuple(1, 2.5, 'x');
	std::printf("%d %.1f %c\n", a, b, c);
	std::printf("%d %d\n", half(10).value_or(-1), half(7).value_or(-1));
	std::variant<int, double> either = 2.75;
	if (const double *d = std::get_if<double>(&either)) {
		std::printf("%d %.2f\n", (int)either.index(), *d);
	}
	std::printf("%d %d\n", (int)std::is_same_v<decltype(sum(1, 2LL)), long long>,
		    (int)sizeof(std::int64_t));
	return 0;
}
