/* Who is named for a slow run, and that nobody is named without proof. */
#include "attribute.h"
#include "history.h"
#include "store_help.h"

static struct failure why;
static struct state *state;

static int64_t at_second(int second)
{
	return (INT64_C(1795465913) + second) * NS_PER_SECOND;
}

/* Additional seconds at each place of a journey with two legs. */
struct slow {
	double submission, mx, queue, filter, filter_mx, into_store, store, login, rtt,
		outside_store;
};

static void phase(json_t *step, const char *name, double seconds, int round_trips, double rtt)
{
	json_array_append_new(json_object_get(step, "phases"),
		json_pack("{s:s, s:f, s:f, s:i}", "name", name, "start_seconds", 0.0,
			"duration_seconds", seconds + round_trips * rtt, "round_trips",
			round_trips));
}

static json_t *step(
	json_t *record, const char *id, const char *type, const char *server, double rtt)
{
	json_t *made = json_pack("{s:s, s:s, s:s, s:s, s:f, s:i, s:[]}", "id", id, "type", type,
		"outcome", "pass", "server", server, "network_rtt_min_seconds", 0.0001 + rtt,
		"retransmits", 0, "phases");

	json_array_append_new(json_object_get(record, "steps"), made);
	phase(made, "resolve", 0.001, 0, 0);
	phase(made, "connect", 0.001, 1, rtt);
	return made;
}

static void hop(
	json_t *mail, const char *event, const char *by, const char *component, double delay)
{
	json_t *made = json_pack("{s:s, s:s, s:s, s:f, s:f, s:f}", "event", event, "by", by,
		"component", component, "delay_seconds", delay, "delay_seconds_min",
		delay > 2 ? delay - 2 : 0, "delay_seconds_max", delay + 2);

	json_array_append_new(json_object_get(mail, "hops"), made);
}

static void mail(
	json_t *record, const char *id, const char *leg, const struct slow *slow, bool by_mx)
{
	double filter = slow->filter + (by_mx ? slow->filter_mx : 0);
	double total = 0.05 + slow->queue + filter + slow->into_store + slow->store;
	json_t *made = json_pack("{s:s, s:s, s:s, s:f, s:[]}", "step", id, "leg", leg, "state",
		"delivered", "delivery_seconds", total, "hops");

	json_array_append_new(json_object_get(record, "mails"), made);
	hop(made, "received", by_mx ? "mx.test" : "smtp.test", by_mx ? "mx" : "mta", slow->queue);
	hop(made, "received", "filter.test", "spam-filter", filter + 0.02);
	hop(made, "received", "out.test", "mta", slow->into_store);
	hop(made, "received", "imap.test", "store", slow->store);
	hop(made, "stored", "", "store", 0.01);
}

static json_t *journey_of(int64_t at_ns, const struct slow *slow)
{
	json_t *record = make_result(at_ns, "pass"), *made;

	json_object_set_new(record, "steps", json_array());
	json_object_set_new(record, "mails", json_array());
	made = step(record, "out", "smtp_send", "smtp.test:587", slow->rtt);
	phase(made, "rcpt", 0.01 + slow->submission, 1, slow->rtt);
	made = step(record, "in", "mx_send", "mx.test:25", slow->rtt);
	phase(made, "rcpt", 0.02 + slow->mx, 1, slow->rtt);
	made = step(record, "seen", "imap_await", "imap.test:993", slow->rtt);
	phase(made, "auth", 0.05 + slow->login, 3, slow->rtt);
	phase(made, "wait", 1 + slow->queue + slow->filter, 40, slow->rtt);
	phase(made, "store", 0.01, 1, slow->rtt);
	mail(record, "out", "submission->store", slow, false);
	mail(record, "in", "mx->store", slow, true);
	return record;
}

static json_t *attribution_of(json_t *record)
{
	const struct limit_list limits = {0};

	ok(attribute_result(state, &limits, record, &why) == 0, "the history can be read");
	return json_object_get(record, "attribution");
}

