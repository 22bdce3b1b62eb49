/* Frames by themselves: what is written is read, in any pieces; what is wrong is refused. */
#include <sys/socket.h>
#include <unistd.h>

#include "frame.h"
#include "tap.h"

static int ends[2];

static void put(const char *bytes, size_t length)
{
	if (send(ends[0], bytes, length, 0) != (ssize_t)length)
		abort();
}

static json_t *progress(const char *note)
{
	return json_pack("{s:s, s:s, s:f, s:s}", "step", "login", "phase", "auth", "at_seconds",
		1.5, "note", note);
}

static void write_one(struct text *out, enum frame_type type, json_t *body)
{
	struct failure why = {0};

	if (!ok(frame_write(out, type, body, &why) == 0, "a %s frame is written",
		    frame_kinds[type].name))
		diag("%s", why.text);
	json_decref(body);
}

static void is_next(struct frame_reader *reader, enum frame_type want, const char *name)
{
	struct failure why = {0};
	enum frame_type type = FRAME_COUNT;
	json_t *frame = NULL;

	is_integer(frame_next(reader, &frame, &type, &why), 1, name);
	is_integer(type, want, "of its type");
	json_decref(frame);
}

static void is_not_yet(struct frame_reader *reader, const char *name)
{
	struct failure why = {0};
	enum frame_type type;
	json_t *frame;

	is_integer(frame_next(reader, &frame, &type, &why), 0, name);
}

static void test_round_trip(void)
{
	struct frame_reader reader = {0};
	struct text out;

	text_init(&out, FRAME_MAX);
	write_one(&out, FRAME_PROGRESS, progress("the mail"));
	write_one(&out, FRAME_ACK, json_object());
	write_one(&out, FRAME_REFUSAL,
		json_pack("{s:s, s:s}", "error_type", "local.storage", "error", "disk full"));
	ok(out.bytes[0] == 0 && out.bytes[1] == 0 && out.bytes[3] != 0, "the length is big endian");
	put(out.bytes, out.length);
	ok(frame_fill(&reader, ends[1]) == FRAME_FILLED, "there is something to read");
	is_next(&reader, FRAME_PROGRESS, "the first");
	is_next(&reader, FRAME_ACK, "the second");
	is_next(&reader, FRAME_REFUSAL, "the third");
	is_not_yet(&reader, "and no more");
	ok(frame_fill(&reader, ends[1]) == FRAME_NOTHING, "nothing to read does not wait");
	frame_reader_free(&reader);
	text_free(&out);
}

static void test_pieces(void)
{
	struct frame_reader reader = {0};
	struct text out;
	size_t early = 0;

	text_init(&out, FRAME_MAX);
	write_one(&out, FRAME_PROGRESS, progress("byte by byte"));
	for (size_t i = 0; i + 1 < out.length; i++) {
		struct failure why = {0};
		enum frame_type type;
		json_t *frame;

		put(out.bytes + i, 1);
		frame_fill(&reader, ends[1]);
		early += frame_next(&reader, &frame, &type, &why) != 0;
	}
	is_integer(early, 0, "half a frame is none");
	put(out.bytes + out.length - 1, 1);
	frame_fill(&reader, ends[1]);
	is_next(&reader, FRAME_PROGRESS, "a frame byte by byte");
	frame_reader_free(&reader);
	text_free(&out);
}

/* Larger than the socket, and than what is read at once. */
static void test_large(void)
{
	struct frame_reader reader = {0};
	struct text out;
	json_t *body = json_pack("{s:[], s:[]}", "steps", "mails");
	char *long_text = malloc(3000001);
	size_t sent = 0;

	memset(long_text, 'x', 3000000);
	long_text[3000000] = '\0';
	json_array_append_new(
		json_object_get(body, "steps"), json_pack("{s:s}", "proof", long_text));
	text_init(&out, FRAME_MAX);
	write_one(&out, FRAME_RESULT, body);
	while (sent < out.length) {
		ssize_t took = send(ends[0], out.bytes + sent, out.length - sent, MSG_DONTWAIT);

		sent += took > 0 ? (size_t)took : 0;
		while (frame_fill(&reader, ends[1]) == FRAME_FILLED)
			;
	}
	is_next(&reader, FRAME_RESULT, "three megabytes");
	put("\0\0\0\x0e{\"type\":\"ack\"}", 18);
	frame_fill(&reader, ends[1]);
	is_next(&reader, FRAME_ACK, "and a small one behind it");
	frame_fill(&reader, ends[1]);
	ok(reader.capacity <= (size_t)1 << 20, "its memory is given back");
	frame_reader_free(&reader);
	text_free(&out);
	free(long_text);
}

