/* A long history: limits over weeks say what its values say, and a run reads and writes no more after
 * 80 days than after 40. */
#include <sqlite3.h>

#include "history.h"
#include "judge.h"
#include "ledger.h"
#include "state_private.h"
#include "store_help.h"
#include "trend.h"

#define EVERY (30 * TEST_MINUTE)
#define A_DAY 48

static struct failure why;
static struct state *state;
static json_t *newest;
static int runs;

/* The number of the run, but for every fifth one, which failed. */
static void add(int count)
{
	for (; count > 0; count--, runs++) {
		json_t *step;

		json_decref(newest);
		newest = make_result(TEST_START + runs * EVERY, runs % 5 == 4 ? "fail" : "pass");
		for (int i = 0; i < 4; i++) {
			char id[16];

			snprintf(id, sizeof(id), "step-%d", i);
			step = add_step(newest, id, runs % 5 == 4 ? "fail" : "pass", runs + i);
			add_phase(step, "connect", 0, 0.125 * i);
		}
		if (history_add(state, newest, &why) < 0)
			abort();
	}
}

/* --- limits ---------------------------------------------------------------------------- */

static json_t *judged(const char *text, bool *crossed_r, char scope[static 160])
{
	const struct judge_trend nothing = {0};
	struct judgement judgement;
	json_t *config = json_loads(text, 0, NULL), *values;
	struct limit limit;

	limit_build(config, &limit);
	went_well(judge_limit(state, &limit, newest, &nothing, &judgement, &why), &why, text);
	*crossed_r = judgement.levels[LEVEL_CRIT].crossed;
	snprintf(scope, 160, "%s", judgement.scope);
	values = json_incref(judgement.values);
	judgement_free(&judgement);
	json_decref(config);
	return values;
}

static double number(const json_t *values, const char *key)
{
	return json_number_value(json_object_get(values, key));
}

/* Of the numbers of 7 days, less the hour that the window begins in, which is not full. */
static void test_limits(void)
{
	char scope[160];
	bool crossed;
	json_t *values;

	add(10 * A_DAY);
	values = judged("{\"name\":\"l\",\"metric\":\"step-0.duration_seconds\",\"over\":\"7d\","
			"\"crit\":\"p95 > 400s\"}",
		&crossed, scope);
	/* 144 to 479, without every fifth: 268; rank 255 of them. */
	is_integer((long long)number(values, "n"), 268, "as many as passed");
	is_near(number(values, "p95"), 462, 462 * 0.0109, "p95 within the histogram's error");
	is_near(number(values, "relative_error"), 0.01083, 0, "which is said");
	ok(crossed, "the limit is crossed");
	is_string(scope, " over 7d (n=268)", "and it is said over what");
	is_string(json_string_value(json_object_get(values, "from")), "2026-03-05T10:00:00.000000Z",
		"since when");
	json_decref(values);
	values = judged("{\"name\":\"l\",\"metric\":\"step-0.duration_seconds\",\"over\":\"7d\","
			"\"crit\":\"max > 479s\"}",
		&crossed, scope);
	is_near(number(values, "max"), 478, 0, "the largest is exact");
	ok(!crossed, "and below the limit");
	json_decref(values);
	values = judged(
		"{\"name\":\"l\",\"metric\":\"failure_rate\",\"over\":\"7d\",\"crit\":\"> 19%\"}",
		&crossed, scope);
	is_integer((long long)number(values, "n"), 336, "all runs");
	is_integer((long long)number(values, "failed"), 68, "those that failed");
	ok(crossed, "the rate is crossed");
	json_decref(values);
	values = judged("{\"name\":\"l\",\"metric\":\"no.duration_seconds\",\"over\":\"7d\","
			"\"crit\":\"p95 > 400s\"}",
		&crossed, scope);
	ok(!crossed && number(values, "n") <= 0, "a metric that there is not says nothing");
	json_decref(values);
}

/* --- what it costs --------------------------------------------------------------------- */

static long long pages(int what)
{
	int now = 0, most;

	sqlite3_db_status(state->db, what, &now, &most, 0);
	return now;
}

struct cost {
	long long read, written;
	long long within; /* read by runs that do not begin an hour: every second one */
};

static long long pages_read(void)
{
	return pages(SQLITE_DBSTATUS_CACHE_HIT) + pages(SQLITE_DBSTATUS_CACHE_MISS);
}

static void judge_month(void)
{
	const struct judge_trend nothing = {0};
	json_t *config = json_loads("{\"name\":\"l\",\"metric\":\"step-0.duration_seconds\","
				    "\"over\":\"30d\",\"crit\":\"p95 > 400s\"}",
		0, NULL);
	struct judgement judgement;
	struct limit limit;

	limit_build(config, &limit);
	judge_limit(state, &limit, newest, &nothing, &judgement, &why);
	judgement_free(&judgement);
	json_decref(config);
}

/* A day of runs, each with its trend and a limit over 30 days. */
static struct cost day_cost(void)
{
	long long written = pages(SQLITE_DBSTATUS_CACHE_WRITE);
	struct cost cost = {0};

	for (int i = 0; i < A_DAY; i++) {
		long long before = pages_read();

		add(1);
		judge_month();
		json_decref(trend_build(state, NULL, newest, &why));
		cost.read += pages_read() - before;
		if (i % 2 == 1)
			cost.within += pages_read() - before;
	}
	cost.written = pages(SQLITE_DBSTATUS_CACHE_WRITE) - written;
	return cost;
}

static void test_cost(void)
{
	struct cost week, month, season;

	week = day_cost();
	add(40 * A_DAY - runs);
	month = day_cost();
	add(80 * A_DAY - runs);
	season = day_cost();
	diag("pages read a run: %lld after 10 days, %lld after 40, %lld after 80; %lld within an hour",
		week.read / A_DAY, month.read / A_DAY, season.read / A_DAY,
		2 * season.within / A_DAY);
	diag("written: %lld, %lld, %lld", week.written / A_DAY, month.written / A_DAY,
		season.written / A_DAY);
	ok(season.read * 20 <= month.read * 21, "a run reads no more after 80 days than after 40");
	ok(season.written * 20 <= month.written * 21, "nor does it write more");
	ok(season.within * 5 < season.read * 2, "what changes once an hour is read once an hour");
	/* The rows of a day are two thirds of what is read on any day. */
	ok(month.read * 2 <= week.read * 3, "nor much more than after 10");
}

int main(void)
{
	state = state_open(make_folder(), &why);
	sqlite3_exec(state->db, "PRAGMA synchronous=OFF", NULL, NULL, NULL);
	test_limits();
	test_cost();
	json_decref(newest);
	state_close(&state);
	return done_testing();
}
