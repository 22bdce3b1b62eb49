/* What is kept of a run: which metrics, once, for 35 days, at a cost that does not grow. */
#include "error_type.h"
#include "history.h"
#include "store_help.h"

static struct failure why;
static struct state *state;

static int add(json_t *record)
{
	int result = history_add(state, record, &why);

	json_decref(record);
	return result;
}

/* The only sample of a metric; NAN if there is not exactly one. */
static double only(const char *metric, bool *censored_r)
{
	struct sample *samples;
	size_t count;
	double value = (double)NAN;

	*censored_r = false;
	if (history_samples(state, "acme", "mail", "here", metric, 0, &samples, &count, &why) < 0)
		return (double)NAN;
	if (count == 1) {
		value = samples[0].value;
		*censored_r = samples[0].censored;
	}
	free(samples);
	return value;
}

static void has(const char *metric, double value)
{
	bool censored;

	is_near(only(metric, &censored), value, 1e-9, metric);
}

static void lacks(const char *metric)
{
	bool censored;

	ok(isnan(only(metric, &censored)), "no %s", metric);
}

static const struct field *facts(const char *type)
{
	static const struct field quota[] = {
		{"used_bytes", &field_integer, FIELD_METRIC, "what is used"},
		{"looks", &field_integer, 0, "not a metric"},
		{0},
	};

	static const struct field mx[] = {
		{"hosts_down", &field_integer, FIELD_METRIC | FIELD_COUNT, "that are down"}, {0}};

	if (strcmp(type, "mx_send") == 0)
		return mx;
	return strcmp(type, "imap_quota") == 0 ? quota : NULL;
}

static void add_name(void *context, uint32_t metric, const char *name)
{
	(void)metric;
	json_array_append_new(context, json_string(name));
}

static json_t *rich_result(void)
{
	json_t *record = make_result(TEST_START, "fail"), *step, *mail;

	step = add_step(record, "folders", "pass", 0.75);
	add_phase(step, "connect", 0, 0.25);
	add_phase(step, "select", 0.25, 0.125);
	add_phase(step, "select", 0.375, 0.375);
	json_object_set_new(step, "network_rtt_seconds", json_real(0.001));
	json_object_set_new(step, "retransmits", json_integer(2));
	set_time(step, "tls_expires_at", TEST_START + 12 * 1440 * TEST_MINUTE + 720 * TEST_MINUTE);
	step = add_step(record, "quota", "warn", 0.5);
	json_object_set_new(step, "type", json_string("imap_quota"));
	json_object_set_new(step, "used_bytes", json_integer(4096));
	json_object_set_new(step, "looks", json_integer(7));
	step = add_step(record, "broken", "fail", 30);
	add_phase(step, "connect", 0, 30);
	step = add_step(record, "in-seen", "fail", 60);
	json_object_set_new(step, "waited_seconds", json_real(60.5));
	add_step(record, "blind", "error", 60);
	mail = make_mail("m1", "delivered");
	json_object_set_new(mail, "step", json_string("out"));
	json_object_set_new(mail, "delivery_seconds", json_real(1.25));
	json_object_set_new(mail, "duplicates", json_integer(1));
	json_array_append_new(json_object_get(record, "mails"), mail);
	mail = make_mail("m2", "accepted");
	json_object_set_new(mail, "await", json_string("in-seen"));
	json_array_append_new(json_object_get(record, "mails"), mail);
	mail = make_mail("m3", "accepted");
	json_object_set_new(mail, "step", json_string("dark"));
	json_object_set_new(mail, "await", json_string("blind"));
	json_array_append_new(json_object_get(record, "mails"), mail);
	step = add_step(record, "asleep", "pass", 0.5);
	json_object_set_new(step, "timings_unfit", json_string("local.suspended"));
	mail = make_mail("m5", "delivered");
	json_object_set_new(mail, "step", json_string("sent"));
	json_object_set_new(mail, "await", json_string("asleep"));
	json_object_set_new(mail, "delivery_seconds", json_real(0.25));
	json_array_append_new(json_object_get(record, "mails"), mail);
	mail = make_mail("m4", "refused");
	json_object_set_new(mail, "step", json_string("relay"));
	json_object_set_new(mail, "await", json_string("in-seen"));
	json_array_append_new(json_object_get(record, "mails"), mail);
	return record;
}