static void is_refused(const char *json, const char *want, const char *name)
{
	struct failure why = {0};
	enum frame_type type;
	json_t *frame = frame_parse(json, strlen(json), &type, &why);

	if (!ok(frame == NULL && why.type == ERROR_WORKER_PROTOCOL &&
			    strstr(why.text, want) != NULL,
		    "refused: %s", name))
		diag("got \"%s\", want \"%s\"", why.text, want);
	json_decref(frame);
}

static void test_refusals(void)
{
	static const struct {
		const char *name, *json, *want;
	} cases[] = {
		{"nothing", "", "not JSON"},
		{"nonsense", "nonsense", "not JSON"},
		{"two objects", "{\"type\":\"ack\"}{}", "not JSON"},
		{"a NUL in a string", "{\"type\":\"ac\\u0000k\"}", "not JSON"},
		{"a key twice", "{\"type\":\"ack\",\"type\":\"ack\"}", "not JSON"},
		{"a number beyond all", "{\"type\":\"progress\",\"at_seconds\":1e999}", "not JSON"},
		{"a list", "[]", "no known type"},
		{"a type that is no string", "{\"type\":1}", "no known type"},
		{"an unknown type", "{\"type\":\"kill\"}", "no known type"},
		{"an unknown key", "{\"type\":\"ack\",\"more\":1}", "unknown key"},
		{"a free key", "{\"type\":\"ack\",\"x-a\":1}", "own invention"},
		{"a comment", "{\"type\":\"ack\",\"$comment\":1}", "own invention"},
		{"a missing key", "{\"type\":\"refusal\",\"error\":\"e\"}", "missing"},
		{"a wrong choice",
			"{\"type\":\"refusal\",\"error\":\"e\",\"error_type\":\"no.such\"}",
			"/error_type"},
		{"escapes in a key", "{\"type\":\"ack\",\"\\u001b[2J\":1}", "\\x1b[2J"},
		{"depth", "{\"type\":[[[[[[[[[[[[[]]]]]]]]]]]]]}", "nested deeper"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		is_refused(cases[i].json, cases[i].want, cases[i].name);
}

static void test_not_fooled(void)
{
	const char *json = "{\"type\":\"refusal\",\"error_type\":\"local.storage\",\"error\":"
			   "\"[[[[[[[[[[[[[[[[[[[[\\\"{{{{{{{{{{{{{{{{\\\\\"}";
	struct failure why = {0};
	enum frame_type type;
	json_t *frame = frame_parse(json, strlen(json), &type, &why);

	if (!ok(frame != NULL, "brackets within a string are no depth"))
		diag("%s", why.text);
	json_decref(frame);
}

static void test_printable(void)
{
	const char *json = "{\"type\":\"refusal\",\"error_type\":\"local.storage\",\"error\":"
			   "\"\\u001b]0;evil\\u0007 \\u202egnp\"}";
	struct failure why = {0};
	enum frame_type type;
	json_t *frame = frame_parse(json, strlen(json), &type, &why);

	is_string(json_string_value(json_object_get(frame, "error")),
		"\\x1b]0;evil\\x07 \\u{202e}gnp", "strings are made printable");
	json_decref(frame);
}

static void test_caps(void)
{
	struct frame_reader reader = {0};
	struct failure why = {0};
	struct text out;
	enum frame_type type;
	json_t *frame, *body;
	char *note = malloc(70001);

	memset(note, 'n', 70000);
	note[70000] = '\0';
	body = progress(note);
	text_init(&out, FRAME_MAX);
	ok(frame_write(&out, FRAME_PROGRESS, body, &why) == -1 && out.length == 0,
		"a frame over its cap is not written");
	json_decref(body);
	put("\x00\x80\x00\x01", 4);
	frame_fill(&reader, ends[1]);
	why = (struct failure){0};
	is_integer(frame_next(&reader, &frame, &type, &why), -1, "one byte over the cap of all");
	ok(strstr(why.text, "8388609") != NULL, "it says how long");
	ok(reader.capacity <= (size_t)256 * 1024, "nothing was allocated for it");
	frame_reader_free(&reader);
	text_free(&out);
	free(note);
}

static void test_end(void)
{
	struct frame_reader reader = {0};

	close(ends[0]);
	ok(frame_fill(&reader, ends[1]) == FRAME_END, "the other end has been closed");
	frame_reader_free(&reader);
	close(ends[1]);
}

int main(void)
{
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
		abort();
	test_round_trip();
	test_pieces();
	test_large();
	test_refusals();
	test_not_fooled();
	test_printable();
	test_caps();
	test_end();
	return done_testing();
}
