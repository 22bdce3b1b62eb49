#include "quantile.h"

#include "ban.h"

/* A censored value lies above an exact one that equals its bound. */
static bool is_below(const struct observation *a, const struct observation *b)
{
	return a->value < b->value || (!(b->value < a->value) && a->censored < b->censored);
}

static void swap(struct observation *a, struct observation *b)
{
	struct observation kept = *a;

	*a = *b;
	*b = kept;
}

/* Hoare's partition about a pivot from the middle, so that sorted input, which histories often
 * are, is the best case. Values of [first, r] do not exceed those of [r + 1, last]. */
static size_t partition(struct observation *values, size_t first, size_t last)
{
	const struct observation pivot = values[first + (last - first) / 2];
	size_t low = first, high = last;

	for (;;) {
		while (is_below(&values[low], &pivot))
			low++;
		while (is_below(&pivot, &values[high]))
			high--;
		if (low >= high)
			return high;
		swap(&values[low++], &values[high--]);
	}
}

/* Puts the value of that rank (from 0) in its place, with none above it before it. */
static void select_rank(struct observation *values, size_t n, size_t rank)
{
	size_t first = 0, last = n - 1;

	while (first < last) {
		size_t split = partition(values, first, last);

		if (rank <= split)
			last = split;
		else
			first = split + 1;
	}
}

struct quantile quantile(struct observation *values, size_t n, unsigned int percent)
{
	size_t rank = (percent * n + 99) / 100;

	return quantile_ranked(values, n, rank > 0 ? rank : 1);
}

struct quantile quantile_ranked(struct observation *values, size_t n, size_t rank)
{
	struct quantile result = {0};

	select_rank(values, n, rank - 1);
	result.value = values[rank - 1].value;
	for (size_t i = 0; i < rank; i++)
		result.at_least = result.at_least || values[i].censored;
	return result;
}

size_t quantile_needs(unsigned int percent)
{
	switch (percent) {
	case 0:
	case 100:
		return 1;
	case 50:
		return 5;
	case 95:
		return 20;
	}
	return 100;
}
