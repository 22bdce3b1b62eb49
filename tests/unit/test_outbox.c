/* The outbox: order, the newest revision, tries and how long they last, and that none is lost. */
#include <string.h>

#include "outbox.h"
#include "rules.h"
#include "store_help.h"

static struct failure why;
static struct state *state;
static const struct outbox_queue ops = {"acme", "mail", "ops"}, chat = {"acme", "mail", "chat"};

static json_t *an_event(const char *id, int revision)
{
	return json_pack("{s:s, s:i, s:s, s:s}", "event_id", id, "revision", revision, "customer",
		"acme", "scenario", "mail");
}

static void order(const char *id, int revision, bool is_answer, int64_t now_ns)
{
	const struct rule_key key = {"acme", "mail", id};
	json_t *sinks = json_pack("[s, s]", "ops", "chat"), *event = an_event(id, revision);
	const struct outbox_order to = {
		.sinks = sinks, .is_answer = is_answer, .now_ns = now_ns};

	went_well(rules_store(state, &key, event, event, &to, &why), &why, "an event");
	json_decref(sinks);
	json_decref(event);
}

static void add(const char *id, int revision, int64_t now_ns)
{
	order(id, revision, false, now_ns);
}

/* The ids and revisions that a queue gives out: "a1 b2". */
static const char *claim(
	const struct outbox_queue *queue, int64_t now_ns, int64_t until_ns, int64_t *first_r)
{
	static char text[256];
	json_t *rows = outbox_claim(state, queue, now_ns, until_ns, &why), *row;
	size_t index;

	text[0] = '\0';
	json_array_foreach(rows, index, row)
	{
		const json_t *event = json_object_get(row, "event");
		size_t used = strlen(text);

		if (index == 0)
			*first_r = json_integer_value(json_object_get(row, "row"));
		snprintf(text + used, sizeof(text) - used, "%s%s%d", index > 0 ? " " : "",
			json_string_value(json_object_get(event, "event_id")),
			(int)json_integer_value(json_object_get(event, "revision")));
	}
	json_decref(rows);
	return text;
}

static void begin(void)
{
	state = state_open(make_folder(), &why);
	ok(state != NULL, "an empty outbox");
}

static void end(void)
{
	state_close(&state);
	remove_folder();
}

static void test_order(void)
{
	int64_t row = 0;
	bool down = true;

	begin();
	is_string(claim(&ops, 0, 0, &row), "", "nothing is in it");
	add("a", 1, 10);
	add("b", 1, 20);
	add("a", 2, 30);
	add("a", 2, 40);
	is_string(claim(&ops, 50, 60, &row), "b1 a2", "the newest revision, in order, once");
	is_string(claim(&ops, 59, 60, &row), "", "nobody else gets what somebody has");
	is_string(claim(&chat, 59, 60, &row), "b1 a2", "but another queue is another matter");
	is_string(claim(&ops, 60, 70, &row), "b1 a2", "until its time is over");
	outbox_is_down(state, &ops, &down, &why);
	ok(!down, "nothing went wrong so far");
	went_well(outbox_postpone(state, row, "down", 70, 100, &why), &why, "the first is put off");
	outbox_is_down(state, &ops, &down, &why);
	ok(down, "the sink is down");
	outbox_is_down(state, &chat, &down, &why);
	ok(!down, "but not the other one");
	add("c", 1, 80);
	is_string(claim(&ops, 99, 110, &row), "", "all behind it wait");
	is_string(claim(&ops, 100, 110, &row), "b1 a2 c1", "until it is due");
	went_well(outbox_settle(state, row, OUTBOX_DELIVERED, "200", 105, &why), &why, "taken");
	outbox_is_down(state, &ops, &down, &why);
	ok(!down, "and the sink is up");
	is_string(claim(&ops, 110, 120, &row), "a2 c1", "is gone");
	state_close(&state);
	state = state_open(test_folder, &why);
	is_string(claim(&ops, 120, 130, &row), "a2 c1", "the others stay over a restart");
	end();
}

