#include "normal.h"

#include <math.h>

#include "ban.h"

double normal_two_sided(double z)
{
	return erfc(fabs(z) / M_SQRT2);
}

double normal_within(double level)
{
	double low = 0, high = 40;

	/* Each step halves what is left: after 60 of them no double lies between. */
	for (int i = 0; i < 60; i++) {
		double middle = (low + high) / 2;

		if (normal_two_sided(middle) > 1 - level)
			low = middle;
		else
			high = middle;
	}
	return low;
}
