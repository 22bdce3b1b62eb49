/* median - the middle of values, and how far they lie about it. */
#ifndef MAILPROBE_MEDIAN_H
#define MAILPROBE_MEDIAN_H

#include <stddef.h>

/* Puts values in ascending order. */
void sort_values(double *values, size_t n);

/* Of n > 0 values, which it puts in order: the middle one, or the mean of the two in the middle. */
double median(double *values, size_t n);

/* The median of the distances from `middle`, of n > 0 values, which become their distances. Times
 * MAD_SIGMA it estimates the standard deviation of values that are normally distributed. */
double median_deviation(double *values, size_t n, double middle);

#define MAD_SIGMA 1.4826

#endif