/* Of the two, a pager needs both: who is not called acknowledges nothing. */
static void test_answer(void)
{
	int64_t row = 0;

	begin();
	add("a", 1, 10);
	order("a", 2, true, 20);
	order("a", 3, true, 30);
	is_string(claim(&ops, 40, 50, &row), "a1 a2 a3", "answers wait behind what they answer");
	outbox_settle(state, row, OUTBOX_STANDING, "200", 45, &why);
	is_string(claim(&ops, 50, 60, &row), "a1 a2 a3", "what stands stays until one is taken");
	outbox_settle(state, row + 4, OUTBOX_STANDING, "200", 55, &why);
	is_string(claim(&ops, 60, 70, &row), "a2 a3", "and only the newest stands");
	order("a", 4, true, 65);
	add("a", 5, 75);
	is_string(claim(&ops, 80, 90, &row), "a5", "what a run says replaces all");
	end();
}

static void test_life(void)
{
	int64_t row = 0, died = 0, changed = 0;

	begin();
	add("a", 1, 0);
	outbox_expire(state, OUTBOX_LIFE, &died, &why);
	is_integer(died, 0, "not dead after three days");
	outbox_expire(state, OUTBOX_LIFE + 1, &died, &why);
	is_integer(died, 2, "but a moment later, in both queues");
	is_string(claim(&ops, OUTBOX_LIFE + 1, OUTBOX_LIFE + 2, &row), "", "not sent any more");
	outbox_retry(state, 0, OUTBOX_LIFE + 5, &changed, &why);
	is_integer(changed, 2, "unless somebody wants it");
	is_string(claim(&ops, OUTBOX_LIFE + 5, OUTBOX_LIFE + 6, &row), "a1", "then it is");
	outbox_settle(state, row, OUTBOX_STANDING, "200", OUTBOX_LIFE + 7, &why);
	is_string(claim(&ops, OUTBOX_LIFE + 7, OUTBOX_LIFE + 8, &row), "a1",
		"what stands is said again");
	add("a", 2, OUTBOX_LIFE + 9);
	is_string(claim(&ops, OUTBOX_LIFE + 9, OUTBOX_LIFE + 9, &row), "a2", "until there is news");
	outbox_drop(state, row, OUTBOX_LIFE + 10, &changed, &why);
	is_integer(changed, 1, "one is dropped");
	is_string(claim(&ops, OUTBOX_LIFE + 11, OUTBOX_LIFE + 12, &row), "", "and gone");
	end();
}

static void test_begun(void)
{
	int64_t row = 0, count = -1, newest = -1;

	begin();
	add("a", 1, 0);
	claim(&ops, 1, 2, &row);
	outbox_begun(state, &ops, 0, &count, &newest, &why);
	ok(count == 0 && newest == 0, "no program was started");
	outbox_begin(state, row, 5, &why);
	outbox_begun(state, &ops, 4, &count, &newest, &why);
	ok(count == 1 && newest == 5, "one was");
	outbox_begun(state, &ops, 5, &count, &newest, &why);
	is_integer(count, 0, "not since then");
	outbox_begun(state, &chat, 0, &count, &newest, &why);
	is_integer(count, 0, "nor in another queue");
	end();
}

static void test_backoff(void)
{
	for (int attempts = 1; attempts <= 100; attempts++) {
		int64_t least = outbox_backoff(attempts, 0),
			most = outbox_backoff(attempts, UINT32_MAX);
		int64_t want =
			attempts < 9 ? 5 * NS_PER_SECOND << (attempts - 1) : 900 * NS_PER_SECOND;

		if (want > 900 * NS_PER_SECOND)
			want = 900 * NS_PER_SECOND;
		if (least != want / 2 || most > want || most < want - NS_PER_SECOND * 3)
			diag("after %d: %lld to %lld", attempts, (long long)least, (long long)most);
		if (attempts < 12 || attempts == 100)
			ok(least == want / 2 && most <= want && most >= want - 3 * NS_PER_SECOND,
				"after %d attempts", attempts);
	}
}

int main(void)
{
	test_order();
	test_answer();
	test_life();
	test_begun();
	test_backoff();
	return done_testing();
}