static void test_metrics(void)
{
	struct sample *samples;
	size_t count;
	bool censored;
	json_t *names;
	char *listed;

	went_well(add(rich_result()), &why, "a result with everything");
	has("folders.duration_seconds", 0.75);
	has("folders.phases.connect", 0.25);
	has("folders.phases.select", 0.5);
	has("folders.network_rtt_seconds", 0.001);
	has("folders.retransmits", 2);
	has("folders.tls_days_left", 12.5);
	has("quota.duration_seconds", 0.5);
	has("quota.used_bytes", 4096);
	lacks("quota.looks");
	lacks("broken.duration_seconds");
	lacks("broken.phases.connect");
	lacks("duration_seconds");
	has("out.delivery_seconds", 1.25);
	has("out.duplicates", 1);
	has("in.delivery_seconds", 60.5);
	only("in.delivery_seconds", &censored);
	ok(censored, "a mail that did not come is a lower bound");
	only("out.delivery_seconds", &censored);
	ok(!censored, "one that came is not");
	lacks("dark.delivery_seconds");
	lacks("relay.delivery_seconds");
	lacks("asleep.duration_seconds");
	lacks("sent.delivery_seconds");
	names = json_array();
	ok(history_names(state, "acme", "mail", "here", add_name, names, &why) == 0, "names");
	listed = json_dumps(names, JSON_COMPACT);
	is_string(listed,
		"[\"bounced\",\"duplicates\",\"folders.duration_seconds\",\"folders.network_rtt_seconds\","
		"\"folders.phases.connect\",\"folders.phases.select\",\"folders.retransmits\","
		"\"folders.tls_days_left\","
		"\"in.delivery_seconds\",\"late\",\"lost\",\"out.delivery_seconds\",\"out.duplicates\","
		"\"quota.duration_seconds\",\"quota.used_bytes\"]",
		"all metrics, by name");
	free(listed);
	json_decref(names);
	ok(history_samples(state, "acme", "mail", "here", "quota.used_bytes", TEST_START + 1, &samples,
		   &count, &why) == 0 &&
			count == 0,
		"none is that new");
	free(samples);
}

static void test_idempotent(void)
{
	json_t *record = make_result(TEST_START, "pass");
	struct run_mark *runs;
	size_t count;

	json_object_set_new(record, "customer", json_string("twice"));
	went_well(history_add(state, record, &why), &why, "a run");
	went_well(history_add(state, record, &why), &why, "the same run once more");
	history_runs(state, "twice", "mail", "here", 0, 0, &runs, &count, &why);
	is_integer((long long)count, 1, "counts once");
	is_string(runs[0].run_id, json_string_value(json_object_get(record, "run_id")), "its id");
	is_integer(runs[0].at_ns, TEST_START, "its start");
	is_integer(runs[0].outcome, OUTCOME_PASS, "its outcome");
	free(runs);
	json_decref(record);
	for (int i = 0; i < 5; i++) {
		record = make_result(TEST_START, "pass");
		json_object_set_new(record, "customer", json_string("twice"));
		add(record);
	}
	history_runs(state, "twice", "mail", "here", 0, 0, &runs, &count, &why);
	is_integer((long long)count, 6, "runs of one instant are all kept");
	free(runs);
}

static void test_refused(void)
{
	json_t *record = make_result(TEST_START, "pass");

	json_object_del(record, "started_at");
	went_wrong(add(record), &why, ERROR_WORKER_PROTOCOL, "started_at", "a run without a start");
	record = make_result(TEST_START, "great");
	went_wrong(add(record), &why, ERROR_WORKER_PROTOCOL, "outcome", "an outcome there is not");
}

/* How many do not work is known just then. */
static void test_counts_of_failures(void)
{
	json_t *record = make_result(TEST_START, "fail"), *step = add_step(record, "mx", "fail", 3);
	struct sample *samples;
	size_t count;

	json_object_set_new(record, "scenario", json_string("hosts"));
	json_object_set_new(step, "type", json_string("mx_send"));
	json_object_set_new(step, "hosts_down", json_integer(4));
	add(record);
	history_samples(state, "acme", "hosts", "here", "mx.hosts_down", 0, &samples, &count, &why);
	is_integer((long long)count, 1, "a step that failed has its count");
	is_near(count > 0 ? samples[0].value : -1, 4, 0, "of all that are down");
	free(samples);
	history_samples(state, "acme", "hosts", "here", "mx.duration_seconds", 0, &samples, &count, &why);
	is_integer((long long)count, 0, "but no time");
	free(samples);
}

