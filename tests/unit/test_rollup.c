/* Roll-ups of hours and days: they add up, are corrected by what comes late, and say what the values
 * themselves would. */
#include <stdlib.h>
#include <string.h>

#include "lines.h"
#include "quantile.h"
#include "rebuild.h"
#include "rollup_store.h"
#include "series.h"
#include "state_private.h"
#include "store_help.h"

#define HOUR ROLLUP_HOUR
#define DAY ROLLUP_DAY
#define DAYS 4
#define EVERY (10 * TEST_MINUTE)

static struct failure why;
static struct state *state;
static const struct series_key key = {"acme", "mail", "here"};

/* Spread over some powers of ten, the same in every run of the test. */
static double next_value(void)
{
	static uint32_t seed = 20260302;

	seed = seed * 1664525 + 1013904223;
	/* As a line has it: 15 digits bring it back. */
	return round(exp((double)(seed >> 8) / (1 << 24) * 8 - 4) * 1e6) / 1e6;
}

static json_t *make_run(int64_t at_ns)
{
	static const char *const outcomes[] = {"pass", "pass", "fail", "pass", "error", "skipped"};
	static int number;
	json_t *record = make_result(at_ns, outcomes[number++ % 6]), *step, *mail;

	if (number % 6 == 3)
		json_object_set_new(record, "error_type", json_string("imap.push"));
	if (number % 40 == 0)
		json_object_set_new(record, "maintenance", json_true());
	add_step(record, "imap", "pass", next_value());
	step = add_step(record, "in-seen", "fail", 1);
	json_object_set_new(step, "waited_seconds", json_real(60));
	mail = make_mail("m", number % 7 == 0 ? "accepted" : "delivered");
	json_object_set_new(mail, "await", json_string("in-seen"));
	if (number % 7 != 0)
		json_object_set_new(mail, "delivery_seconds", json_real(next_value()));
	json_array_append_new(json_object_get(record, "mails"), mail);
	return record;
}

static int add(json_t *record)
{
	int result = history_add(state, record, &why);

	json_decref(record);
	return result;
}

static int64_t series(void)
{
	int64_t id;

	if (series_find(state, &key, &id, &why) < 0)
		abort();
	return id;
}

/* --- what is compared ------------------------------------------------------------------ */

static void add_row(void *context, const struct history_row *row)
{
	if (rollup_add_run(context, row) < 0)
		abort();
}

/* By the rows themselves. */
static struct rollup whole(int64_t since_ns, int64_t until_ns)
{
	struct rollup rollup = {0};

	if (history_span(state, &key, since_ns, until_ns, add_row, &rollup, &why) < 0)
		abort();
	return rollup;
}

static struct rollup stored(int64_t since_ns, int64_t until_ns)
{
	struct rollup rollup = {0};

	if (rollup_read(state, series(), since_ns, until_ns, &rollup, &why) < 0)
		diag("%s", why.text);
	return rollup;
}

static bool near(double a, double b)
{
	return fabs(a - b) <= 1e-9 * (fabs(a) + fabs(b));
}

static bool same_metric(const struct rollup_metric *a, const struct rollup_metric *b)
{
	bool same = a->id == b->id && a->values.n == b->values.n &&
		near(a->values.min, b->values.min) && near(a->values.max, b->values.max) &&
		near(a->sum, b->sum) && a->censored == b->censored &&
		(a->censored == 0 || near(a->least_bound, b->least_bound)) &&
		a->values.count == b->values.count;

	for (size_t i = 0; same && i < a->values.count; i++)
		same = a->values.buckets[i].key == b->values.buckets[i].key &&
			a->values.buckets[i].n == b->values.buckets[i].n;
	return same;
}

static bool same_rollup(const struct rollup *a, const struct rollup *b)
{
	bool same = memcmp(a->outcomes, b->outcomes, sizeof(a->outcomes)) == 0 &&
		a->maintenance == b->maintenance && a->metric_count == b->metric_count &&
		json_equal(a->error_types, b->error_types) ==
			(a->error_types != NULL || b->error_types != NULL);

	for (size_t i = 0; same && i < a->metric_count; i++)
		same = same_metric(&a->metrics[i], &b->metrics[i]);
	return same;
}

/* What is stored of a time is what its rows say. */
static void agrees(int64_t since_ns, int64_t until_ns, const char *name)
{
	struct rollup a = whole(since_ns, until_ns), b = stored(since_ns, until_ns);

	if (!ok(same_rollup(&a, &b), "%s", name))
		diag("%llu runs in rows, %llu rolled up", (unsigned long long)rollup_runs(&a),
			(unsigned long long)rollup_runs(&b));
	rollup_free(&a);
	rollup_free(&b);
}

static long long count(const char *sql)
{
	sqlite3_stmt *statement;
	long long value = -1;

	if (sqlite3_prepare_v2(state->db, sql, -1, &statement, NULL) == SQLITE_OK &&
		sqlite3_step(statement) == SQLITE_ROW)
		value = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return value;
}

