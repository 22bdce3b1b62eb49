/* mann_kendall - whether values go up or down with time, whatever the shape of it.
 *
 * The test of Mann (1945) and Kendall (1975): S counts the pairs in which the later value is the
 * larger one, less those in which it is the smaller one. It knows nothing of sizes, so that one
 * wild value does not matter.
 */
#ifndef MAILPROBE_MANN_KENDALL_H
#define MAILPROBE_MANN_KENDALL_H

#include <stddef.h>

#include "point.h"

struct mann_kendall {
	double s;
	double variance; /* of S if there is no trend; corrected for equal values */
	double z;        /* with the correction for continuity; 0 if all values are equal */
	double p;        /* of a z so far from 0 by chance, on either side */
};

/* Of n points in ascending order of x, no two of which are equal. Time grows with n * n. The
 * normal approximation is fit for n from 10 on. */
struct mann_kendall mann_kendall(const struct point *points, size_t n);

#endif
