// SPDX-License-Identifier: Apache-2.0
// trap: unreachable
// stdout: begin
// stderr: Pure virtual function called!

#include <cstdio>

struct Base {
	Base()
	{
		early();
	}
	virtual ~Base() = default;
	void early()
	{
		call();
	}
	virtual void call() = 0;
};
struct Derived : Base {
	void call() override
	{
		std::puts("derived");
	}
};

int main()
{
	std::puts("begin");
	std::fflush(stdout);
	Derived d;
	return 0;
}
