/* The statistics against examples that were worked out in print, with the source of each. Against a
 * reference implementation: tests/stats. */
#include <float.h>

#include "forecast.h"
#include "growth.h"
#include "histogram.h"
#include "mann_kendall.h"
#include "median.h"
#include "normal.h"
#include "percentile.h"
#include "cycle.h"
#include "step_change.h"
#include "tap.h"
#include "theil_sen.h"

static struct point points[400];

static void fill(const double *values, size_t n)
{
	for (size_t i = 0; i < n; i++)
		points[i] = (struct point){(double)i + 1, values[i]};
}

/* Any table of the normal distribution. */
static void test_normal(void)
{
	is_near(normal_two_sided(1.959964), 0.05, 1e-7, "1.96 is exceeded by 5 %");
	is_near(normal_two_sided(-2.575829), 0.01, 1e-7, "-2.58 by 1 %");
	is_near(normal_within(0.8), 1.281552, 1e-6, "80 % lie within 1.28");
	is_near(normal_within(0.95), 1.959964, 1e-6, "95 % lie within 1.96");
}

static void test_median(void)
{
	/* Of 1 1 2 2 4 6 9 the median is 2 and the distances from it have the median 1. */
	double values[] = {9, 1, 4, 2, 1, 6, 2}, four[] = {4, 1, 3, 2};

	is_near(median(values, 7), 2, 0, "a median");
	is_near(median_deviation(values, 7, 2), 1, 0, "the median distance from it");
	is_near(median(four, 4), 2.5, 0, "between the two in the middle");
}

/* Gilbert, Statistical Methods for Environmental Pollution Monitoring (1987), chapter 16:
 * 10 15 14 20 have S = 4; the variance for nine values with groups of 2, 3 and 3 equal ones. */
static void test_mann_kendall_gilbert(void)
{
	static const double four[] = {10, 15, 14, 20};
	static const double tied[] = {23, 24, 1, 6, 1, 24, 24, 1, 23};

	fill(four, 4);
	is_near(mann_kendall(points, 4).s, 4, 0, "Gilbert: S of 10 15 14 20");
	fill(tied, 9);
	is_near(mann_kendall(points, 9).variance, 1506.0 / 18, 1e-9,
		"Gilbert: the variance with ties");
}

/* Hollander and Wolfe, Nonparametric Statistical Methods, section 8.1 (lightness of tuna, here in the
 * order of x): K = 16, and p = 0.119 by the exact distribution. */
static void test_mann_kendall_hollander(void)
{
	static const double y[] = {2.5, 4.0, 2.6, 3.6, 2.8, 3.1, 5.2, 5.0, 3.8};
	struct mann_kendall test;

	fill(y, 9);
	test = mann_kendall(points, 9);
	is_near(test.s, 16, 0, "Hollander: K");
	is_near(test.variance, 92, 1e-9, "its variance, 9 * 8 * 23 / 18");
	is_near(test.p, 0.119, 0.002, "p");
	for (size_t i = 0; i < 9; i++)
		points[i].y = 7;
	test = mann_kendall(points, 9);
	ok(test.p >= 1 && !(fabs(test.z) > 0), "no trend in equal values");
}

/* Hollander, Wolfe and Chicken, Nonparametric Statistical Methods, example 9.1 (cloud seeding):
 * C = -6, slope -0.056. Helsel, section 10.1: 1 2 3 4 5 16 7 have the line Y = 0 + 1 X. */
static void test_theil_sen(void)
{
	static const double cloud[] = {1.26, 1.27, 1.12, 1.16, 1.03};
	static const double wild[] = {1, 2, 3, 4, 5, 16, 7};
	struct theil_sen line;

	fill(cloud, 5);
	is_near(mann_kendall(points, 5).s, -6, 0, "Hollander: C");
	theil_sen(points, 5, 0.95, &line);
	is_near(line.slope, -0.056, 0.0005, "the slope");
	/* z * sqrt(5 * 4 * 15 / 18) = 8.0: the slopes of ranks 1 and 10. */
	ok(line.slope_low == -0.15 || fabs(line.slope_low + 0.15) < 1e-12, "its lower bound");
	is_near(line.slope_high, 0.04, 1e-12, "its upper bound");
	fill(wild, 7);
	theil_sen(points, 7, 0.95, &line);
	is_near(line.slope, 1, 1e-12, "Helsel: a wild value does not move the slope");
	is_near(line.intercept, 0, 1e-12, "nor the line");
}

