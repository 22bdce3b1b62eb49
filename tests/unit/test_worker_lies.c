/* Workers that break the protocol, as one that was taken over might. */
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "worker_bench.h"

/* --- waiting to be stopped ------------------------------------------------------------- */

static void linger(struct stage *stage)
{
	(void)stage;
	for (;;)
		clock_sleep_until(deadline_in(NS_PER_SECOND));
}

/* --- workers that lie ------------------------------------------------------------------ */

#define PROGRESS(step)                                                                             \
	"{\"type\":\"progress\",\"step\":\"" step "\",\"phase\":\"auth\",\"at_seconds\":0.1}"
#define STEP(more)                                                                                 \
	"{\"type\":\"step\",\"record\":{\"id\":\"first\",\"type\":\"talk\",\"phases\":[]," more "}}"
#define PASSED(id, type)                                                                           \
	"{\"id\":\"" id "\",\"type\":\"" type                                                      \
	"\",\"outcome\":\"pass\",\"proof\":\"p\",\"phases\":[]}"
#define MAIL(id, step)                                                                             \
	"{\"mail\":\"" id "\",\"step\":\"" step                                                    \
	"\",\"message_id\":\"m\",\"from\":\"f\",\"to\":\"t\",\"state\":\"sending\"}"

static const struct lie {
	const char *name;
	const char *json;
	const char *why;
} lies[] = {
	{"no JSON", "hello", "not JSON"},
	{"no object", "[1]", "no known type"},
	{"half an object", "{\"type\":\"pro", "not JSON"},
	{"no UTF-8", "{\"type\":\"\xff\"}", "not JSON"},
	{"an empty frame", "", "not JSON"},
	{"a key twice", "{\"type\":\"ack\",\"type\":\"ack\"}", "not JSON"},
	{"an unknown type", "{\"type\":\"magic\"}", "no known type"},
	{"no type", "{}", "no known type"},
	{"an answer", "{\"type\":\"ack\"}", "wrong way"},
	{"a second jail", "{\"type\":\"jail\",\"sandbox\":\"full\",\"missing\":[]}", "out of turn"},
	{"progress of a foreign step", PROGRESS("other"),
		"\"other\", which is not in the scenario"},
	{"an unknown key", "{\"type\":\"ack\",\"evil\":1}", "unknown key"},
	{"a free key", "{\"type\":\"ack\",\"x-evil\":{\"deep\":[]}}", "own invention"},
	{"a wrong kind", "{\"type\":\"progress\",\"step\":5,\"phase\":\"a\",\"at_seconds\":1}",
		"/step"},
	{"a missing key", "{\"type\":\"progress\",\"step\":\"first\"}", "missing"},
	{"a path as phase",
		"{\"type\":\"progress\",\"step\":\"first\",\"phase\":\"../x\",\"at_seconds\":1}",
		"/phase"},
	{"deep nesting", "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "nested deeper"},
	{"a record of another type", "{\"type\":\"step\",\"record\":" PASSED("first", "send") "}",
		"not of type send"},
	{"a record of a foreign step", "{\"type\":\"step\",\"record\":" PASSED("other", "talk") "}",
		"not in the scenario"},
	{"an unknown fact", STEP("\"outcome\":\"pass\",\"proof\":\"p\",\"evil\":1"), "evil"},
	{"a fact of the wrong kind",
		STEP("\"outcome\":\"pass\",\"proof\":\"p\",\"messages\":\"many\""), "/messages"},
	{"a pass without proof", STEP("\"outcome\":\"pass\""), "does not go with"},
	{"a pass with an error",
		STEP("\"outcome\":\"pass\",\"proof\":\"p\",\"error_type\":\"tcp.eof\""),
		"does not go with"},
	{"a failure without a reason", STEP("\"outcome\":\"fail\""), "does not go with"},
	{"a failure that blames us",
		STEP("\"outcome\":\"fail\",\"error_type\":\"local.storage\",\"error\":\"e\","
		     "\"blame\":\"vantage\""),
		"does not go with"},
	{"a skip without a reason", STEP("\"outcome\":\"skipped\""), "does not go with"},
	{"an unknown outcome", STEP("\"outcome\":\"great\""), "/outcome"},
	{"a mail of a step that sends none",
		"{\"type\":\"intent\",\"mail\":" MAIL("m", "first") "}", "sends none"},
	{"a mail of a foreign step", "{\"type\":\"intent\",\"mail\":" MAIL("m", "other") "}",
		"not in the scenario"},
	{"a mail without identity",
		"{\"type\":\"intent\",\"mail\":{\"step\":\"out\",\"state\":\"sending\"}}",
		"missing"},
	{"an empty result", "{\"type\":\"result\",\"steps\":[],\"mails\":[]}", "no record of step"},
	{"a result with a step twice",
		"{\"type\":\"result\",\"mails\":[],\"steps\":[" PASSED("first", "talk") "," PASSED(
			"first", "talk") "]}",
		"not in order"},
	{"a result in the wrong order",
		"{\"type\":\"result\",\"mails\":[],\"steps\":[" PASSED("out", "send") "," PASSED(
			"first", "talk") "]}",
		"not in order"},
};

static const struct lie *lie;

static void tell(struct stage *stage)
{
	enter(stage, "first", "auth");
	say(lie->json);
	linger(stage);
}

static void is_protocol(void (*play)(struct stage *), const char *why, const char *name)
{
	json_t *result;

	job = a_job(3 * NS_PER_SECOND);
	result = run_job(play);
	is_outcomes(result, "error skipped skipped", name);
	is_string(of_step(result, 0, "error_type"), "worker.protocol", "its type");
	is_held(of_step(result, 0, "error"), why, "its reason");
	ok(spent < NS_PER_SECOND, "%s: over at once", name);
	json_decref(result);
}

static void test_lies(void)
{
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		lie = &lies[i];
		is_protocol(tell, lie->why, lie->name);
	}
}

