#include "median.h"

#include <math.h>
#include <stdlib.h>

#include "ban.h"

static int by_value(const void *a, const void *b)
{
	const double *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

void sort_values(double *values, size_t n)
{
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