/* --- tests ----------------------------------------------------------------------------- */

/* From 10:00 on, the fourth day up to 09:50. */
static void test_sums(void)
{
	int64_t end_ns;

	for (int64_t at_ns = TEST_START; at_ns < TEST_START + DAYS * DAY; at_ns += EVERY)
		add(make_run(at_ns));
	rollup_end(state, series(), &end_ns, &why);
	is_integer(end_ns, TEST_START + DAYS * DAY - HOUR,
		"the hour that is going on is not rolled up");
	is_integer(count("SELECT count(*) FROM hours"), DAYS * 24 - 1, "all others are");
	is_integer(count("SELECT count(*) FROM days"), DAYS, "and the days that are over");
	agrees(TEST_START, end_ns, "the sum of all is the whole");
	agrees(TEST_START + 5 * HOUR, TEST_START + 7 * HOUR, "so is that of two hours");
	agrees(TEST_START + 20 * HOUR, end_ns - 20 * HOUR, "and of days with hours at both ends");
	agrees(end_ns - HOUR, end_ns, "and of the last one");
}

static void test_percentiles(void)
{
	struct rollup rollup = stored(TEST_START, TEST_START + 3 * DAY);
	const struct rollup_metric *metric;
	struct observation *exact;
	struct sample *samples;
	double worst = 0;
	size_t n;

	history_samples(state, "acme", "mail", "here", "imap.duration_seconds", TEST_START,
		&samples, &n, &why);
	while (n > 0 && samples[n - 1].at_ns >= TEST_START + 3 * DAY)
		n--;
	exact = calloc(n, sizeof(*exact));
	for (size_t i = 0; i < n; i++)
		exact[i].value = samples[i].value;
	metric = NULL;
	for (size_t i = 0; i < rollup.metric_count; i++)
		if (rollup.metrics[i].values.n == n && rollup.metrics[i].censored == 0 &&
			near(rollup.metrics[i].values.max, quantile(exact, n, 100).value))
			metric = &rollup.metrics[i];
	ok(n > 400 && metric != NULL, "%zu values", n);
	for (unsigned int percent = 0; metric != NULL && percent <= 100; percent++) {
		double value = quantile(exact, n, percent).value;
		double read = histogram_quantile(&metric->values, percent);

		worst = fmax(worst, fabs(read - value) / value);
	}
	diag("largest error %.3f %%", 100 * worst);
	ok(worst > 0 && worst <= 0.011, "each percentile is within 1.1 %% of the exact one");
	free(exact);
	free(samples);
	rollup_free(&rollup);
}

static void test_packed(void)
{
	struct rollup rollup = whole(TEST_START, TEST_START + DAY), again = {0};
	bool damaged, refused = true;
	size_t size;
	unsigned char *bytes = rollup_pack(&rollup, &size);

	ok(rollup_add_packed(&again, bytes, size, &damaged) == 0 && !damaged, "packed and read");
	ok(same_rollup(&rollup, &again), "nothing is lost");
	diag("%zu metrics of a day in %zu bytes", rollup.metric_count, size);
	for (size_t cut = 0; cut < size; cut++) {
		struct rollup torn = {0};

		refused = refused && rollup_add_packed(&torn, bytes, cut, &damaged) < 0 && damaged;
		rollup_free(&torn);
	}
	ok(refused, "what is cut short is refused");
	for (size_t i = 0; i < size; i++) {
		struct rollup odd = {0};

		bytes[i] ^= 0xff;
		rollup_add_packed(&odd, bytes, size, &damaged);
		rollup_free(&odd);
		bytes[i] ^= 0xff;
	}
	ok(true, "any byte may be another one");
	free(bytes);
	rollup_free(&rollup);
	rollup_free(&again);
}

static void test_late(void)
{
	int64_t late_ns = TEST_START + DAY + 3 * HOUR + TEST_MINUTE;
	json_t *record = make_run(late_ns);
	long long runs = count("SELECT count(*) FROM runs");

	went_well(history_add(state, record, &why), &why, "a run that comes late");
	agrees(late_ns - TEST_MINUTE, late_ns - TEST_MINUTE + HOUR, "is in its hour");
	agrees(rollup_floor(late_ns, DAY), rollup_floor(late_ns, DAY) + DAY, "and in its day");
	went_well(history_add(state, record, &why), &why, "the same run once more");
	agrees(late_ns - TEST_MINUTE, late_ns - TEST_MINUTE + HOUR, "counts once");
	is_integer(count("SELECT count(*) FROM runs"), runs + 1, "as in the rows");
	json_decref(record);
	late_ns = TEST_START - 5 * DAY;
	add(make_run(late_ns));
	agrees(late_ns, late_ns + HOUR, "one of an hour without runs makes its hour");
}

