/* Transcripts: bounded whatever is said, printable whatever it holds, in the order of time. */
#include "transcript.h"

#include "clock.h"
#include "tap.h"

static const char *text_of(const json_t *array, size_t index)
{
	return json_string_value(json_object_get(json_array_get(array, index), "text"));
}

static const char *from_of(const json_t *array, size_t index)
{
	return json_string_value(json_object_get(json_array_get(array, index), "from"));
}

static void say(struct transcript *transcript, const char *text)
{
	transcript_add(transcript, SAID_BY_SERVER, text, strlen(text));
}

static void test_few(void)
{
	static struct transcript transcript;
	int64_t origin = clock_now();
	json_t *array;

	transcript_remark(&transcript, "connected to %s", "imap.acme.test:993");
	transcript_add(&transcript, SAID_BY_CLIENT, "1 NOOP\r\n", 8);
	say(&transcript, "1 OK done\r\n");
	say(&transcript, "\r\n");
	array = transcript_json(&transcript, origin);
	is_integer((long long)json_array_size(array), 4, "all lines are kept");
	is_string(from_of(array, 0), "prober", "a remark is ours");
	is_string(from_of(array, 1), "client", "what the client said");
	is_string(text_of(array, 1), "1 NOOP", "without its line end");
	is_string(from_of(array, 2), "server", "what the server said");
	is_string(text_of(array, 3), " ", "an empty line is not left out");
	ok(json_number_value(json_object_get(json_array_get(array, 0), "at_seconds")) >= 0,
		"with its time");
	json_decref(array);
}

static void test_many(void)
{
	static struct transcript transcript;
	int64_t origin = clock_now();
	double before = 0;
	bool ordered = true;
	json_t *array;

	for (int i = 0; i < 100000; i++) {
		char line[32];

		snprintf(line, sizeof(line), "line %d", i);
		say(&transcript, line);
	}
	array = transcript_json(&transcript, origin);
	is_integer((long long)json_array_size(array), TRANSCRIPT_HEAD + 1 + TRANSCRIPT_TAIL,
		"of very many lines head and tail are kept");
	is_string(text_of(array, 0), "line 0", "from the first");
	is_string(text_of(array, TRANSCRIPT_HEAD - 1), "line 39", "to the end of the head");
	is_string(
		text_of(array, TRANSCRIPT_HEAD), "(99900 lines left out)", "then how many are not");
	is_string(text_of(array, TRANSCRIPT_HEAD + 1), "line 99940", "then the tail");
	is_string(text_of(array, TRANSCRIPT_HEAD + TRANSCRIPT_TAIL), "line 99999", "to the last");
	for (size_t i = 0; i < json_array_size(array); i++) {
		double at =
			json_number_value(json_object_get(json_array_get(array, i), "at_seconds"));

		ordered = ordered && at >= before;
		before = at;
	}
	ok(ordered, "in the order of time");
	json_decref(array);
}

/* Just at the edge nothing may be called left out. */
static void test_edge(void)
{
	static struct transcript transcript;
	json_t *array;

	for (int i = 0; i < TRANSCRIPT_HEAD + TRANSCRIPT_TAIL; i++)
		say(&transcript, "x");
	array = transcript_json(&transcript, 0);
	is_integer((long long)json_array_size(array), TRANSCRIPT_HEAD + TRANSCRIPT_TAIL,
		"a full one leaves nothing out");
	json_decref(array);
	say(&transcript, "x");
	array = transcript_json(&transcript, 0);
	is_string(text_of(array, TRANSCRIPT_HEAD), "(1 lines left out)", "one more leaves out one");
	json_decref(array);
}

static void test_bytes(void)
{
	static struct transcript transcript;
	char flood[5000];
	json_t *array;

	memset(flood, 'A', sizeof(flood));
	transcript_add(&transcript, SAID_BY_SERVER, flood, sizeof(flood));
	say(&transcript, "\x1b]0;owned\a \xe2\x80\xae\xc2\x9b rtl \xff\n two");
	transcript_add(&transcript, SAID_BY_SERVER, "a\0b", 3);
	memset(flood, '\x1b', sizeof(flood));
	transcript_add(&transcript, SAID_BY_SERVER, flood, sizeof(flood));
	array = transcript_json(&transcript, 0);
	if (!ok(json_array_size(array) == 4, "any bytes make a line"))
		return;
	ok(strlen(text_of(array, 0)) < TRANSCRIPT_TEXT, "a long line is cut");
	is_string(text_of(array, 1), "\\x1b]0;owned\\x07 \\u{202e}\\u{009b} rtl \\xff\\x0a two",
		"control characters, bidirectional ones and broken UTF-8 are spelt out");
	is_string(text_of(array, 2), "a\\x00b", "a NUL too");
	ok(strchr(text_of(array, 3), '\x1b') == NULL, "a line of nothing else too");
	json_decref(array);
}

int main(void)
{
	test_few();
	test_many();
	test_edge();
	test_bytes();
	return done_testing();
}