static void say_gigabyte(struct stage *stage)
{
	enter(stage, "first", "auth");
	say_raw("\x40\0\0\0{", 5);
	linger(stage);
}

static void say_at_length(struct stage *stage, size_t length, const char *head, char fill)
{
	char *text = malloc(length + 1);

	enter(stage, "first", "auth");
	memset(text, fill, length);
	text[length] = '\0';
	memcpy(text, head, strlen(head));
	say(text);
	linger(stage);
}

static void say_much(struct stage *stage)
{
	say_at_length(stage, 70000, "{\"type\":\"ack\"}", ' ');
}

static void say_values(struct stage *stage)
{
	say_at_length(stage, 4000000, "[", ',');
}

static void say_spaces(struct stage *stage)
{
	say_at_length(stage, (size_t)8 << 20, "{\"type\":\"result\"}", ' ');
}

static void flood_progress(struct stage *stage)
{
	enter(stage, "first", "auth");
	for (;;)
		say(PROGRESS("first"));
}

static void flood_bytes(struct stage *stage)
{
	char zeros[65536] = {0};

	enter(stage, "first", "auth");
	for (;;)
		say_raw(zeros, sizeof(zeros));
}

static void hang_up(struct stage *stage)
{
	enter(stage, "first", "auth");
	close(JAIL_FD);
	linger(stage);
}

static void stop_half_way(struct stage *stage)
{
	enter(stage, "first", "auth");
	say_raw("\0\0\1\0{\"type\":", 12);
	close(JAIL_FD);
	linger(stage);
}

static void ask_without_end(struct stage *stage)
{
	char json[300];

	enter(stage, "first", "auth");
	for (int i = 0;; i++) {
		snprintf(json, sizeof(json),
			"{\"type\":\"intent\",\"mail\":{\"mail\":\"m%d\",\"step\":\"out\","
			"\"message_id\":\"m\",\"from\":\"f\",\"to\":\"t\",\"state\":\"sending\"}}",
			i);
		say(json);
	}
}

static void change_without_end(struct stage *stage)
{
	enter(stage, "first", "auth");
	for (;;)
		say("{\"type\":\"state\",\"mail\":" MAIL("m", "out") "}");
}

static void test_floods(void)
{
	struct rusage usage;

	is_protocol(say_gigabyte, "a frame of 1073741824 bytes", "a gigabyte announced");
	is_protocol(say_much, "over its cap of 65536", "a frame over the cap of its kind");
	is_protocol(say_values, "more than 65536 values", "a million values");
	is_protocol(say_spaces, "missing", "eight megabytes of nothing");
	is_protocol(flood_progress, "frames in", "a flood of progress");
	is_protocol(flood_bytes, "not JSON", "a flood of zeros");
	is_protocol(hang_up, "stopped talking", "one that hangs up");
	is_protocol(stop_half_way, "stopped talking", "one that hangs up in a frame");
	is_protocol(ask_without_end, "more than 16 mails", "intents without end");
	is_protocol(change_without_end, "more states than", "states without end");
	getrusage(RUSAGE_SELF, &usage);
	diag("the supervisor has had %ld MB resident", usage.ru_maxrss >> 10);
	ok(SANITIZED || usage.ru_maxrss < 64 << 10, "the supervisor stays below 64 MB");
}

static void say_escapes(struct stage *stage)
{
	enter(stage, "first", "auth");
	say("{\"type\":\"progress\",\"step\":\"first\",\"phase\":\"auth\",\"at_seconds\":1e300,"
	    "\"note\":\"\\u001b[2J\\u202e evil\"}");
	pass_all(stage);
}

static void test_escapes(void)
{
	json_t *result;

	job = a_job(5 * NS_PER_SECOND);
	result = run_job(say_escapes);
	is_outcomes(result, "pass pass pass", "escapes and impossible times");
	json_decref(result);
}

static void say_escapes_last(struct stage *stage)
{
	say("{\"type\":\"progress\",\"step\":\"first\",\"phase\":\"auth\",\"at_seconds\":-1e300,"
	    "\"note\":\"\\u001b[2J\\u202e evil\"}");
	raise(SIGKILL);
	pass_all(stage);
}

static void test_escapes_heard(void)
{
	json_t *result;

	job = a_job(5 * NS_PER_SECOND);
	result = run_job(say_escapes_last);
	is_string(heard.text, "first auth \\x1b[2J\\u{202e} evil", "escapes are made visible");
	is_outcomes(result, "error skipped skipped", "an impossible time");
	json_decref(result);
}

int main(void)
{
	bench_open();
	test_lies();
	test_floods();
	test_escapes();
	test_escapes_heard();
	bench_close();
	return done_testing();
}
