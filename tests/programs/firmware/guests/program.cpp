// SPDX-License-Identifier: Apache-2.0

#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <vector>

struct Global {
	Global()
	{
		constructed++;
	}
	~Global()
	{
		std::puts("in C++: destroyed");
	}
	static int constructed;
};
int Global::constructed;
static Global global;

struct Shape {
	virtual ~Shape() = default;
	virtual double area() const = 0;
};
struct Square : Shape {
	double area() const override
	{
		return 2.5 * 2.5;
	}
};
struct Circle : Shape {
	double area() const override
	{
		return 3.14159 * 1.5 * 1.5;
	}
};

int main()
{
	std::printf("in C++: constructed %d before main\n", Global::constructed);
	std::map<std::string, int> numbers{{"one", 1}, {"two", 2}, {"three", 3}};
	std::string line = "in C++:";
	for (const auto &[name, value] : numbers) {
		line += " " + name + "=" + std::to_string(value);
	}
	std::puts(line.c_str());
	std::vector<std::unique_ptr<Shape>> shapes;
	shapes.push_back(std::make_unique<Square>());
	shapes.push_back(std::make_unique<Circle>());
	std::printf("in C++: square %.2f, circle %.2f\n", shapes[0]->area(), shapes[1]->area());
	return static_cast<int>(numbers.size());
}
