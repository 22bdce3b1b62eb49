/* Rules over limits: what holds, how grave it is, and what is told of it. The limits' memories are put there
 * as the engine leaves them. */
#include "combine.h"

#include "watch_help.h"

/* --- what limits remember ----------------------------------------------------------------- */

/* Its event stays open for now. */
#define FLAPPING 3

static void put(const char *other, const char *name, int level)
{
	const struct rule_key key = {"acme", other, name};
	json_t *memory = json_object();

	if (level > 0)
		memory = json_pack("{s:i, s:{s:o, s:s, s:s, s:s, s:s}}", "level", level % FLAPPING, "event",
			"dedup_key", json_sprintf("acme/%s/%s", other, name), "event_id", "evt_1",
			"severity", level == 2 ? "critical" : "warning", "since",
			"2026-03-01T00:00:00.000000Z", "summary", "it is bad");
	ok(rules_store(state, &key, memory, NULL, NULL, &why) == 0, "%s/%s is at %d", other, name, level);
	json_decref(memory);
}

/* One letter a limit, from a on: "." good, w, c, f for one that flaps, and is good now. */
static void put_all(const char *levels)
{
	for (size_t i = 0; levels[i] != '\0'; i++) {
		const char name[] = {(char)('a' + i), '\0'};

		put("mail", name, levels[i] == 'f' ? FLAPPING : levels[i] == 'c' ? 2 : levels[i] == 'w' ? 1 : 0);
	}
}

static void run_of(const char *other, int64_t at_ns)
{
	json_t *record = make_result(at_ns, "pass");

	json_object_set_new(record, "scenario", json_string(other));
	ok(history_add(state, record, &why) == 0, "a run of %s", other);
	json_decref(record);
}

static json_t *tree;

/* A rule of JSON, in single quotes. */
static void rule(const char *text)
{
	char quoted[1024];

	snprintf(quoted, sizeof(quoted), "{'rules': [%s], 'tier': 'gold', 'calendars': {'office': "
		"{'zone': 'UTC', 'open': ['Mon..Fri 08:00-18:00']}}}", text);
	for (char *at = quoted; *at != '\0'; at++)
		*at = *at == '\'' ? '"' : *at;
	plan_free(&scenario.plan);
	json_decref(tree);
	tree = json_loads(quoted, 0, NULL);
	ok(tree != NULL, "%s", text);
	plan_build(tree, &scenario.plan);
	begin();
}

/* Judges the rules after a run of that time; what the last event is ("open critical"), or "". */
static const char *after(const char *ended, const char *outcome)
{
	static char said[64];
	struct watcher watcher = {.state = state, .journey = &scenario.journey, .emit = emit};
	size_t before = event_count;
	int64_t at_ns = 0;

	if (ended != NULL)
		clock_parse(ended, &at_ns);
	else
		at_ns = now_ns += 5 * TEST_MINUTE;
	json_decref(newest);
	newest = make_result(at_ns, outcome);
	watcher.record = newest;
	said[0] = '\0';
	if (combine_rules(&watcher, &scenario, &why) < 0)
		return "failed";
	if (event_count > before)
		snprintf(said, sizeof(said), "%s %s", of_event(event_count - 1, "state"),
			of_event(event_count - 1, "severity"));
	return said;
}

/* --- tests --------------------------------------------------------------------------------- */

