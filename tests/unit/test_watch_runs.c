/* Events on silence, on objectives, and what is held back because something else is in the way. */
#include <fnmatch.h>

#include "watch_help.h"

#define HOUR (60 * TEST_MINUTE)

static int64_t every_ns = 5 * TEST_MINUTE;

static void next_run(const char *outcome)
{
	now_ns += every_ns;
	json_decref(newest);
	newest = make_result(now_ns, outcome);
}

/* P pass, F fail, E error, S skipped, M error in maintenance. */
static char run_one(char letter)
{
	next_run(letter == 'F'                           ? "fail"
			: letter == 'E' || letter == 'M' ? "error"
			: letter == 'S'                  ? "skipped"
							 : "pass");
	if (letter == 'M')
		json_object_set_new(newest, "maintenance", json_string("upgrade"));
	return judge_newest();
}

static void sequence(const char *letters, const char *want, const char *name)
{
	char got[128] = "";

	begin();
	for (size_t i = 0; letters[i] != '\0'; i++)
		got[i] = run_one(letters[i]);
	is_string(got, want, name);
}

static void is_told(size_t index, const char *severity, const char *pattern)
{
	const char *summary = of_event(index, "summary");

	is_string(of_event(index, "severity"), severity, "its severity");
	if (!ok(summary != NULL && fnmatch(pattern, summary, 0) == 0, "what is told"))
		diag("got \"%s\", want \"%s\"", summary != NULL ? summary : "nothing", pattern);
}

static json_t *value_of(size_t index, const char *key)
{
	return json_object_get(json_object_get(events[index], "values"), key);
}

/* --- silence --------------------------------------------------------------------------- */

static void test_age(void)
{
	set_limit("age", NULL, NULL, "> 15m");
	sequence("PFPFFPF", ".......", "what fails has been judged");
	sequence("PEEEEP", "...o.r", "three intervals without a judgement");
	is_told(0, "critical", "acme/mail: age 910 s > 900 s since a run could be judged");
	is_told(1, "critical",
		"acme/mail: resolved: age 0 s since a run could be judged, limit > 900 s");
	sequence("PSSSEP", "...o.r", "whatever they were");
	sequence("PMMMMMP", ".......", "but not in maintenance");
	sequence("EEEEP", "...or", "never judged at all");
	is_told(0, "critical", "acme/mail: age at least 910 s > 900 s since a run could be judged");
	set_limit("age", NULL, "> 8m", "> 16m");
	sequence("PEEEEP", "..o.ur", "by limits of its own");
	is_told(0, "warning", "acme/mail: age 610 s > 480 s since a run could be judged");
}

/* --- objectives ------------------------------------------------------------------------ */

static void set_slo(const char *slo, const char *period)
{
	set_limit("failure_rate", NULL, NULL, NULL);
	set("slo", slo);
	set("period", period);
}

/* Good runs of three days before what is tried. */
static void after_good_days(const char *letters, const char *want, const char *name)
{
	char got[128] = "";

	begin();
	for (int64_t i = 0; i < 72 * HOUR / every_ns; i++)
		if (run_one('P') != '.')
			ok(false, "nothing while all is well");
	for (size_t i = 0; letters[i] != '\0'; i++)
		got[i] = run_one(letters[i]);
	is_string(got, want, name);
}

static void test_burn(void)
{
	json_t *burn;

	/* At one run in five minutes, 1.2 of the twelve of an hour burn 99 % at 10 times. */
	set_slo("99%", NULL);
	every_ns = 5 * TEST_MINUTE;
	after_good_days("F", ".", "one failure is no rate");
	after_good_days("FF", ".o", "two of an hour are 16.7 times too many");
	is_told(0, "critical",
		"acme/mail: failures use up what 99% allows 16.7 times too fast over 1h "
		"(2 of 12 runs failed; 66.7 times over the last 3; limit 14.4)");
	burn = value_of(0, "burn");
	is_integer((long long)json_array_size(burn), 4, "all four pairs");
	is_string(json_string_value(json_object_get(json_array_get(burn, 3), "over")), "3d",
		"the slowest last");
	is_near(json_number_value(json_object_get(json_array_get(burn, 0), "limit")), 14.4, 1e-9,
		"page at 14.4 times");
	is_near(json_number_value(json_object_get(json_array_get(burn, 1), "limit")), 6, 1e-9,
		"or at 6 times");
	is_near(json_number_value(json_object_get(json_array_get(burn, 2), "limit")), 3, 1e-9,
		"a ticket at 3 times");
	is_near(json_number_value(json_object_get(json_array_get(burn, 3), "limit")), 1, 1e-9,
		"or at once");
	after_good_days("FFPPPPP", ".o....r", "over once the short windows are good");
	set_number("min_failures", 4);
	after_good_days("FFFF", "...o", "not before there are four");
	set_slo("95%", NULL);
	after_good_days("FFFFFFFF", "........", "eight of twelve are 13.3 times 5 %");
	after_good_days("FFFFFFFFF", "........o", "and nine 15 times");
	set_slo("99%", "7d");
	after_good_days("FF", ".o", "another period");
	burn = value_of(0, "burn");
	is_near(json_number_value(json_object_get(json_array_get(burn, 0), "limit")), 3.36, 1e-9,
		"has the same share in an hour");
	set_slo("98%", NULL);
	every_ns = 30 * TEST_MINUTE;
	after_good_days("FF", ".o", "at a run in half an hour, three are the least of a window");
	is_told(0, "critical",
		"acme/mail: failures use up what 98% allows * times too fast over 1h "
		"(2 of 3 runs failed; *)");
	every_ns = 5 * TEST_MINUTE;
}

