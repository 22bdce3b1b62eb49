/* Events over sequences of runs: when they open, rise, fall, close, and that none is lost. */
#include "outbox.h"
#include "watch_help.h"

/* --- runs ------------------------------------------------------------------------------ */

/* One letter a run: P pass, F fail, E error, S skipped; digits pass and take that many seconds,
 * of a mail; "!" is a mail that had not come after 5 s; M fails in maintenance; a to j
 * pass with 0 to 9 further copies of a mail. Each is judged; returns the letters of
 * the events: o open, u update, r resolved, "." for none. */
static char run_one(char letter)
{
	const char *outcome = strchr("F!M", letter) != NULL ? "fail"
		: letter == 'E'                             ? "error"
		: letter == 'S'                             ? "skipped"
							    : "pass";
	json_t *mail = make_mail("m", letter == '!' ? "accepted" : "delivered"), *step;

	now_ns += 5 * TEST_MINUTE;
	json_decref(newest);
	newest = make_result(now_ns, outcome);
	if (letter == 'M')
		json_object_set_new(newest, "maintenance", json_string("upgrade"));
	json_object_set_new(mail, "await", json_string("seen"));
	if (letter >= 'a' && letter <= 'j') {
		json_object_set_new(mail, "duplicates", json_integer(letter - 'a'));
		json_array_append(json_object_get(newest, "mails"), mail);
	}
	if ((letter >= '0' && letter <= '9') || letter == '!') {
		step = add_step(newest, "seen", outcome, 1);
		if (letter == '!')
			json_object_set_new(step, "waited_seconds", json_real(5));
		else
			json_object_set_new(mail, "delivery_seconds", json_real(letter - '0'));
		json_array_append(json_object_get(newest, "mails"), mail);
	}
	json_decref(mail);
	return judge_newest();
}

/* Runs a whole sequence on an empty history; `want` has one letter a run. */
static void sequence(const char *letters, const char *want, const char *name)
{
	char got[128] = "";

	begin();
	for (size_t i = 0; letters[i] != '\0'; i++)
		got[i] = run_one(letters[i]);
	is_string(got, want, name);
}

/* --- N of M ---------------------------------------------------------------------------- */

static void test_failed(void)
{
	set_limit("failed", NULL, NULL, NULL);
	set_for(3, 5);
	sequence("PPPP", "....", "nothing fails");
	sequence("FPFPFP", "....o.", "three of five");
	sequence("FPPFPPFPPF", "..........", "one in three is not three of five");
	sequence("FFFPPP", "..o..r", "closes after three good ones");
	sequence("FFFPPFPPP", "..o.....r", "a failure in between begins the count again");
	sequence("FFFFFFFPPPPP", "..o......r..", "opens once");
	sequence("FFFPPPFFF", "..o..r..o", "and opens anew, as three of five again");
	sequence("FFEEEESSEF", ".........o", "what could not be judged neither opens");
	sequence("FFFEEESSSPEPSP", "..o..........r", "nor closes");
	sequence("MMMFPF", "......", "nor does what fails in maintenance");
	set_for(1, 1);
	sequence("MMMM", "....", "what fails in maintenance opens nothing");
	sequence("FPPMP", "o...r", "nor keeps an event from closing");
	set_for(3, 5);
	set_number("keep", 1);
	sequence("FFFPPP", "..o..r", "as soon as the condition does not hold, if keep is 1");
	set_number("keep", 3);
	set_for(2, 2);
	sequence("FPFPFFFPFPPP", ".....o.....r", "two in a row");
	set_for(3, 10);
	sequence("FFFPPPPPPPP", "..o.......r", "not while the condition still holds");
	is_event(0, "open", "error", 1, "acme/mail: 3 of the last 3 runs failed");
	is_event(1, "resolved", "error", 2, "acme/mail: resolved: 2 of the last 10 runs failed");
}

