#include "attribute.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "observation.h"
#include "text.h"

#include "ban.h"

#define PROOF_MAX 16

static bool same_suspect(const struct suspect *a, const struct suspect *b)
{
	return strcmp(a->role, b->role) == 0 && strcasecmp(a->host, b->host) == 0;
}

static bool is_suspect(const struct observation *observation, const struct suspect *suspect)
{
	for (size_t i = 0; i < observation->suspect_count; i++)
		if (same_suspect(&observation->suspects[i], suspect))
			return true;
	return false;
}

/* It took part in all that was slow, and in nothing that was not. */
static bool explains_all(const struct observations *all, const struct suspect *suspect)
{
	for (size_t i = 0; i < all->count; i++)
		if (is_suspect(&all->items[i], suspect) != all->items[i].slow)
			return false;
	return true;
}

static const struct observation *slowest(const struct observations *all)
{
	const struct observation *found = NULL;

	for (size_t i = 0; i < all->count; i++) {
		const struct observation *each = &all->items[i];

		if (each->slow &&
			(found == NULL || each->value - each->usual > found->value - found->usual))
			found = each;
	}
	return found;
}

/* --- as a record ----------------------------------------------------------------------- */

static bool is_told(const json_t *proof, const char *metric)
{
	size_t index;
	json_t *item;

	json_array_foreach(proof, index,
		item) if (strcmp(json_string_value(json_object_get(item, "metric")), metric) ==
		0) return true;
	return false;
}

/* What was slow first, then what was as usual. */
static json_t *proof_of(const struct observations *all)
{
	json_t *proof = json_array();

	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < all->count && json_array_size(proof) < PROOF_MAX; i++) {
			const struct observation *each = &all->items[i];
			json_t *item;

			if (each->slow == (pass == 1) || is_told(proof, each->metric))
				continue;
			item = json_pack("{s:s, s:f, s:f, s:b}", "metric", each->metric,
				"value_seconds", each->value, "usual_seconds", each->usual, "slow",
				each->slow);
			if (each->leg != NULL)
				json_object_set_new(item, "leg", json_string(each->leg));
			json_array_append_new(proof, item);
		}
	return proof;
}

static size_t count_slow(const struct observations *all)
{
	size_t count = 0;

	for (size_t i = 0; i < all->count; i++)
		count += all->items[i].slow;
	return count;
}

static bool all_certain(const struct observations *all)
{
	for (size_t i = 0; i < all->count; i++)
		if (all->items[i].slow && !all->items[i].certain)
			return false;
	return true;
}

static json_t *describe(const struct observations *all, const struct observation *worst,
	const struct suspect *suspect, bool is_only_one)
{
	size_t slow = count_slow(all);
	char because[512], others[96] = "";

	if (slow > 1)
		snprintf(others, sizeof(others), ", as it is with %zu more", slow - 1);
	snprintf(because, sizeof(because),
		"%s is %.3f s, usually %.3f s%s; what it has no part in is as usual", worst->metric,
		worst->value, worst->usual, others);
	return json_pack("{s:s, s:s, s:s, s:s, s:o}", "component", suspect->component, "where",
		suspect->where, "because", because, "sure",
		is_only_one && all_certain(all) ? "certain" : "likely", "proof", proof_of(all));
}

static json_t *attribute(const struct observations *all)
{
	const struct observation *worst = slowest(all);
	const struct suspect *found = NULL;
	size_t count = 0;

	if (worst == NULL)
		return NULL;
	for (size_t i = 0; i < worst->suspect_count; i++)
		if (explains_all(all, &worst->suspects[i])) {
			found = found != NULL ? found : &worst->suspects[i];
			count++;
		}
	/* Two names of one component leave no doubt about which it is. */
	if (count > 1 && strcmp(worst->suspects[0].component, worst->suspects[1].component) == 0)
		count = 1;
	return found != NULL ? describe(all, worst, found, count == 1) : NULL;
}

int attribute_result(
	struct state *state, const struct limit_list *limits, json_t *record, struct failure *why)
{
	struct baseline *baseline = baseline_read(state, limits, record, why);
	struct observations *all = calloc(1, sizeof(*all));
	json_t *found = NULL;

	if (baseline != NULL && all != NULL) {
		observe_record(record, baseline, all);
		found = attribute(all);
	}
	if (found != NULL)
		json_object_set_new(record, "attribution", found);
	free(all);
	if (baseline == NULL)
		return -1;
	baseline_free(&baseline);
	return 0;
}