static void test_windows(void)
{
	static const char *const outcomes[] = {"pass", "fail", "error", "skipped", "warn"};
	struct run_mark *runs;
	struct sample *samples;
	size_t count;

	for (int i = 0; i < 10; i++) {
		json_t *record = make_result(TEST_START + i * TEST_MINUTE, outcomes[i % 5]);

		json_object_set_new(record, "scenario", json_string("windows"));
		add_step(record, "imap", "pass", i);
		add(record);
	}
	history_runs(state, "acme", "windows", "here", TEST_START + 7 * TEST_MINUTE, 0, &runs,
		&count, &why);
	is_integer((long long)count, 3, "runs since an instant, itself included");
	is_integer(runs[0].outcome, OUTCOME_ERROR, "oldest first");
	free(runs);
	history_runs(state, "acme", "windows", "here", 0, 4, &runs, &count, &why);
	is_integer((long long)count, 4, "the newest four");
	is_integer(runs[3].outcome, OUTCOME_WARN, "oldest first");
	free(runs);
	history_judged(state, "acme", "windows", "here", 0, 5, &runs, &count, &why);
	is_integer((long long)count, 5, "the newest five that could be judged");
	is_integer(runs[0].at_ns, TEST_START + TEST_MINUTE, "go further back");
	free(runs);
	history_judged(state, "acme", "windows", "here", TEST_START + 5 * TEST_MINUTE, 2, &runs, &count, &why);
	is_integer(runs[1].at_ns, TEST_START + 5 * TEST_MINUTE, "none of a clock that was ahead");
	free(runs);
	history_samples(state, "acme", "windows", "here", "imap.duration_seconds",
		TEST_START + 8 * TEST_MINUTE, &samples, &count, &why);
	is_integer((long long)count, 2, "samples since an instant");
	is_near(samples[0].value, 8, 0, "oldest first");
	free(samples);
	history_newest(state, "acme", "windows", "here", "imap.duration_seconds", 3, &samples,
		&count, &why);
	is_integer((long long)count, 3, "the newest three of runs that could be judged");
	is_near(samples[0].value, 5, 0, "the first");
	is_near(samples[2].value, 9, 0, "the last");
	free(samples);
	history_samples(state, "acme", "windows", "there", "imap.duration_seconds", 0, &samples,
		&count, &why);
	is_integer((long long)count, 0, "another vantage has a history of its own");
	free(samples);
	history_samples(state, "acme", "windows", "here", "nothing", 0, &samples, &count, &why);
	is_integer((long long)count, 0, "a metric that there is not has no samples");
	free(samples);
}

static void test_prune(void)
{
	struct run_mark *runs;
	size_t count;

	for (int day = 0; day < 60; day++) {
		json_t *record = make_result(TEST_START + day * 1440 * TEST_MINUTE, "pass");

		json_object_set_new(record, "scenario", json_string("old"));
		add(record);
	}
	history_runs(state, "acme", "old", "here", 0, 0, &runs, &count, &why);
	is_integer((long long)count, HISTORY_DAYS + 1, "what is older than 35 days is dropped");
	is_integer(runs[0].at_ns, TEST_START + 24 * 1440 * TEST_MINUTE, "only that");
	free(runs);
}

static double add_time(int64_t from_ns, int count)
{
	int64_t before = clock_now();

	for (int i = 0; i < count; i++) {
		json_t *record = make_result(from_ns + i * TEST_MINUTE, "pass");

		json_object_set_new(record, "scenario", json_string("long"));
		for (int step = 0; step < 10; step++) {
			char id[16];

			snprintf(id, sizeof(id), "step%d", step);
			add_phase(add_step(record, id, "pass", 1), "connect", 0, 1);
		}
		add(record);
	}
	return clock_seconds(clock_now() - before);
}

/* Not faster than a bound, which would depend on the machine, but no slower with time. */
static void test_cost(void)
{
	double first = add_time(TEST_START, 200), last;

	add_time(TEST_START + 200 * TEST_MINUTE, 1600);
	last = add_time(TEST_START + 1800 * TEST_MINUTE, 200);
	diag("200 runs: %.3f s at first, %.3f s after 1800", first, last);
	ok(last < 3 * first + 0.2, "adding does not slow down as the history grows");
}

int main(void)
{
	state = state_open(make_folder(), &why);
	state_know_facts(state, facts);
	test_metrics();
	test_idempotent();
	test_refused();
	test_windows();
	test_counts_of_failures();
	test_prune();
	test_cost();
	state_close(&state);
	return done_testing();
}