/* One failure in two hours is no page, and too much for weeks of it. */
static void test_ticket(void)
{
	size_t failures = 0;

	set_slo("99%", NULL);
	after_good_days("", "", "good days");
	for (size_t i = 0; i < 288 && event_count == 0; i++) {
		failures += i % 24 == 0;
		run_one(i % 24 == 0 ? 'F' : 'P');
	}
	is_integer((long long)failures, 9, "the ninth of a day");
	is_told(0, "warning",
		"acme/mail: failures use up what 99% allows 3.1 times too fast over 1d "
		"(9 of 288 runs failed; 4.2 times over the last 24; limit 3.0)");
}

/* --- what depends on what -------------------------------------------------------------- */

static struct limit two[2];
static json_t *two_configs;

/* `slow` depends on `failing`. */
static void set_two(const char *slow, bool depends)
{
	json_decref(two_configs);
	two_configs = json_pack("[{s:s, s:s, s:s, s:i}, {s:s, s:s, s:s, s:i}]", "name", "failing",
		"metric", "failed", "for", "2 of 2", "keep", 1, "name", "slow", "metric",
		"in.delivery_seconds", "warn", slow, "keep", 1);
	if (depends)
		json_object_set_new(
			json_array_get(two_configs, 1), "depends_on", json_pack("[s]", "failing"));
	for (size_t i = 0; i < 2; i++)
		limit_build(json_array_get(two_configs, i), &two[i]);
	scenario.limits = two;
	scenario.limit_count = 2;
}

/* A run in which something failed, and a mail was slow all the same. */
static char run_both(const char *outcome, double seconds)
{
	json_t *mail = make_mail("m", "delivered");

	next_run(outcome);
	json_object_set_new(mail, "delivery_seconds", json_real(seconds));
	json_array_append_new(json_object_get(newest, "mails"), mail);
	return judge_newest();
}

static void test_depends_on(void)
{
	set_two("> 5s", true);
	begin();
	is_integer(run_both("fail", 1), '.', "a failure");
	is_integer(run_both("fail", 9), 'o', "one more, and slow");
	is_integer((long long)event_count, 1, "is one event");
	is_string(of_event(0, "dedup_key"), "acme/mail/failing", "that it fails");
	is_string(json_string_value(json_array_get(value_of(0, "held_back"), 0)), "slow",
		"which says what it holds back");
	is_integer(run_both("fail", 9), '.', "and so on");
	is_integer(run_both("pass", 9), 'r', "passes");
	is_integer((long long)event_count, 3, "and is slow still");
	is_string(of_event(2, "dedup_key"), "acme/mail/slow", "which is told now");
	begin();
	is_integer(run_both("pass", 9), 'o', "slow first");
	run_both("fail", 9);
	is_integer(run_both("fail", 1), 'o', "then it fails");
	is_integer((long long)event_count, 2, "what is held back does not close either");
	is_integer(run_both("pass", 1), 'r', "all is well again");
	is_integer((long long)event_count, 4, "both are over");
	set_two("> 5s", false);
	begin();
	run_both("fail", 1);
	run_both("fail", 9);
	is_integer((long long)event_count, 2, "without a dependency, both are told");
	scenario.limits = &limit;
	scenario.limit_count = 1;
}

static json_t *failed_step(const char *id, const char *server, const char *error_type)
{
	json_t *step = add_step(newest, id, "fail", 1);

	json_object_set_new(step, "server", json_string(server));
	json_object_set_new(step, "error_type", json_string(error_type));
	return step;
}

/* Of a statistic, the window still has values when the newest run has none. */
static void test_unreachable(void)
{
	char *listed;

	set_limit("login.duration_seconds", "24h", "p50 > 5s", NULL);
	begin();
	for (int i = 0; i < 5; i++) {
		next_run("pass");
		add_step(newest, "login", "pass", i < 4 ? 6 : 1);
		if (i < 4)
			judge_newest();
		else
			history_add(state, newest, &why);
	}
	next_run("fail");
	add_step(newest, "login", "skipped", 0);
	is_integer(judge_newest(), '.', "a step that was skipped says nothing");
	next_run("fail");
	failed_step("first", "imap.acme.test:993", "tcp.refused");
	failed_step("login", "imap.acme.test:993", "tcp.refused");
	is_integer(judge_newest(), '.', "nor one that failed as another one had before");
	next_run("fail");
	failed_step("first", "imap.acme.test:993", "auth.rejected");
	failed_step("login", "imap.acme.test:993", "tcp.refused");
	is_integer(judge_newest(), 'o', "but one that failed by itself");
	set_limit("failed", NULL, NULL, NULL);
	set_for(1, 1);
	begin();
	next_run("fail");
	failed_step("first", "imap.acme.test:993", "tcp.refused");
	failed_step("login", "imap.acme.test:993", "tcp.refused");
	failed_step("web", "web.acme.test:443", "tcp.refused");
	add_step(newest, "read", "skipped", 0);
	judge_newest();
	listed = json_dumps(value_of(0, "unreachable"), JSON_COMPACT);
	is_string(listed, "[\"login\",\"read\"]", "the event says what was not reached");
	free(listed);
}

int main(void)
{
	make_folder();
	test_age();
	test_burn();
	test_ticket();
	test_depends_on();
	test_unreachable();
	json_decref(two_configs);
	return finish();
}
