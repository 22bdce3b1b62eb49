/* normal - the standard normal distribution. */
#ifndef MAILPROBE_NORMAL_H
#define MAILPROBE_NORMAL_H

/* The probability of a value that lies at least as far from 0 as z, on either side. */
double normal_two_sided(double z);

/* The z that a share `level` (0 < level < 1) of values lie within, on either side of 0: 1.96 for
 * 0.95. */
double normal_within(double level);

#endif
