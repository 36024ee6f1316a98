// SPDX-License-Identifier: Apache-2.0
// memory: 32768

#include <cmath>
#include <cstdio>
#include <vector>

class Matrix
{
      public:
	Matrix(int n) : n_(n), cells_((std::size_t)(n * n))
	{
	}
	double &operator()(int i, int j)
	{
		return cells_[(std::size_t)(i * n_ + j)];
	}
	double operator()(int i, int j) const
	{
		return cells_[(std::size_t)(i * n_ + j)];
	}
	Matrix operator*(const Matrix &other) const
	{
		Matrix result(n_);
		for (int i = 0; i < n_; i++) {
			for (int j = 0; j < n_; j++) {
				for (int k = 0; k < n_; k++) {
					result(i, j) += (*this)(i, k) * other(k, j);
				}
			}
		}
		return result;
	}
	double trace() const
	{
		double sum = 0;
		for (int i = 0; i < n_; i++) {
			sum += (*this)(i, i);
		}
		return sum;
	}

      private:
	int n_;
	std::vector<double> cells_;
};

int main()
{
	Matrix m(12);
	for (int i = 0; i < 12; i++) {
		for (int j = 0; j < 12; j++) {
			m(i, j) = std::sin(i + 1) / (j + 1);
		}
	}
	Matrix p = m * m * m;
	std::printf("%.9f %.6e %g\n", p.trace(), p(3, 4), std::floor(p(0, 0) * 100));
	return 0;
}