static void test_event(void)
{
	json_t *evidence, *first;

	set_limit("failed", NULL, NULL, NULL);
	set_for(3, 5);
	set("severity", "critical");
	set("runbook_url", "https://wiki.acme.test/mail");
	sequence("PFFFPPP", "...o..r", "an incident");
	is_event(0, "open", "critical", 1, "acme/mail: 3 of the last 4 runs failed");
	is_event(1, "resolved", "critical", 2, "acme/mail: resolved: 2 of the last 5 runs failed");
	is_string(of_event(0, "dedup_key"), "acme/mail/slow", "its dedup key");
	is_string(of_event(0, "runbook_url"), "https://wiki.acme.test/mail", "what to do");
	is_string(of_event(0, "at"), "2026-03-02T10:20:10.000000Z", "when");
	is_string(of_event(0, "since"), "2026-03-02T10:20:10.000000Z", "since when");
	is_string(of_event(1, "at"), "2026-03-02T10:35:10.000000Z", "when it closed");
	is_string(of_event(1, "since"), of_event(0, "since"), "still since when");
	is_string(of_event(1, "event_id"), of_event(0, "event_id"), "one id for both");
	ok(strncmp(of_event(0, "event_id"), "evt_", 4) == 0, "that begins with evt_");
	evidence = json_object_get(events[0], "evidence");
	is_integer((long long)json_array_size(evidence), 3, "the three failed runs");
	first = json_array_get(evidence, 0);
	is_string(json_string_value(json_object_get(first, "started_at")),
		"2026-03-02T10:10:00.000000Z", "oldest first");
	is_string(json_string_value(json_object_get(first, "outcome")), "fail", "with outcome");
	ok(json_equal(json_object_get(events[0], "limit"), limit.config), "the limit as written");
}

/* --- values of runs -------------------------------------------------------------------- */

static void test_values(void)
{
	set_limit("in.delivery_seconds", NULL, "> 5s", "> 8s");
	sequence("123", "...", "below");
	sequence("5", ".", "the limit itself is no breach");
	sequence("6", "o", "one breach opens");
	is_event(0, "open", "warning", 1, "acme/mail: in.delivery_seconds 6 s > 5 s");
	sequence("9", "o", "at once critical");
	is_event(0, "open", "critical", 1, "acme/mail: in.delivery_seconds 9 s > 8 s");
	sequence("6666", "o...", "once");
	sequence("6669", "o..u", "a rise is an edge");
	is_event(1, "update", "critical", 2, "acme/mail: in.delivery_seconds 9 s > 8 s");
	sequence("9666", "o..u", "a fall needs three results");
	is_event(1, "update", "warning", 2, "acme/mail: in.delivery_seconds 6 s > 5 s");
	sequence("9611", "o..u", "that are all below critical, and goes no lower than they were");
	sequence("9111", "o..r", "or closes");
	is_event(1, "resolved", "critical", 2,
		"acme/mail: resolved: in.delivery_seconds 1 s, limit > 5 s");
	sequence("9666111", "o..u..r", "step by step");
	sequence("65551", "o..r.", "single values close at the limit, without a margin");
	sequence("6FF55F5", "o.....r", "runs without a value do neither");
	set_limit("in.delivery_seconds", NULL, "> 5s", NULL);
	set_for(3, 5);
	sequence("6161611111", "....o..r..", "three of five values");
	is_event(0, "open", "warning", 1,
		"acme/mail: in.delivery_seconds 6 s > 5 s (3 of the last 5)");
	set_limit("in.delivery_seconds", NULL, ">= 5s", NULL);
	sequence("5", "o", "at the limit is a breach if it says so");
	set_limit("in.duplicates", NULL, "> 0", NULL);
	sequence("111", "...", "a metric that no run has");
	set_limit("in.delivery_seconds", NULL, "> 4s", NULL);
	sequence("!", "o", "a mail that had not come after 5 s took more than 4");
	is_event(0, "open", "warning", 1, "acme/mail: in.delivery_seconds at least 5 s > 4 s");
	set_limit("in.delivery_seconds", NULL, "> 6s", NULL);
	sequence("!!!", "...", "whether it took more than 6 is not known");
	sequence("71!!!!111", "o.......r", "and does not close either");
}

