// SPDX-License-Identifier: Apache-2.0
// memory: 32768

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

struct Tracer {
	explicit Tracer(const char *name) : name(name)
	{
		std::printf("make %s\n", name);
	}
	~Tracer()
	{
		std::printf("drop %s\n", name);
	}
	const char *name;
};

static Tracer global("global");
static std::vector<std::string> words{"built", "before", "main"};
static const int computed = [] { return (int)words.size() * 10; }();

static Tracer &once()
{
	static Tracer local("function's own");
	return local;
}

int main()
{
	std::printf("main %s %d\n", words[2].c_str(), computed);
	once();
	once();
	{
		Tracer scope("scope");
		Tracer *heap = new Tracer("heap");
		Tracer *several = new Tracer[2]{Tracer("first"), Tracer("second")};
		delete heap;
		delete[] several;
	}
	std::atexit([] { std::printf("at exit\n"); });
	return 5;
}
