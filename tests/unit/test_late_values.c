/* What is found out later corrects what a run could not know: in its row, its hour and its day, with
 * the ledger or not at all; and the same comes of it when it is made anew, or replayed. */
#include <stdlib.h>
#include <string.h>

#include "history.h"
#include "ledger.h"
#include "lines.h"
#include "rebuild.h"
#include "rollup_store.h"
#include "series.h"
#include "state_private.h"
#include "store_help.h"

#define HOUR ROLLUP_HOUR
#define DAY ROLLUP_DAY
#define METRIC "in.delivery_seconds"

static struct failure why;
static struct state *state;
static const char *folder;

/* --- runs and their mails ---------------------------------------------------------------- */

/* A run whose mail is in that state at its end; it had waited 60 s for one that had not come. */
static json_t *make_run(int64_t at_ns, const char *id, const char *mail_state)
{
	json_t *record = make_result(at_ns, "fail"), *step, *mail = make_mail(id, mail_state);

	step = add_step(record, "in-seen", "fail", 1);
	json_object_set_new(step, "waited_seconds", json_real(60));
	json_object_set_new(mail, "await", json_string("in-seen"));
	if (strcmp(mail_state, "delivered") == 0)
		json_object_set_new(mail, "delivery_seconds", json_real(0.5));
	json_array_append_new(json_object_get(record, "mails"), mail);
	return record;
}

/* As settle.c does at the end of a run. */
static void keep(json_t *record)
{
	json_t *mails = json_object_get(record, "mails"), *mail;
	size_t index;

	json_array_foreach(mails, index, mail)
	{
		json_t *sending = json_copy(mail);

		json_object_set_new(sending, "state", json_string("sending"));
		if (ledger_intent(state, record, sending, &why) < 0)
			abort();
		json_object_set_new(sending, "state", json_string("accepted"));
		if (ledger_update(state, sending, &why) < 0)
			abort();
		json_decref(sending);
	}
	if (lines_append_result(folder, record, &why) < 0 ||
		ledger_close_run(state, record, &why) < 0 || history_add(state, record, &why) < 0)
		abort();
	json_decref(record);
}

static int settle(json_t *run, const char *id, const char *to, double seconds)
{
	json_t *settled = json_object_get(run, "settled");
	json_t *mail = make_mail(id, to), *mails = json_pack("[o]", mail);
	int result;

	if (settled == NULL)
		json_object_set_new(run, "settled", settled = json_array());
	if (seconds > 0)
		json_object_set_new(mail, "delivery_seconds", json_real(seconds));
	result = ledger_settle(state, run, mails, settled, &why);
	json_decref(mails);
	return result;
}

/* --- what is there ----------------------------------------------------------------------- */

/* The value of the run that began then; censored ones are told as negative. */
static double value_at(int64_t at_ns)
{
	struct sample *samples;
	size_t count;
	double value = (double)NAN;

	if (history_samples(state, "acme", "mail", "here", METRIC, 0, &samples, &count, &why) < 0)
		abort();
	for (size_t i = 0; i < count; i++)
		if (samples[i].at_ns == at_ns)
			value = samples[i].censored ? -samples[i].value : samples[i].value;
	free(samples);
	return value;
}

static struct rollup stored(int64_t length_ns, int64_t since_ns)
{
	const struct series_key key = {"acme", "mail", "here"};
	struct rollup rollup = {0};
	int64_t id;

	if (series_find(state, &key, &id, &why) < 0 ||
		rollup_read(state, id, since_ns, since_ns + length_ns, &rollup, &why) < 0)
		abort();
	return rollup;
}

static void counts(
	int64_t length_ns, int64_t since_ns, uint64_t censored, double max, const char *name)
{
	struct rollup rollup = stored(length_ns, since_ns);
	const struct rollup_metric *metric = NULL;

	for (size_t i = 0; i < rollup.metric_count; i++)
		if (rollup.metrics[i].values.max >= 60)
			metric = &rollup.metrics[i];
	ok(metric != NULL && metric->censored == censored && fabs(metric->values.max - max) < 1e-9,
		"%s: %d censored, %g at most", name, (int)censored, max);
	if (metric != NULL)
		diag("%d censored of %d, %g at most", (int)metric->censored, (int)metric->values.n,
			metric->values.max);
	rollup_free(&rollup);
}