/* --- statistics ------------------------------------------------------------------------ */

static void test_statistics(void)
{
	char letters[64], want[64];

	set_limit("in.delivery_seconds", "24h", "p50 > 5s", NULL);
	sequence("9999", "....", "four values are too few for p50");
	sequence("99999", "....o", "five are enough");
	is_event(0, "open", "warning", 1,
		"acme/mail: in.delivery_seconds p50 9 s > 5 s over 24h (n=5)");
	/* 5 s is not above the limit, but above 0.9 of it. */
	sequence("666665555555555", "....o..........", "near the limit it stays open");
	sequence("66666444444444", "....o......r..", "below 0.9 of it, it closes");
	is_event(1, "resolved", "warning", 2,
		"acme/mail: resolved: in.delivery_seconds p50 4 s over 24h (n=12), limit > 5 s");
	set_limit("in.delivery_seconds", "20m", "p50 > 5s", NULL);
	sequence("99999", ".....", "a window of four runs");
	set_limit("in.delivery_seconds", "24h", NULL, "p95 > 5s");
	memset(letters, '9', 20);
	letters[20] = '\0';
	memset(want, '.', 20);
	memcpy(want + 19, "o", 2);
	sequence(letters, want, "p95 takes twenty");
	is_event(0, "open", "critical", 1,
		"acme/mail: in.delivery_seconds p95 9 s > 5 s over 24h (n=20)");
	is_integer((long long)json_array_size(json_object_get(events[0], "evidence")), 10,
		"the newest ten are evidence");
	set_limit("in.delivery_seconds", "24h", "max > 5s", "max > 8s");
	sequence("169", ".ou", "the largest, both levels");
	set_limit("in.delivery_seconds", "24h", "min > 5s", NULL);
	sequence("9987", "o...", "the smallest");
	/* Median known, p95 not. */
	set_limit("in.delivery_seconds", "24h", "p50 > 5s", "p95 > 8s");
	sequence("9999911111111", "....o......r.", "warn and crit of different statistics");
	set_limit("in.delivery_seconds", "24h", "p95 > 4s", NULL);
	memset(letters, '1', 20);
	memset(letters + 10, '!', 10);
	sequence(letters, want, "mails that never came count as slow");
	is_event(0, "open", "warning", 1,
		"acme/mail: in.delivery_seconds p95 at least 5 s > 4 s over 24h (n=20)");
}

static void test_rate(void)
{
	set_limit("failure_rate", "24h", "> 20%", "> 50%");
	sequence("FP", "..", "two runs are too few");
	sequence("PFP", "...", "one failure is no rate");
	sequence("PFPF", "...o", "two of four");
	is_event(0, "open", "warning", 1,
		"acme/mail: failure_rate 50% > 20% over 24h (2 of 4 runs failed)");
	sequence("PPFFF", "...ou", "three of five are critical");
	is_event(1, "update", "critical", 2,
		"acme/mail: failure_rate 60% > 50% over 24h (3 of 5 runs failed)");
	sequence("PFEFSP", "...o..", "what could not be judged is not counted");
	sequence("FFPPPPPPPPPPPP", "..o...u......r", "falls below 45 %, closes below 18 %");
	sequence("MMMPPFPP", "........", "nor is what fails in maintenance");
	set_number("min_failures", 4);
	sequence("FFFFPP", "...o..", "not before there are four");
	set_number("min_failures", 1);
	sequence("PPF", "..o", "one may be enough, of three");
}

/* --- the way back ---------------------------------------------------------------------- */

static void test_recover(void)
{
	set_limit("in.delivery_seconds", NULL, "> 5s", "> 8s");
	set("recover", "< 3s");
	sequence("6444222", "o.....r", "what is not good does not help to close");
	sequence("64343222", "o......r", "good is what recover says, and no more");
	sequence("9666222", "o..u..r", "what is critical comes down by its own limit");
	set_limit("in.delivery_seconds", "24h", "p50 > 5s", NULL);
	set("recover", "p50 <= 4s");
	sequence("6666644444444", "....o......r.", "the statistic has to recover");
	set("recover", "p50 < 4s");
	sequence("6666644444444", "....o........", "and not only nearly");
	set_limit("failure_rate", "24h", "> 40%", NULL);
	set("recover", "< 20%");
	sequence("FFPPPPPPPPPPP", "..o.........r", "a rate, too");
}

