// SPDX-License-Identifier: Apache-2.0
// refused: -frtti

struct A {
	virtual ~A() = default;
};
struct B : A {
};

int main()
{
	A *a = new B;
	return dynamic_cast<B *>(a) == nullptr;
}