static long long number_of(const char *sql)
{
	sqlite3_stmt *query;
	long long number = -1;

	if (sqlite3_prepare_v2(state->db, sql, -1, &query, NULL) == SQLITE_OK &&
		sqlite3_step(query) == SQLITE_ROW)
		number = sqlite3_column_int64(query, 0);
	sqlite3_finalize(query);
	return number;
}

#define DIFFERENCE(columns, table)                                                                 \
	"SELECT (SELECT count(*) FROM (SELECT " columns " FROM live." table                        \
	" EXCEPT SELECT " columns " FROM main." table                                              \
	")) + (SELECT count(*) FROM (SELECT " columns " FROM main." table                          \
	" EXCEPT SELECT " columns " FROM live." table "))"

static void is_as_live(const char *name)
{
	char sql[512];

	sqlite3_snprintf(sizeof(sql), sql, "ATTACH '%s/live.db' AS live", folder);
	sqlite3_exec(state->db, sql, NULL, NULL, NULL);
	ok(number_of("SELECT count(*) FROM live.hours") > 20, "there are hours to compare");
	is_integer(number_of(DIFFERENCE("id, run_id, samples", "runs")), 0, name);
	is_integer(number_of(DIFFERENCE("id, rollup", "hours")), 0, "and its hours");
	is_integer(number_of(DIFFERENCE("id, rollup", "days")), 0, "and its days");
}

/* --- tests ------------------------------------------------------------------------------- */

static void test_corrected(void)
{
	json_t *later = make_run(TEST_START + 31 * HOUR, "later", "delivered");

	counts(HOUR, TEST_START, 2, 60, "the hour before");
	went_well(settle(later, "late", "late", 432.5), &why, "a mail that came late");
	is_near(value_at(TEST_START), 432.5, 1e-9, "is no bound any more in its run's row");
	counts(HOUR, TEST_START, 1, 432.5, "nor in its hour");
	/* It began ten hours before, and misses one more. */
	counts(DAY, TEST_START - 10 * HOUR, 2, 432.5, "nor in its day");
	is_near(value_at(TEST_START + TEST_MINUTE), -60, 1e-9, "the other one stays as it was");
	went_well(settle(later, "late", "late", 432.5), &why, "the same once more");
	counts(HOUR, TEST_START, 1, 432.5, "changes nothing");
	went_well(settle(later, "lost", "lost", 0), &why, "a mail that is lost");
	counts(HOUR, TEST_START, 1, 432.5, "keeps its bound");
	went_well(settle(later, "lost", "found_after_lost", 7200.25), &why, "until it is found");
	counts(DAY, TEST_START - 10 * HOUR, 1, 7200.25, "and has its time then");
	keep(later);
}

/* What the ledger does not take, the history does not have. */
static void test_together(void)
{
	json_t *run = make_result(TEST_START + 32 * HOUR, "pass"), *settled = json_array();
	json_t *good = make_mail("open", "late"), *mails = json_pack("[o]", good);

	json_object_set_new(good, "delivery_seconds", json_real(99));
	json_array_append_new(mails, make_mail("nobody's", "late"));
	ok(ledger_settle(state, run, mails, settled, &why) < 0, "one that is not known is refused");
	why = (struct failure){0};
	is_near(value_at(TEST_START + 2 * HOUR), -60, 1e-9,
		"and nothing of what went with it is corrected");
	json_decref(mails);
	json_decref(settled);
	json_decref(run);
}

/* Two attempts may miss a mail of the same step each. */
static void test_attempts(void)
{
	json_t *record = make_run(TEST_START + 33 * HOUR, "second", "accepted");
	json_t *first = make_mail("first", "accepted"), *run, *attempt;

	json_object_set_new(first, "await", json_string("in-seen"));
	json_object_set_new(first, "attempt", json_integer(1));
	json_array_insert_new(json_object_get(record, "mails"), 0, first);
	attempt = json_pack("{s:i, s:[{s:s, s:s, s:f}]}", "attempt", 1, "steps", "id", "in-seen",
		"outcome", "fail", "waited_seconds", 61.0);
	json_object_set_new(record, "attempts", json_pack("[o]", attempt));
	keep(record);
	run = make_run(TEST_START + 35 * HOUR, "after", "delivered");
	went_well(settle(run, "second", "late", 300), &why, "that of the second attempt comes");
	keep(run);
	counts(HOUR, TEST_START + 33 * HOUR, 1, 300, "and that of the first is still missing");
	run = make_run(TEST_START + 36 * HOUR, "after-2", "delivered");
	went_well(settle(run, "first", "late", 301), &why, "until it comes");
	counts(HOUR, TEST_START + 33 * HOUR, 0, 301, "then both are known");
	keep(run);
}