static void test_below(void)
{
	set_limit("in.duplicates", NULL, "< 4", "<= 1");
	sequence("jedba", "..ou.", "less is worse");
	is_event(0, "open", "warning", 1, "acme/mail: in.duplicates 3 < 4");
	is_event(1, "update", "critical", 2, "acme/mail: in.duplicates 1 <= 1");
	sequence("deee", "o..r", "and more is good");
	set("recover", "> 6");
	sequence("deeehhh", "o.....r", "or what recover says");
	set_limit("in.duplicates", "24h", "min < 5", NULL);
	sequence("gee", ".o.", "the smallest of a window");
}

static void test_sum(void)
{
	set_limit("duplicates", "20m", NULL, "sum > 3");
	sequence("bbcaaaaaa", "..o....r.", "all of a window together");
	is_event(0, "open", "critical", 1, "acme/mail: duplicates sum 4 > 3 over 20m (n=3)");
}

/* --- flapping -------------------------------------------------------------------------- */

static bool is_flapping(size_t index)
{
	return index < event_count && json_is_true(json_object_get(events[index], "flapping"));
}

static void test_flapping(void)
{
	set_limit("in.delivery_seconds", NULL, "> 5s", "> 7s");
	set_number("keep", 1);
	sequence("6161616161616", "orou.........", "what comes and goes is told as one");
	is_event(3, "update", "warning", 2,
		"acme/mail: in.delivery_seconds 1 s, not yet well below the limit > 5 s; flapping, "
		"24% of the newest results changed it");
	ok(is_flapping(3) && !is_flapping(2), "says so");
	sequence("61616166666", "orou.......", "without an end while it is bad");
	sequence("616161618161", "orou....u...", "but for what is graver");
	is_event(4, "update", "critical", 3,
		"acme/mail: in.delivery_seconds 8 s > 7 s; flapping, 52% of the newest results "
		"changed it");
	ok(is_flapping(4), "and goes on flapping");
	sequence("616161111111111111111111111", "orou....................r..",
		"is over when it is calm");
	ok(!is_flapping(4), "and so it says");
	is_string(of_event(4, "event_id"), of_event(2, "event_id"), "the same incident");
	sequence(
		"616166666666666666666666666", "orou...................u...", "or goes on, calmly");
	ok(!is_flapping(4), "as any other");
	is_event(4, "update", "warning", 3, "acme/mail: in.delivery_seconds 6 s > 5 s");
	sequence("61111111111111111111111616161", "or.....................orou..",
		"old changes do not count");
	set_limit("failed", NULL, NULL, NULL);
	set_for(3, 5);
	sequence(
		"FFFFPPPPPFFFFPPPPPFFFFPPPPP", "..o...r....o...u...........", "down four, up five");
}

/* --- crashes --------------------------------------------------------------------------- */

static void test_emit_fails(void)
{
	char first[64];

	set_limit("in.delivery_seconds", NULL, "> 5s", NULL);
	begin();
	emit_fails = true;
	is_integer(run_one('9'), 'X', "an event that cannot be written");
	is_integer(why.type, ERROR_LOCAL_STORAGE, "is told");
	why = (struct failure){0};
	is_integer(run_one('1'), 'X', "nor at the next run");
	why = (struct failure){0};
	emit_fails = false;
	is_integer(run_one('1'), 'o', "is written as soon as it can be");
	is_event(0, "open", "warning", 1, "acme/mail: in.delivery_seconds 9 s > 5 s");
	snprintf(first, sizeof(first), "%s", of_event(0, "event_id"));
	run_one('1');
	run_one('1');
	is_event(1, "resolved", "warning", 2,
		"acme/mail: resolved: in.delivery_seconds 1 s, limit > 5 s");
	is_string(of_event(1, "event_id"), first, "as the same event");
}

