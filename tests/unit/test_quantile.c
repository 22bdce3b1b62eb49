/* Percentiles against values known by other means. */
#include "quantile.h"
#include "tap.h"

static struct observation all[20000];

static struct quantile of(const double *values, size_t n, unsigned int percent)
{
	for (size_t i = 0; i < n; i++)
		all[i] = (struct observation){values[i], false};
	return quantile(all, n, percent);
}

/* The example that textbooks have of nearest rank: 15 20 35 40 50. */
static void test_textbook(void)
{
	static const double five[] = {35, 20, 15, 50, 40};
	static const struct {
		unsigned int percent;
		double want;
	} cases[] = {{0, 15}, {5, 15}, {20, 15}, {21, 20}, {30, 20}, {40, 20}, {50, 35}, {95, 50},
		{100, 50}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		is_near(of(five, 5, cases[i].percent).value, cases[i].want, 0, "of five values");
	is_near(of(five, 1, 95).value, 35, 0, "of one value");
}

/* Of the numbers 1 to n, shuffled, the p-th percentile is ceil(p * n / 100). */
static void test_ranks(void)
{
	static const unsigned int percents[] = {0, 1, 50, 95, 99, 100};
	double values[500];
	int wrong = 0;

	srand(7);
	for (size_t n = 1; n <= 500; n++) {
		for (size_t i = 0; i < n; i++)
			values[i] = (double)(i + 1);
		for (size_t i = n - 1; i > 0; i--) {
			size_t j = (size_t)rand() % (i + 1);
			double kept = values[i];

			values[i] = values[j];
			values[j] = kept;
		}
		for (size_t i = 0; i < sizeof(percents) / sizeof(percents[0]); i++) {
			double want = (double)((percents[i] * n + 99) / 100);

			wrong += of(values, n, percents[i]).value != (want > 0 ? want : 1);
		}
	}
	is_integer(wrong, 0, "ranks of 1 to n, for n up to 500");
}

static void test_equal(void)
{
	for (size_t i = 0; i < 20000; i++)
		all[i] = (struct observation){i % 2 == 0 ? 0 : 1, false};
	is_near(quantile(all, 20000, 50).value, 0, 0, "many equal values, the lower half");
	is_near(quantile(all, 20000, 51).value, 1, 0, "the upper half");
}

/* Ten that came within 10 s, and some that had not come when it was given up. */
static void fill(size_t missing, double bound)
{
	for (size_t i = 0; i < 10; i++)
		all[i] = (struct observation){(double)i + 1, false};
	for (size_t i = 0; i < missing; i++)
		all[10 + i] = (struct observation){bound, true};
}

static void test_censored(void)
{
	struct quantile value;

	fill(10, 60);
	value = quantile(all, 20, 50);
	is_near(value.value, 10, 0, "the median of ten that came and ten that did not");
	ok(!value.at_least, "is known");
	value = quantile(all, 20, 95);
	is_near(value.value, 60, 0, "their p95");
	ok(value.at_least, "is at least that");
	fill(10, 5.5);
	value = quantile(all, 20, 75);
	is_near(value.value, 5.5, 0, "bounds among the values");
	ok(value.at_least, "make what lies above them uncertain");
	value = quantile(all, 20, 25);
	ok(value.value == 5 && !value.at_least, "but not what lies below");
	fill(1, 10);
	value = quantile(all, 11, 90);
	ok(value.value == 10 && !value.at_least, "a bound lies above a value that equals it");
	value = quantile(all, 11, 100);
	ok(value.value == 10 && value.at_least, "so that the largest is the bound");
}

static void test_needs(void)
{
	is_integer((long long)quantile_needs(50), 5, "p50 needs 5 values");
	is_integer((long long)quantile_needs(95), 20, "p95 needs 20");
	is_integer((long long)quantile_needs(99), 100, "p99 needs 100");
	is_integer((long long)quantile_needs(100), 1, "the largest needs 1");
}

int main(void)
{
	test_textbook();
	test_ranks();
	test_equal();
	test_censored();
	test_needs();
	return done_testing();
}
