/* How often a limit "N of the last M runs failed" alarms for nothing, when single runs fail by
 * chance: the figures that the advice in docs/operating.md rests on.
 *
 * No dice: the rule engine itself is asked what it does from each state that it can be in, after a
 * good run and after a bad one; what follows for a chance p is the chain's stationary rate of
 * openings. 199 years of runs need not be waited for. */
#include "history.h"
#include "rules.h"
#include "store_help.h"
#include "watch.h"

#define RUNS_A_DAY 288
#define YEAR 365.25
#define PLACES_MAX 256
#define PATH_MAX_RUNS 64

static struct failure why;
static struct state *state;

static struct limit limit;
static struct scenario scenario = {
	.journey = {.customer = "acme"}, .limits = &limit, .limit_count = 1};

/* --- the engine, asked ------------------------------------------------------------------ */

/* What the engine can tell two pasts apart by. */
struct place {
	unsigned int window; /* the last M runs, a bit each, the newest lowest */
	int level, good;
	char path[PATH_MAX_RUNS]; /* outcomes that lead here: 'P' and 'F' */
	struct {
		size_t to;
		bool opens;
	} after[2]; /* a good run, a bad one */
};

static struct place places[PLACES_MAX];
static size_t place_count;

static int count_opening(void *context, const json_t *event, struct failure *failure)
{
	(void)failure;
	if (strcmp(json_string_value(json_object_get(event, "state")), "open") == 0)
		*(bool *)context = true;
	return 0;
}

/* Whether the last run of the path opens an event. Each path is a scenario of its own. */
static bool walk(const char *path)
{
	static unsigned int scenarios;
	static char name[32];
	bool opened = false;

	snprintf(name, sizeof(name), "walk-%u", ++scenarios);
	scenario.journey.scenario = name;
	for (size_t i = 0; path[i] != '\0'; i++) {
		json_t *record = make_result(TEST_START + (int64_t)i * 5 * TEST_MINUTE,
			path[i] == 'F' ? "fail" : "pass");

		json_object_set_new(record, "scenario", json_string(name));
		opened = false;
		if (history_add(state, record, &why) < 0 ||
			watch_judge(state, &scenario, record, count_opening, &opened, &why) < 0)
			abort();
		json_decref(record);
	}
	return opened;
}

static void read_memory(struct place *place)
{
	const struct rule_key key = {"acme", scenario.journey.scenario, limit.name};
	json_t *memory, *pending;

	if (rules_load(state, &key, &memory, &pending, &why) < 0)
		abort();
	place->level = (int)json_integer_value(json_object_get(memory, "level"));
	place->good = (int)json_integer_value(json_object_get(memory, "good"));
	json_decref(memory);
	json_decref(pending);
}

static size_t place_of(const struct place *place)
{
	for (size_t i = 0; i < place_count; i++)
		if (places[i].window == place->window && places[i].level == place->level &&
			places[i].good == place->good)
			return i;
	if (place_count == PLACES_MAX)
		abort();
	places[place_count] = *place;
	return place_count++;
}

static void explore(void)
{
	struct place first = {0};

	place_count = 0;
	memset(first.path, 'P', (size_t)limit.of);
	walk(first.path);
	read_memory(&first);
	place_of(&first);
	for (size_t i = 0; i < place_count; i++)
		for (unsigned int bad = 0; bad < 2; bad++) {
			struct place next = places[i];

			next.path[strlen(next.path)] = bad != 0 ? 'F' : 'P';
			next.window = (next.window << 1 | bad) & ((1U << limit.of) - 1);
			places[i].after[bad].opens = walk(next.path);
			read_memory(&next);
			places[i].after[bad].to = place_of(&next);
		}
}

/* --- the chain -------------------------------------------------------------------------- */

/* Openings a run, in the long run, if each run fails with that chance. */
static double openings(double chance)
{
	static double here[PLACES_MAX], next[PLACES_MAX];
	double rate = 0;

	memset(here, 0, sizeof(here));
	here[0] = 1;
	/* From nothing but good runs, which is nearly where it stays: soon settled. */
	for (int run = 0; run < 400; run++) {
		memset(next, 0, sizeof(next));
		rate = 0;
		for (size_t i = 0; i < place_count; i++)
			for (int bad = 0; bad < 2; bad++) {
				double goes = here[i] * (bad != 0 ? chance : 1 - chance);

				next[places[i].after[bad].to] += goes;
				rate += places[i].after[bad].opens ? goes : 0;
			}
		memcpy(here, next, sizeof(here));
	}
	return rate;
}

static size_t runs_to_see_an_outage(void)
{
	char path[PATH_MAX_RUNS] = "PPPPP";

	for (size_t runs = 1; runs <= 10; runs++) {
		path[strlen(path)] = 'F';
		if (walk(path))
			return runs;
	}
	return 0;
}

/* --- the table -------------------------------------------------------------------------- */

static const struct {
	int need, of;
	double days_one_percent, days_fifth_of_that; /* between two false alarms */
	size_t outage;
} table[] = {
	{1, 1, 1 / 2.9, 1 / 0.6, 1},
	{2, 2, 35, 2.4 * YEAR, 2},
	{2, 5, 9, 219, 2},
	{3, 5, 1.6 * YEAR, 199 * YEAR, 3},
};

static double days_between(double chance)
{
	return 1 / (openings(chance) * RUNS_A_DAY);
}

/* The table's figures have two digits. */
static void is_about(double got, double want, const char *name)
{
	if (!ok(fabs(got / want - 1) < 0.06, "%s", name))
		diag("got %.4g days, want %.4g", got, want);
}

static void set_limit(int need, int of, int keep)
{
	limit = (struct limit){
		.name = "failing", .metric = "failed", .need = need, .of = of, .keep = keep};
}

static void test_rule(size_t row)
{
	double one, fifth;

	set_limit(table[row].need, table[row].of, 1);
	limit.config = json_object();
	explore();
	diag("%d of %d, keep 1: %zu states", limit.need, limit.of, place_count);
	is_about(days_between(0.01), table[row].days_one_percent, "at 1 %");
	is_about(days_between(0.002), table[row].days_fifth_of_that, "at 0.2 %");
	is_integer((long long)runs_to_see_an_outage(), (long long)table[row].outage,
		"runs until an outage is seen");
	one = days_between(0.01);
	fifth = days_between(0.002);
	json_decref((json_t *)(uintptr_t)limit.config);

	set_limit(table[row].need, table[row].of, 3);
	limit.config = json_object();
	explore();
	diag("days between two false alarms, keep 1 and 3: %.4g %.4g at 1 %%, %.4g %.4g at 0.2 %%",
		one, days_between(0.01), fifth, days_between(0.002));
	ok(days_between(0.01) >= one, "three good runs to close do not add alarms");
	json_decref((json_t *)(uintptr_t)limit.config);
}

int main(void)
{
	state = state_open(make_folder(), &why);
	for (size_t row = 0; row < sizeof(table) / sizeof(table[0]); row++)
		test_rule(row);
	state_close(&state);
	return done_testing();
}
