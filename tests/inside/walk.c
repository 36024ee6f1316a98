// SPDX-License-Identifier: Apache-2.0
// Adds the squares of the even numbers of a list, then divides by a number that is zero.

struct pair {
	int first;
	long long second;
};

static int numbers[4] = {4, 7, 10, 2};
int divisor = 0;

static int square(int value)
{
	int result = value * value;

	return result;
}

static int sum_of_even(const int *list, int count)
{
	int sum = 0;

	for (int i = 0; i < count; i++) {
		if (list[i] % 2 == 0) {
			sum += square(list[i]);
		}
	}
	return sum;
}

__attribute__((export_name("_start"))) void start(void)
{
	struct pair pair = {3, 5000000000LL};
	double half = 0.5;
	int total = sum_of_even(numbers, 4);

	pair.first += total;
	half += pair.first;
	numbers[0] = total / divisor;
}