static void test_conditions(void)
{
	static const struct {
		const char *condition, *levels;
		bool holds;
	} rows[] = {
		{"'any': ['a', 'b']", "..", false},
		{"'any': ['a', 'b']", ".w", true},
		{"'all': ['a', 'b']", "w.", false},
		{"'all': ['a', 'b']", "wc", true},
		{"'not': 'a'", ".", true},
		{"'not': 'a'", "w", false},
		{"'at_least': {'n': 2, 'of': ['a', 'b', 'c']}", "w..", false},
		{"'at_least': {'n': 2, 'of': ['a', 'b', 'c']}", "w.c", true},
		{"'any': [{'limit': 'a', 'level': 'crit'}]", "w", false},
		{"'any': [{'limit': 'a', 'level': 'crit'}]", "c", true},
		{"'any': [{'limit': 'a', 'level': 'warn'}]", "c", true},
		{"'any': ['a']", "f", true},
		{"'any': [{'limit': 'a', 'level': 'crit'}]", "f", false},
		{"'all': ['a', {'not': {'any': ['b', 'c']}}]", "w..", true},
		{"'all': ['a', {'not': {'any': ['b', 'c']}}]", "w.w", false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[256];

		snprintf(text, sizeof(text), "{'name': 'r', %s}", rows[i].condition);
		rule(text);
		put_all(rows[i].levels);
		ok((after(NULL, "pass")[0] != '\0') == rows[i].holds, "%s: %s", rows[i].levels,
			rows[i].holds ? "holds" : "does not");
	}
}

static void test_course(void)
{
	rule("{'name': 'mx', 'any': ['a', 'b', 'c', 'd'], 'severity': 'warning', "
	     "'when': [{'all': ['a', 'b', 'c', 'd'], 'severity': 'critical'}]}");
	put_all("....");
	is_string(after(NULL, "pass"), "", "four good exchangers");
	put_all("w...");
	is_string(after(NULL, "pass"), "open warning", "one of four is down");
	is_string(of_event(0, "summary"), "acme/mail: mx holds by mail/a", "it says which");
	is_integer((long long)json_array_size(json_object_get(events[0], "because")), 1, "and why");
	put_all("ww..");
	is_string(after(NULL, "pass"), "", "another one is no news");
	put_all("wwww");
	is_string(after(NULL, "error"), "", "a run that could not judge tells nothing");
	is_string(after(NULL, "fail"), "update critical", "all are down");
	put_all(".www");
	emit_fails = true;
	is_string(after(NULL, "pass"), "failed", "no disk");
	emit_fails = false;
	is_string(after(NULL, "pass"), "update warning", "one is back, which is told by the next run");
	put_all("....");
	is_string(after(NULL, "pass"), "resolved warning", "all are back");
	is_integer((long long)event_count, 4, "four revisions of");
	is_string(of_event(3, "event_id"), of_event(0, "event_id"), "one event");
}

static void test_severity(void)
{
	static const struct {
		const char *more, *at, *want;
	} rows[] = {
		{"", NULL, "open critical"}, /* as the gravest of what it rests on */
		{", 'severity': 'info'", NULL, "open info"},
		{", 'severity': 'info', 'tiers': {'gold': 'error', 'iron': 'info'}", NULL, "open error"},
		{", 'severity': 'info', 'tiers': {'iron': 'error'}", NULL, "open info"},
		{", 'business': {'calendar': 'office', 'outside': 'warning'}",
			"2026-03-02T08:00:00.000000Z", "open critical"},
		{", 'business': {'calendar': 'office', 'outside': 'warning'}",
			"2026-03-01T08:00:00.000000Z", "open warning"},
		{", 'severity': 'info', 'business': {'calendar': 'office', 'outside': 'warning'}",
			"2026-03-01T08:00:00.000000Z", "open info"},
		{", 'severity': 'warning', 'when': [{'scenarios': 1, 'severity': 'error'}]", NULL,
			"open error"},
		{", 'severity': 'warning', 'when': [{'scenarios': 2, 'severity': 'error'}]", NULL,
			"open warning"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[256];

		snprintf(text, sizeof(text), "{'name': 'r', 'any': ['a', 'b']%s}", rows[i].more);
		rule(text);
		put_all("wc");
		is_string(after(rows[i].at, "pass"), rows[i].want, rows[i].more);
	}
}

static void test_hours(void)
{
	rule("{'name': 'r', 'any': ['a'], 'business': {'calendar': 'office', 'outside': 'info'}}");
	put_all("c");
	is_string(after("2026-03-02T07:00:00.000000Z", "pass"), "open info", "before work");
	is_string(after("2026-03-02T09:00:00.000000Z", "pass"), "update critical", "at work");
	is_string(after("2026-03-02T10:00:00.000000Z", "pass"), "", "as before");
	is_string(after("2026-03-02T18:00:00.000000Z", "pass"), "update info", "after work");
}

static void test_scenarios(void)
{
	static const char wide[] =
		"{'name': 'wide', 'at_least': {'n': 2, 'of': ['a', 'b', 'web/down', 'dav/down']}, "
		"'severity': 'error', 'when': [{'scenarios': 3, 'severity': 'critical'}]}";

	rule(wide);
	put_all("w.");
	put("web", "down", 2);
	put("dav", "down", 2);
	is_string(after(NULL, "pass"), "", "scenarios of which no run is known do not count");
	run_of("web", now_ns);
	is_string(after(NULL, "pass"), "open error", "a run makes it count");
	run_of("dav", now_ns);
	is_string(after(NULL, "pass"), "update critical", "three scenarios are hit");
	now_ns += 20 * TEST_MINUTE;
	is_string(after(NULL, "pass"), "", "what is not run any more leaves the rule where it was");
	put("web", "down", 0);
	put("dav", "down", 0);
	run_of("web", now_ns);
	run_of("dav", now_ns);
	is_string(after(NULL, "pass"), "resolved critical", "until somebody has looked");
	rule("{'name': 'r', 'not': 'web/down'}");
	put("web", "down", 0);
	is_string(after(NULL, "pass"), "", "nor is it good, unless somebody has looked");
	run_of("web", now_ns);
	is_string(after(NULL, "pass"), "open error", "then it is");
}

static void test_rules_of_rules(void)
{
	rule("{'name': 'low', 'any': ['a']}, {'name': 'high', 'all': ['low', 'b']}");
	put_all("ww");
	is_string(after(NULL, "pass"), "open warning", "a rule may rest on one above");
	is_integer((long long)event_count, 2, "both are told at once");
	is_string(of_event(1, "summary"), "acme/mail: high holds by mail/low, mail/b", "one by the other");
	ok(combine_has(&scenario, "low") && !combine_has(&scenario, "a"), "they are known by name");
}

int main(void)
{
	scenario.limit_count = 0;
	test_conditions();
	test_course();
	test_severity();
	test_hours();
	test_scenarios();
	test_rules_of_rules();
	plan_free(&scenario.plan);
	json_decref(tree);
	return finish();
}