static const struct {
	const char *name;
	struct slow slow;
	const char *component; /* NULL: nobody is named */
	const char *sure;
} samples[] = {
	{"nothing", {0}, NULL, NULL},
	{"a little of everything", {0.2, 0.2, 0.1, 0.1, 0, 0, 0.1, 0.2, 0.004, 0}, NULL, NULL},
	{"the submission server", {.submission = 3}, "submission", "certain"},
	{"the exchanger", {.mx = 3}, "exchanger", "certain"},
	{"both, in the same phase", {.submission = 3, .mx = 3}, "smtp", "certain"},
	{"the content filter", {.filter = 8}, "spam-filter", "likely"},
	{"the filter for one leg only", {.filter_mx = 8}, NULL, NULL},
	{"before the filter, on both legs", {.queue = 8}, "spam-filter", "certain"},
	{"between queue and store", {.into_store = 8}, "mta", "likely"},
	{"the store", {.store = 8}, "store", "certain"},
	{"the IMAP login", {.login = 3}, "imap-login", "certain"},
	{"the network", {.rtt = 0.05}, "network", "certain"},
	{"a network so slow that phases are", {.rtt = 1}, "network", "certain"},
	{"two places at once", {.login = 3, .store = 8}, NULL, NULL},
	{"the network and a server", {.login = 3, .rtt = 0.05}, NULL, NULL},
};

static void test_samples(void)
{
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		json_t *record = journey_of(at_second(1000), &samples[i].slow);
		const json_t *found = attribution_of(record);
		const char *component = json_string_value(json_object_get(found, "component"));

		is_string(component, samples[i].component, samples[i].name);
		is_string(json_string_value(json_object_get(found, "sure")), samples[i].sure,
			"  how sure it is");
		ok(component == NULL || json_array_size(json_object_get(found, "proof")) > 1,
			"  with proof");
		json_decref(record);
	}
}

/* Where it is not known where a mail was, nobody had it. */
static void test_unknown(void)
{
	json_t *record = journey_of(at_second(1000), &(struct slow){.store = 8});
	size_t i, j;
	json_t *each, *one;

	json_array_foreach(json_object_get(record, "mails"), i, each)
		json_array_foreach(json_object_get(each, "hops"), j, one)
	{
		json_object_del(one, "delay_seconds");
		json_object_set_new(one, "delay_seconds_min", json_real(0));
	}
	ok(attribution_of(record) == NULL, "a delay that is not known names nobody");
	json_decref(record);
}

static void test_without_history(void)
{
	json_t *record = journey_of(at_second(1000), &(struct slow){.login = 3});

	json_object_set_new(record, "scenario", json_string("new"));
	ok(attribution_of(record) == NULL, "without a history nothing is unusual");
	json_decref(record);
}

static void test_limit(void)
{
	const struct limit limit = {.metric = "seen.phases.auth",
		.warn = {.is_set = true, .threshold = 1, .unit = LIMIT_SECONDS}};
	const struct limit_list limits = {&limit, 1};
	json_t *record = journey_of(at_second(1000), &(struct slow){.login = 3});

	json_object_set_new(record, "scenario", json_string("new"));
	attribute_result(state, &limits, record, &why);
	is_string(json_string_value(
			  json_object_get(json_object_get(record, "attribution"), "component")),
		"imap-login", "a limit says what is unusual where there is no history");
	json_decref(record);
}

int main(void)
{
	state = state_open(make_folder(), &why);
	for (int i = 0; i < 6; i++) {
		json_t *record = journey_of(
			at_second(i), &(struct slow){.login = 0.01 * i, .store = 0.01 * i});

		if (history_add(state, record, &why) != 0)
			abort();
		json_decref(record);
	}
	test_samples();
	test_unknown();
	test_without_history();
	test_limit();
	state_close(&state);
	return done_testing();
}