/* Ranks that enclose the median, as tables have them ("confidence intervals for the population
 * median"): with at least 95 %, and how much they do. */
static void test_median_ranks(void)
{
	static const struct {
		size_t n, low, high;
		double coverage;
	} rows[] = {{5, 0, 0, 0}, {6, 1, 6, 0.969}, {10, 2, 9, 0.979}, {17, 5, 13, 0.951},
		{18, 5, 14, 0.969}, {20, 6, 15, 0.959}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct percentile_interval ranks = percentile_interval(rows[i].n, 50, 0.95);

		ok(ranks.low == rows[i].low && ranks.high == rows[i].high,
			"%zu values: ranks %zu to %zu", rows[i].n, ranks.low, ranks.high);
		if (ranks.low > 0)
			is_near(percentile_coverage(rows[i].n, 50, ranks.low, ranks.high),
				rows[i].coverage, 0.0005, "their level");
	}
}

/* Conover, Practical Nonparametric Statistics, section 3.2: of 16 transistors, the 9th and the
 * 15th in order enclose the upper quartile with 0.9094. */
static void test_quantile_ranks(void)
{
	struct percentile_interval ranks;

	is_near(percentile_coverage(16, 75, 9, 15), 0.9094, 0.0001, "Conover: the upper quartile");
	/* 0.95^n falls below 2.5 % at 72, 0.99^n at 368. */
	ok(percentile_interval(71, 95, 0.95).high == 0, "p95 of 71 values has no upper bound");
	ok(percentile_interval(72, 95, 0.95).high == 72, "of 72 values, the largest");
	ok(percentile_interval(367, 99, 0.95).high == 0, "nor has p99 of 367");
	ok(percentile_interval(368, 99, 0.95).high == 368, "of 368 values, the largest");
	ranks = percentile_interval(8640, 99, 0.95);
	/* 8553.6 -+ 1.96 * 9.25 by the normal approximation. */
	ok(ranks.low >= 8534 && ranks.low <= 8537 && ranks.high >= 8571 && ranks.high <= 8574,
		"30 days at 5 minutes: ranks %zu to %zu", ranks.low, ranks.high);
	ok(percentile_interval(0, 50, 0.95).low == 0, "nothing of nothing");
}

static double wave(size_t i)
{
	return exp(-8 + 16 * fabs(sin((double)i * 1.7)));
}

