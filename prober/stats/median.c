#include "median.h"

#include <math.h>
#include <stdlib.h>

#include "ban.h"

static int by_value(const void *a, const void *b)
{
	const double *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

/* Up to here, qsort's calls of by_value cost more than the steps that it spares. */
#define FEW 1000

/* By Shell's method, with the gaps of Ciura (2001). */
static void sort_few(double *values, size_t n)
{
	static const size_t gaps[] = {301, 132, 57, 23, 10, 4, 1};

	for (size_t g = 0; g < sizeof(gaps) / sizeof(gaps[0]); g++)
		for (size_t i = gaps[g]; i < n; i++) {
			double value = values[i];
			size_t at = i;

			for (; at >= gaps[g] && values[at - gaps[g]] > value; at -= gaps[g])
				values[at] = values[at - gaps[g]];
			values[at] = value;
		}
}

void sort_values(double *values, size_t n)
{
	if (n <= FEW)
		sort_few(values, n);
	else
		qsort(values, n, sizeof(*values), by_value);
}

double median(double *values, size_t n)
{
	sort_values(values, n);
	return n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

double median_deviation(double *values, size_t n, double middle)
{
	for (size_t i = 0; i < n; i++)
		values[i] = fabs(values[i] - middle);
	return median(values, n);
}
