// SPDX-License-Identifier: Apache-2.0
// memory: 32768

#include <cstdio>
#include <memory>
#include <vector>

struct Shape {
	virtual ~Shape()
	{
		std::printf("~Shape\n");
	}
	virtual double area() const = 0;
	virtual const char *name() const
	{
		return "shape";
	}
};

struct Circle : Shape {
	explicit Circle(double radius) : radius(radius)
	{
	}
	~Circle() override
	{
		std::printf("~Circle %.1f\n", radius);
	}
	double area() const override
	{
		return 3.14159265358979 * radius * radius;
	}
	const char *name() const override
	{
		return "circle";
	}
	double radius;
};

struct Named {
	virtual ~Named() = default;
	virtual int number() const
	{
		return 1;
	}
};

struct Box final : Shape, Named {
	Box(double w, double h) : w(w), h(h)
	{
	}
	double area() const override
	{
		return w * h;
	}
	int number() const override
	{
		return 2;
	}
	double w, h;
};

int main()
{
	std::vector<std::unique_ptr<Shape>> shapes;
	shapes.push_back(std::make_unique<Circle>(1.5));
	shapes.push_back(std::make_unique<Box>(2, 3.5));
	double total = 0;
	for (const auto &shape : shapes) {
		total += shape->area();
		std::printf("%s %.4f\n", shape->name(), shape->area());
	}
	shapes.pop_back();
	Box box(1, 1);
	const Named &named = box;
	std::printf("%.4f %d\n", total, named.number());
	return 0;
}
