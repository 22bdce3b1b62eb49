#include "percentile.h"

#include <math.h>

#include "ban.h"

/* So many standard deviations off its mean, a binomial has less left than a double can tell. */
#define FAR 12

/* P(Y <= k) of a binomial Y, for one k after the other. */
struct tally {
	double n, odds;
	double k, mass; /* P(Y = k) */
	double sum;     /* P(Y <= k) */
};

static struct tally tally_begin(size_t n, unsigned int percent)
{
	double count = (double)n, p = percent / 100.0;
	double first = floor(count * p - FAR * sqrt(count * p * (1 - p)));
	struct tally tally = {.n = count, .odds = p / (1 - p), .k = fmax(0, first)};

	tally.mass = exp(lgamma(count + 1) - lgamma(tally.k + 1) - lgamma(count - tally.k + 1) +
		tally.k * log(p) + (count - tally.k) * log1p(-p));
	tally.sum = tally.mass;
	return tally;
}

static void tally_next(struct tally *tally)
{
	tally->mass *= (tally->n - tally->k) / (tally->k + 1) * tally->odds;
	tally->k++;
	tally->sum += tally->mass;
}

struct percentile_interval percentile_interval(size_t n, unsigned int percent, double level)
{
	struct percentile_interval ranks = {0};
	double outside = (1 - level) / 2;

	if (n == 0)
		return ranks;
	/* The value of rank r lies above the percentile if fewer than r values lie below it. */
	for (struct tally t = tally_begin(n, percent); t.k < t.n; tally_next(&t)) {
		if (t.sum <= outside)
			ranks.low = (size_t)t.k + 1;
		if (t.sum >= 1 - outside) {
			ranks.high = (size_t)t.k + 1;
			break;
		}
	}
	return ranks;
}

static double at_most(size_t n, unsigned int percent, size_t k)
{
	struct tally tally = tally_begin(n, percent);

	if ((double)k < tally.k)
		return 0;
	while (tally.k < (double)k)
		tally_next(&tally);
	return tally.sum;
}

double percentile_coverage(size_t n, unsigned int percent, size_t low, size_t high)
{
	return at_most(n, percent, high - 1) - at_most(n, percent, low - 1);
}