/* Killed after the event was written, before that was noted. */
static void test_repeat(void)
{
	const struct rule_key key = {"acme", "mail", "slow"};
	json_t *memory, *pending;

	set_limit("in.delivery_seconds", NULL, "> 5s", NULL);
	sequence("9", "o", "an event");
	rules_load(state, &key, &memory, &pending, &why);
	ok(pending == NULL, "nothing is pending");
	rules_store(state, &key, memory, events[0], NULL, &why);
	json_decref(memory);
	state_close(&state);
	state = state_open(test_folder, &why);
	is_integer(run_one('1'), 'o', "comes a second time");
	ok(event_count == 2 && json_equal(events[0], events[1]), "as the very same");
	is_integer(watch_judge(state, &scenario, newest, emit, NULL, &why), 0,
		"a run that is judged twice");
	is_integer(run_one('1'), '.', "counts once");
	is_integer(run_one('1'), 'r', "on its way to closing");
}

static void test_removed(void)
{
	set_limit("in.delivery_seconds", NULL, "> 5s", NULL);
	sequence("9", "o", "an event");
	scenario.limit_count = 0;
	is_integer(run_one('9'), 'r', "closes when its limit is taken out");
	is_event(1, "resolved", "warning", 2,
		"acme/mail: resolved: the limit slow was taken out of the scenario");
	is_integer(run_one('9'), '.', "once");
	scenario.limit_count = 1;
	is_integer(run_one('9'), 'o', "and opens anew when it is back");
	ok(strcmp(of_event(0, "event_id"), of_event(2, "event_id")) != 0, "as another event");
}

static size_t queued(void)
{
	json_t *rows = outbox_list(state, true, &why);
	size_t count = json_array_size(rows);

	json_decref(rows);
	return count;
}

/* What no sink was told of ends without them. */
static void test_removed_quietly(bool quiet)
{
	static const struct sink sinks[] = {{.name = "ops"}};

	scenario.sinks = sinks;
	scenario.sink_count = 1;
	set_limit("in.delivery_seconds", NULL, "> 5s", NULL);
	json_object_set_new(config, "quiet", json_boolean(quiet));
	limit_build(config, &limit);
	sequence("9", "o", "an event");
	scenario.limit_count = 0;
	is_integer(run_one('9'), 'r', "closes when its limit is taken out");
	is_event(1, "resolved", "warning", 2,
		"acme/mail: resolved: the limit slow was taken out of the scenario");
	is_integer((long long)queued(), quiet ? 0 : 2, quiet ? "quietly" : "for all sinks to hear");
	scenario.limit_count = 1;
	scenario.sink_count = 0;
}

/* Who was told that it is open is told that it is over, and of nothing that begins after. */
static void test_made_quiet(void)
{
	static const struct sink sinks[] = {{.name = "ops"}};
	int runs = 0;

	scenario.sinks = sinks;
	scenario.sink_count = 1;
	set_limit("in.delivery_seconds", NULL, "> 5s", NULL);
	sequence("9", "o", "an event");
	json_object_set_new(config, "quiet", json_true());
	limit_build(config, &limit);
	while (run_one('1') != 'r' && runs < 10)
		runs++;
	ok(runs < 10, "is over after its limit was made quiet");
	is_integer((long long)queued(), 2, "its sink hears of both");
	is_integer(run_one('9'), 'o', "the next one opens");
	is_integer((long long)queued(), 2, "quietly");
	scenario.sink_count = 0;
}

int main(void)
{
	make_folder();
	test_failed();
	test_event();
	test_values();
	test_statistics();
	test_rate();
	test_recover();
	test_below();
	test_sum();
	test_flapping();
	test_emit_fails();
	test_repeat();
	test_removed();
	test_removed_quietly(false);
	test_removed_quietly(true);
	test_made_quiet();
	return finish();
}