/* As a database of an older version has it. */
static void test_filled(void)
{
	int64_t end_ns;

	sqlite3_exec(state->db, "DELETE FROM hours; DELETE FROM days", NULL, NULL, NULL);
	add(make_run(TEST_START + DAYS * DAY));
	rollup_end(state, series(), &end_ns, &why);
	is_integer(end_ns, TEST_START + DAYS * DAY, "what was there before is rolled up");
	agrees(TEST_START - 5 * DAY, end_ns, "all of it");
}

/* After 35 days the rows are gone, after 400 the roll-ups. */
static void test_dropped(void)
{
	struct rollup before, after;
	int64_t at_ns;

	for (int day = 1; day < 60; day++)
		add(make_run(TEST_START + (DAYS + day) * DAY));
	at_ns = TEST_START + 5 * HOUR;
	before = stored(TEST_START, TEST_START + DAY);
	is_integer((long long)rollup_runs(&before), 144, "rows that are gone stay in the roll-up");
	add(make_run(at_ns));
	after = stored(TEST_START, TEST_START + DAY);
	ok(same_rollup(&before, &after), "and a run that may be in it already changes nothing");
	rollup_free(&before);
	rollup_free(&after);
	for (int month = 0; month < 15; month++)
		add(make_run(TEST_START + (DAYS + 60 + 30 * month) * DAY));
	before = stored(TEST_START, TEST_START + 30 * DAY);
	is_integer((long long)rollup_runs(&before), 0, "400 days later the roll-ups go");
	rollup_free(&before);
}

/* --- proved ---------------------------------------------------------------------------- */

static void on_wrong(void *context, const char *table, int64_t id)
{
	(void)id;
	*(int *)context += strcmp(table, "hours") == 0 ? 1 : 100;
}

static int wrong_ones(void)
{
	int found = 0;

	return rollup_check(state, on_wrong, &found, &why) < 0 ? -1 : found;
}

static void test_proved(void)
{
	is_integer(wrong_ones(), 0, "all that is stored is what the rows say");
	sqlite3_exec(state->db,
		"UPDATE days SET rollup = (SELECT rollup FROM days ORDER BY id DESC LIMIT 1)"
		" WHERE id = (SELECT min(id) FROM days)",
		NULL, NULL, NULL);
	is_integer(wrong_ones(), 100, "a day that is another one's is found");
	sqlite3_exec(state->db,
		"UPDATE hours SET rollup = (SELECT rollup FROM hours ORDER BY id DESC LIMIT 1)"
		" WHERE id = (SELECT min(id) FROM hours)",
		NULL, NULL, NULL);
	ok(wrong_ones() % 100 == 1, "and an hour");
	sqlite3_exec(state->db,
		"UPDATE hours SET rollup = x'07' WHERE id = (SELECT min(id) FROM hours)", NULL,
		NULL, NULL);
	ok(wrong_ones() != 0, "and one that cannot be read");
	why = (struct failure){0};
}

/* --- made anew ------------------------------------------------------------------------- */

static long long difference(const char *folder)
{
	char sql[512];
	long long rows;

	sqlite3_snprintf(sizeof(sql), sql, "ATTACH '%s/first.db' AS first", folder);
	sqlite3_exec(state->db, sql, NULL, NULL, NULL);
	rows = count("SELECT (SELECT count(*) FROM (SELECT id, rollup FROM first.hours"
		     " EXCEPT SELECT id, rollup FROM main.hours)) +"
		     " (SELECT count(*) FROM (SELECT id, rollup FROM first.days"
		     " EXCEPT SELECT id, rollup FROM main.days))");
	is_integer(count("SELECT count(*) FROM main.hours"),
		count("SELECT count(*) FROM first.hours"), "as many hours");
	return rows;
}

static void test_rebuilt(void)
{
	const char *folder = make_folder();
	struct rebuild_report report;

	state = state_open(folder, &why);
	for (int run = 0; run < 120; run++) {
		/* Later on every tenth comes two days late. */
		json_t *record = make_run(TEST_START + run * HOUR -
			(run > 50 && run % 10 == 9 ? 47 * HOUR + TEST_MINUTE : 0));

		if (lines_append_result(folder, record, &why) < 0)
			abort();
		add(record);
	}
	sqlite3_exec(state->db, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL);
	state_close(&state);
	rename(in_folder("state.db"), in_folder("first.db"));
	went_well(rebuild(folder, NULL, &report, &why), &why, "made anew from the lines");
	state = state_open(folder, &why);
	is_integer(difference(folder), 0, "each roll-up is the same");
	test_proved();
	state_close(&state);
}

int main(void)
{
	state = state_open(make_folder(), &why);
	test_sums();
	test_percentiles();
	test_packed();
	test_late();
	test_filled();
	test_dropped();
	state_close(&state);
	remove_folder();
	test_rebuilt();
	return done_testing();
}