/* In maintenance a run is kept, and rolled up by its number alone. */
static void test_maintenance(void)
{
	json_t *record = make_run(TEST_START + 37 * HOUR, "worked-on", "accepted"), *run;
	struct rollup rollup;

	json_object_set_new(record, "maintenance", json_string("upgrade"));
	keep(record);
	run = make_run(TEST_START + 39 * HOUR, "afterwards", "delivered");
	keep(run);
	run = make_run(TEST_START + 40 * HOUR, "afterwards-2", "delivered");
	went_well(settle(run, "worked-on", "late", 300), &why, "one of a run in maintenance");
	rollup = stored(HOUR, TEST_START + 37 * HOUR);
	is_integer((long long)rollup.metric_count, 0, "is not rolled up now either");
	rollup_free(&rollup);
	keep(run);
}

/* As backtest does: the lines' records one after the other, and no ledger. */
static void replay_line(void *context, const struct line *line)
{
	(void)context;
	if (line->verdict != LINE_GOOD || history_add(state, line->record, &why) < 0)
		abort();
}

static void test_again(void)
{
	static const char *const days[] = {"2026-03-02", "2026-03-03", "2026-03-04"};
	struct rebuild_report report;

	sqlite3_exec(state->db, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL);
	state_close(&state);
	rename(in_folder("state.db"), in_folder("live.db"));
	went_well(rebuild(folder, NULL, &report, &why), &why, "made anew from the lines");
	state = state_open(folder, &why);
	is_as_live("each row is as it was");
	state_close(&state);
	rename(in_folder("state.db"), in_folder("rebuilt.db"));
	state = state_open(folder, &why);
	for (size_t i = 0; i < sizeof(days) / sizeof(days[0]); i++)
		lines_read(in_folder("acme/mail/%s.jsonl", days[i]), replay_line, NULL, &why);
	is_as_live("and replayed without a ledger");
}

/* Longer than the values are kept. */
static void test_held(void)
{
	int64_t at_ns = TEST_START + 100 * DAY;
	json_t *run;

	keep(make_run(at_ns, "patient", "accepted"));
	for (int day = 1; day < 50; day++)
		keep(make_run(at_ns + day * DAY, in_folder("d%d", day) + strlen(folder) + 1,
			"delivered"));
	run = make_run(at_ns + 50 * DAY, "finder", "delivered");
	went_well(settle(run, "patient", "late", 4e6), &why, "a mail comes after 50 days");
	counts(HOUR, at_ns, 0, 4e6, "its hour is still corrected");
	keep(run);
	keep(make_run(at_ns + 51 * DAY, "next", "delivered"));
	ok(isnan(value_at(at_ns)), "and its row goes then");
	keep(make_run(at_ns + 52 * DAY, "never", "accepted"));
	for (int day = 53; day < 130; day += 2)
		keep(make_run(at_ns + day * DAY, in_folder("d%d", day) + strlen(folder) + 1,
			"delivered"));
	ok(isnan(value_at(at_ns + 52 * DAY)), "one that never comes holds its row 70 days");
}

int main(void)
{
	folder = make_folder();
	state = state_open(folder, &why);
	keep(make_run(TEST_START, "late", "accepted"));
	keep(make_run(TEST_START + TEST_MINUTE, "lost", "accepted"));
	keep(make_run(TEST_START + 2 * TEST_MINUTE, "in-time", "delivered"));
	keep(make_run(TEST_START + 2 * HOUR, "open", "accepted"));
	for (int hour = 3; hour < 30; hour++)
		keep(make_run(TEST_START + hour * HOUR, in_folder("h%d", hour) + strlen(folder) + 1,
			"delivered"));
	test_corrected();
	test_together();
	test_attempts();
	test_maintenance();
	test_again();
	test_held();
	state_close(&state);
	return done_testing();
}