static int by_size(const void *a, const void *b)
{
	const double *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

static void test_histogram_error(void)
{
	enum { N = 20000 };
	static double all[N];
	struct histogram whole = {0}, parts[2] = {{0}}, sum = {0};
	double worst = 0;
	bool same = true;

	for (size_t i = 0; i < N; i++) {
		all[i] = wave(i);
		histogram_add(&whole, all[i], 1);
		histogram_add(&parts[i % 2], all[i], 1);
	}
	qsort(all, N, sizeof(all[0]), by_size);
	histogram_merge(&sum, &parts[1]);
	histogram_merge(&sum, &parts[0]);
	for (unsigned int percent = 0; percent <= 100; percent++) {
		size_t rank = (percent * N + 99) / 100;
		double exact = all[rank > 0 ? rank - 1 : 0];
		double value = histogram_quantile(&whole, percent);

		worst = fmax(worst, fabs(value - exact) / exact);
		same = same && fabs(value - histogram_quantile(&sum, percent)) <= 0;
	}
	diag("largest error %.3f %%, %zu buckets", 100 * worst, whole.count);
	ok(worst <= 0.011, "percentiles of 20,000 values are at most 1.1 %% off");
	ok(worst > 0.005, "and are read off buckets");
	ok(same && sum.n == N, "two halves that are added say the same");
	histogram_clear(&whole);
	histogram_clear(&sum);
	histogram_clear(&parts[0]);
	histogram_clear(&parts[1]);
	ok(sum.n == 0 && sum.count == 0, "and empty again");
}

static void test_histogram_odd(void)
{
	static const double values[] = {-5, -DBL_MAX, 0, -0.0, DBL_MIN, DBL_MAX, 4.9e-324, 1, 2};
	struct histogram histogram = {0};

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		histogram_add(&histogram, values[i], 1);
	ok(histogram_quantile(&histogram, 0) <= -DBL_MAX, "the smallest is exact");
	ok(histogram_quantile(&histogram, 100) >= DBL_MAX, "the largest is exact");
	is_near(histogram_quantile(&histogram, 22), -5, 0.055, "negative values have their place");
	is_near(histogram_quantile(&histogram, 40), 0, 0, "and zero");
	is_near(histogram_quantile(&histogram, 77), 1, 0.011, "a value on the edge of a bucket");
	histogram_clear(&histogram);
	histogram_add(&histogram, 3, 1);
	is_near(histogram_quantile(&histogram, 50), 3, 0, "one value is itself");
	histogram_clear(&histogram);
}

/* The flow of the Nile at Aswan, 1871 to 1970 (Cobb, Biometrika 65, 1978): it fell between 1898 and
 * 1899, from a mean of 1097.75 to one of 849.97. */
static const double nile[100] = {1120, 1160, 963, 1210, 1160, 1160, 813, 1230, 1370, 1140, 995, 935,
	1110, 994, 1020, 960, 1180, 799, 958, 1140, 1100, 1210, 1150, 1250, 1260, 1220, 1030, 1100,
	774, 840, 874, 694, 940, 833, 701, 916, 692, 1020, 1050, 969, 831, 726, 456, 824, 702, 1120,
	1100, 832, 764, 821, 768, 845, 864, 862, 698, 845, 744, 796, 1040, 759, 781, 865, 845, 944,
	984, 897, 822, 1010, 771, 676, 649, 846, 812, 742, 801, 1040, 860, 874, 848, 890, 744, 749,
	838, 1050, 918, 986, 797, 923, 975, 815, 1020, 906, 901, 1170, 912, 746, 919, 718, 714,
	740};

static void test_nile(void)
{
	struct step_change step;
	double before = 0, after = 0;

	for (size_t i = 0; i < 100; i++)
		*(i < 28 ? &before : &after) += nile[i];
	is_near(before / 28, 1097.75, 0.005, "the data are those in print");
	is_near(after / 72, 849.97, 0.005, "in the second part, too");
	fill(nile, 100);
	step_change(points, 100, &step);
	is_integer((long long)step.index, 28, "the Nile fell after 28 years, in 1899");
	ok(step.p < 1e-4, "which is no chance (p = %.2g)", step.p);
	ok(step.found, "and is told, though not twice as high as the scatter");
}

static double noise(size_t i)
{
	return sin((double)(i * i) * 0.7);
}

static void test_steps(void)
{
	struct step_change step;

	for (size_t i = 0; i < 168; i++)
		points[i] = (struct point){(double)i, 10 + 0.5 * noise(i) + (i >= 140 ? 3 : 0)};
	points[20].y = 500;
	step_change(points, 168, &step);
	ok(step.found, "3 s more for 28 hours of a week");
	is_integer((long long)step.index, 140, "from the hour on");
	is_near(step.after - step.before, 3, 0.3, "by so much");
	for (size_t i = 0; i < 168; i++)
		points[i].y = 10 + 0.05 * (double)i + 0.5 * noise(i);
	step_change(points, 168, &step);
	ok(step.p < 0.01 && !step.found, "slow growth is no step");
	for (size_t i = 0; i < 168; i++)
		points[i].y = 10 + 3 * sin((double)i * M_PI / 12) + 0.5 * noise(i);
	step_change(points, 168, &step);
	ok(!step.found, "nor is a daily cycle");
	for (size_t i = 0; i < 168; i++)
		points[i].y = 10 + noise(i) * noise(i + 1);
	step_change(points, 168, &step);
	ok(!step.found, "nor noise");
	for (size_t i = 0; i < 168; i++)
		points[i].y = i < 84 ? 100 : 109;
	step_change(points, 168, &step);
	ok(!step.found, "nor 9 per cent more, however sharp");
	for (size_t i = 0; i < 168; i++)
		points[i].y = 10 + 1.4 * noise(i) + (i >= 84 ? 1.3 : 0);
	step_change(points, 168, &step);
	ok(step.p < 0.001 && !step.found, "nor what is no chance, but small beside the scatter");
	step_change(points, 1, &step);
	ok(!step.found && step.p == 1, "nor one value");
}

/* A week of hours with a daily cycle and, from hour `at` on, 3 more. */
static struct step_change in_cycle(size_t at, double size)
{
	struct step_change step;

	for (size_t i = 0; i < 168; i++)
		points[i] = (struct point){(double)i - 168,
			10 + size * sin((double)i * M_PI / 12) + 0.5 * noise(i) + (i >= at ? 3 : 0)};
	cycle_step_change(points, 168, 24, &step);
	return step;
}

/* Whatever its age, from 15 hours on, and however small beside the cycle. */
static void test_steps_in_cycles(void)
{
	struct step_change step;
	size_t found = 0, there = 0, as_high = 0;

	for (size_t at = 24; at <= 153; at++) {
		step = in_cycle(at, 3);
		found += step.found;
		there += step.index + 12 >= at && step.index <= at + 12;
		as_high += fabs(step.after - step.before - 3) < 0.6;
	}
	is_integer((long long)found, 130, "a step is found beside a cycle that is twice as high");
	is_integer((long long)there, 130, "within half a day of where it is");
	is_integer((long long)as_high, 130, "and as it is");
	for (size_t i = 0; i < 168; i++)
		points[i] = (struct point){(double)i - 168,
			10 + 0.5 * noise(i) + (i >= 48 ? 8 : 0) + (i >= 140 ? 3 : 0)};
	cycle_step_change(points, 168, 24, &step);
	ok(step.found && step.index == 140, "one of yesterday comes before a higher one of days ago");
	step = in_cycle(168, 3);
	ok(!step.found, "a cycle alone has none");
	for (size_t i = 0; i < 168; i++)
		points[i].y += 0.02 * (double)i;
	cycle_step_change(points, 168, 24, &step);
	ok(!step.found, "nor has growth in a cycle");
	for (size_t i = 0; i < 30; i++)
		points[i] = (struct point){(double)i, i < 15 ? 1 : 4};
	cycle_step_change(points, 30, 24, &step);
	ok(step.found && step.index == 15, "before there are three rounds, the values are taken as they are");
}

static void test_forecast(void)
{
	const struct theil_sen line = {
		.slope = 2, .intercept = 10, .slope_low = -1, .slope_high = 4};
	struct forecast when = forecast(&line, 5, 60, 100);

	ok(when.reaches, "a line that rises gets there");
	is_near(when.x, 25, 1e-9, "when it is 60");
	is_near(when.earliest, 15, 1e-9, "twice as steep, in half the time");
	ok(isinf(when.latest), "or never");
	ok(!forecast(&line, 5, 60, 19).reaches, "beyond the horizon is not told");
	ok(!forecast(&line, 5, 20, 100).reaches, "nor what is there already");
}

/* A little of it, the same each time. */
static double scatter(int day)
{
	return sin(day * 12.9898) * 0.09;
}

/* Thirty days, told as growth by a limit of 0.3 a week. */
static bool grows(double (*value)(int day, int from), int from)
{
	bool goes_on = false;
	struct theil_sen line;

	for (int day = 0; day < 30; day++)
		points[day] = (struct point){day, value(day, from) + scatter(day)};
	theil_sen(points, 30, 0.95, &line);
	growth_goes_on(points, 30, line.slope, &goes_on);
	return goes_on && fabs(line.slope) > 0.3 / 7;
}

static double straight(int day, int from)
{
	return day > from ? (day - from) * 0.5 / 7 : 0;
}

static double falling(int day, int from)
{
	return -straight(day, from);
}

static double stepped(int day, int from)
{
	return day >= from ? 3 : 0;
}

static void test_growth(void)
{
	ok(grows(straight, 0), "what grows for thirty days grows");
	ok(grows(falling, 0), "what falls, falls");
	for (int from = 1; from <= 12; from++)
		ok(grows(straight, from), "what grows since day %d grows", from);
	for (int from = 1; from < 30; from++)
		ok(!grows(stepped, from), "a step on day %d does not", from);
}

int main(void)
{
	test_normal();
	test_median();
	test_mann_kendall_gilbert();
	test_mann_kendall_hollander();
	test_theil_sen();
	test_median_ranks();
	test_quantile_ranks();
	test_histogram_error();
	test_histogram_odd();
	test_nile();
	test_steps();
	test_steps_in_cycles();
	test_growth();
	test_forecast();
	return done_testing();
}
