// SPDX-License-Identifier: Apache-2.0
// memory: 32768

#include <cstdio>
#include <memory>
#include <new>
#include <utility>

static int allocations;

struct Counted {
	static void *operator new(std::size_t size)
	{
		allocations++;
		return ::operator new(size);
	}
	static void operator delete(void *p)
	{
		allocations--;
		::operator delete(p);
	}
	int value = 7;
};

struct Node {
	std::shared_ptr<Node> next;
	std::weak_ptr<Node> previous;
	int id;
	explicit Node(int id) : id(id)
	{
	}
	~Node()
	{
		std::printf("node %d gone\n", id);
	}
};

int main()
{
	{
		std::unique_ptr<Counted> one(new Counted), two = std::make_unique<Counted>();
		std::printf("%d %d\n", allocations, one->value);
		two = std::move(one);
		std::printf("%d %d\n", allocations, one == nullptr);
	}
	std::printf("%d\n", allocations);
	auto first = std::make_shared<Node>(1);
	first->next = std::make_shared<Node>(2);
	first->next->previous = first;
	int uses = (int)first.use_count();
	std::printf("%d %d\n", uses, first->next->previous.lock()->id);
	std::weak_ptr<Node> watch = first->next;
	first.reset();
	std::printf("%d\n", watch.expired());
	alignas(Counted) unsigned char place[sizeof(Counted)];
	Counted *there = ::new (place) Counted;
	std::printf("%d\n", there->value);
	there->~Counted();
	int *volatile none = new (std::nothrow) int[(std::size_t)-1 >> 4];
	std::printf("%d\n", none == nullptr);
	return 0;
}
