/* The guard before libetpan's parser: what honest servers say passes, what would kill the parser
 * or fill memory does not, however the bytes are cut. */
#include "imap_guard.h"

#include <stdarg.h>

#include "tap.h"

/* The guard's stream: it only takes complaints. */
struct stream {
	struct failure why;
};

int stream_fail(struct stream *stream, enum error_type type, const char *format, ...)
{
	char text[FAILURE_TEXT_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return failure_set(&stream->why, type, "%s", text);
}

const char *stream_server(const struct stream *stream)
{
	(void)stream;
	return "imap.acme.test:143";
}

/* One answer to command 2 (or what the case says). */
struct sample {
	const char *name;
	const char *bytes;
	enum error_type want;
	unsigned int tag; /* 0: 2; GREETING */
	bool last_word, farewell;
};

#define GREETING UINT32_MAX
#define DEEP32 "(((((((((((((((((((((((((((((((("

static const struct sample samples[] = {
	{"a greeting", "* OK [CAPABILITY IMAP4rev1 SASL-IR] ready\r\n", ERROR_NONE, GREETING},
	{"a greeting of PREAUTH", "* PREAUTH hello\r\n", ERROR_NONE, GREETING},
	{"a greeting of another protocol", "SSH-2.0-OpenSSH_9.2\r\n", ERROR_IMAP_MALFORMED,
		GREETING},
	{"a greeting of BYE", "* BYE too busy\r\n", ERROR_IMAP_BYE, GREETING},
	{"a greeting of PERMANENTFLAGS", "* OK [PERMANENTFLAGS (\\Seen)] hi\r\n",
		ERROR_IMAP_MALFORMED, GREETING},
	{"a greeting of BADCHARSET", "* OK [BADCHARSET (\"x\")] hi\r\n", ERROR_IMAP_MALFORMED,
		GREETING},
	{"a greeting with a smile", "* OK [CAPABILITY IMAP4rev1] hello (:\r\n", ERROR_NONE,
		GREETING},
	{"an answer with data", "* 3 EXISTS\r\n* 0 RECENT\r\n2 OK done\r\n", ERROR_NONE},
	{"an answer in lower case", "* ok fine\r\n2 ok done\r\n", ERROR_NONE},
	{"an empty line, as some servers send", "\r\n2 OK done\r\n", ERROR_NONE},
	{"8-bit text", "* OK gr\xc3\xbc\xc3\x9f dich\r\n2 OK done\r\n", ERROR_NONE},
	{"untagged news behind the answer", "2 OK done\r\n* 4 EXISTS\r\n", ERROR_NONE},
	{"a tag that was never sent", "9 OK done\r\n", ERROR_IMAP_MALFORMED},
	{"the tag of the command before", "1 OK done\r\n", ERROR_IMAP_MALFORMED},
	{"two answers", "2 OK done\r\n2 OK done\r\n", ERROR_IMAP_MALFORMED},
	{"no tag at all", "OK done\r\n", ERROR_IMAP_MALFORMED},
	{"a continuation nobody asked for", "+ go on\r\n", ERROR_IMAP_MALFORMED},
	{"a bare plus", "+\r\n", ERROR_IMAP_MALFORMED},
	{"a plus with a response code", "+ [PERMANENTFLAGS (", ERROR_IMAP_MALFORMED},
	{"a plus behind blanks", "  + x\r\n", ERROR_IMAP_MALFORMED},
	{"a NUL", "* 3 EXI\1STS\r\n", ERROR_IMAP_MALFORMED}, /* \1 stands for NUL */

	{"PERMANENTFLAGS", "* OK [PERMANENTFLAGS (\\Answered \\Seen $x \\*)] limited\r\n",
		ERROR_NONE},
	{"PERMANENTFLAGS, empty", "* OK [PERMANENTFLAGS ()] none\r\n", ERROR_NONE},
	{"PERMANENTFLAGS, only new ones", "* OK [PERMANENTFLAGS (\\*)] any\r\n", ERROR_NONE},
	{"PERMANENTFLAGS, in lower case, no flag", "* ok [permanentflags (%)] x\r\n",
		ERROR_IMAP_MALFORMED},
	{"PERMANENTFLAGS, a list", "* OK [PERMANENTFLAGS ((\\Seen))] x\r\n", ERROR_IMAP_MALFORMED},
	{"PERMANENTFLAGS, an 8-bit flag", "* OK [PERMANENTFLAGS (\xe7)] x\r\n",
		ERROR_IMAP_MALFORMED},
	{"PERMANENTFLAGS, cut off", "* OK [PERMANENTFLAGS (\r\n", ERROR_IMAP_MALFORMED},
	{"PERMANENTFLAGS, a lonely backslash", "2 OK [PERMANENTFLAGS (\\)] x\r\n",
		ERROR_IMAP_MALFORMED},
	{"PERMANENTFLAGS in a quoted string", "* LIST () \"/\" \"[PERMANENTFLAGS (%\"\r\n",
		ERROR_NONE},
	{"PERMANENTFLAGS behind a false start", "* OK [[PERMANENTFLAGS (%\r\n",
		ERROR_IMAP_MALFORMED},

	{"a literal", "* 1 FETCH (UID 7 BODY[] {12}\r\n((((((((((\r\n)\r\n2 OK done\r\n",
		ERROR_NONE},
	{"an empty literal", "* 1 FETCH (BODY[] {0}\r\n)\r\n2 OK done\r\n", ERROR_NONE},
	{"a literal of a megabyte is announced", "* 1 FETCH (BODY[] {1048576}\r\n", ERROR_NONE},
	{"a literal of a byte more", "* 1 FETCH (BODY[] {1048577}\r\n", ERROR_LIMIT_SIZE},
	{"a literal of 4 GB", "* 1 FETCH (BODY[] {4294967295}\r\n", ERROR_LIMIT_SIZE},
	{"a literal of 30 digits", "* 1 FETCH (BODY[] {999999999999999999999999999999}\r\n",
		ERROR_LIMIT_SIZE},
	{"braces within a line", "* LIST () \"/\" {9999999999}x\r\n2 OK done\r\n", ERROR_NONE},
	{"a NUL and more in a literal", "* 1 FETCH (BODY[] {3}\r\n\1(\n)\r\n2 OK x\r\n",
		ERROR_NONE},
	{"a literal in a text for people hides nothing",
		"* OK {1000}\r\n* 1 FETCH (B (" DEEP32 "\r\n", ERROR_LIMIT_DEPTH},

	{"32 parentheses", "* 1 FETCH " DEEP32 "\r\n", ERROR_NONE},
	{"33 parentheses", "* 1 FETCH (" DEEP32 "\r\n", ERROR_LIMIT_DEPTH},
	{"many on one level",
		"* X ()()()()()()()()()()()()()()()()()()()()()()()()()()()()()()()\r\n",
		ERROR_NONE},
	{"parentheses in a quoted string", "* LIST () \"/\" \"" DEEP32 DEEP32 "\"\r\n", ERROR_NONE},
	{"a quote in a text for people hides nothing", "* OK \" (" DEEP32 "\r\n",
		ERROR_LIMIT_DEPTH},
	{"an escaped quote ends no string", "* LIST () \"/\" \"\\\"" DEEP32 DEEP32 "\"\r\n",
		ERROR_NONE},

	{"BYE within an answer", "* BYE shutting down\r\n", ERROR_IMAP_BYE},
	{"BYE to LOGOUT", "* BYE see you\r\n2 OK done\r\n", ERROR_NONE, 0, false, true},
	{"BYE behind a refusal leaves it its worth", "2 NO wrong password\r\n* BYE bye\r\n",
		ERROR_NONE},
	{"nothing behind STARTTLS", "2 OK begin\r\n", ERROR_NONE, 0, true},
	{"data behind STARTTLS", "2 OK begin\r\n* CAPABILITY IMAP4rev1\r\n", ERROR_TLS_INJECTED, 0,
		true},
	{"an answer behind STARTTLS", "2 OK begin\r\n3 OK logged in\r\n", ERROR_TLS_INJECTED, 0,
		true},
};

static void begin(struct imap_guard *guard, const struct sample *sample)
{
	imap_guard_init(guard);
	if (sample->tag != GREETING)
		imap_guard_command(guard, sample->tag != 0 ? sample->tag : 2);
	guard->last_word = sample->last_word;
	guard->farewell = sample->farewell;
}

static enum error_type judge(const struct sample *sample, size_t chunk)
{
	struct stream stream = {0};
	struct imap_guard guard;
	char bytes[512];
	size_t length = strlen(sample->bytes);

	for (size_t i = 0; i < length; i++)
		bytes[i] = sample->bytes[i] == '\1' ? '\0' : sample->bytes[i];
	begin(&guard, sample);
	for (size_t at = 0; at < length; at += chunk) {
		size_t size = length - at < chunk ? length - at : chunk;

		if (imap_guard_bytes(&guard, &stream, bytes + at, size) == -1)
			break;
	}
	return stream.why.type;
}

static void test_samples(void)
{
	static const size_t chunks[] = {SIZE_MAX, 1, 7};

	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		enum error_type got[3];
		bool same = true;

		for (size_t j = 0; j < 3; j++) {
			got[j] = judge(&samples[i], chunks[j] == SIZE_MAX ? 512 : chunks[j]);
			same = same && got[j] == samples[i].want;
		}
		if (!ok(same, "%s: %s", samples[i].name,
			    samples[i].want == ERROR_NONE ? "passes"
							  : error_info(samples[i].want)->name))
			diag("got \"%s\" \"%s\" \"%s\"", error_info(got[0])->name,
				error_info(got[1])->name, error_info(got[2])->name);
	}
}

/* The same bytes again and again, until the guard has had enough. */
static size_t flood(const char *bytes, enum error_type want, const char *name)
{
	struct stream stream = {0};
	struct imap_guard guard;
	size_t times = 0;

	imap_guard_init(&guard);
	imap_guard_command(&guard, 2);
	while (times < 1000000 && imap_guard_bytes(&guard, &stream, bytes, strlen(bytes)) == 0)
		times++;
	is_string(error_info(stream.why.type)->name, error_info(want)->name, name);
	return times;
}

static void test_floods(void)
{
	is_integer((long long)flood("* OK still here\r\n", ERROR_LIMIT_SIZE, "endless lines"),
		20000, "20,000 lines to one command are taken");
	is_integer((long long)flood("x", ERROR_LIMIT_SIZE, "an endless line"), 65536,
		"64 kB of one line are taken");
	flood("\"", ERROR_LIMIT_SIZE, "an endless line of quotes");
	flood("{1}\r\n", ERROR_IMAP_MALFORMED, "endless literals that belong to nothing");
	flood("* 1 FETCH (X {1}\r\nx)\r\n", ERROR_LIMIT_SIZE, "endless small literals");
}

static void test_commands(void)
{
	struct stream stream = {0};
	struct imap_guard guard;

	imap_guard_init(&guard);
	ok(imap_guard_bytes(&guard, &stream, "* OK hi\r\n", 9) == 0, "greeted");
	for (unsigned int tag = 1; tag < 12; tag++) {
		char line[64];
		int length = snprintf(line, sizeof(line), "* 1 EXISTS\r\n%u OK done\r\n", tag);

		imap_guard_command(&guard, tag);
		if (imap_guard_bytes(&guard, &stream, line, (size_t)length) == -1)
			break;
	}
	is_string(error_info(stream.why.type)->name, "", "one command after another");
	ok(imap_guard_bytes(&guard, &stream, "12 OK done\r\n", 12) == -1,
		"an answer to the command that is yet to come is refused");

	stream = (struct stream){0};
	imap_guard_init(&guard);
	imap_guard_command(&guard, 1);
	imap_guard_bytes(&guard, &stream, "1 NO no\r\n* BYE gone\r\n", 21);
	ok(guard.gone && stream.why.type == ERROR_NONE,
		"a BYE behind the answer is kept for the next command");
	imap_guard_bytes(&guard, &stream, "\x1b[31mred alert\n", 15);
	ok(strchr(stream.why.text, '\x1b') == NULL && strstr(stream.why.text, "\\x1b[31m") != NULL,
		"what is quoted in a complaint is printable");
}

static void hear(struct imap_guard *guard, const char *bytes)
{
	struct stream stream = {0};

	imap_guard_bytes(guard, &stream, bytes, strlen(bytes));
}

static void test_announcements(void)
{
	struct imap_guard guard;

	imap_guard_init(&guard);
	hear(&guard, "* OK hi\r\n");
	imap_guard_command(&guard, 1);
	hear(&guard, "* 4 EXISTS\r\n1 OK [CAPABILITY X] 3 EXISTS is a text\r\n");
	is_integer((long long)guard.announcements, 1, "EXISTS is news, the word in a text is not");
	imap_guard_command(&guard, 2);
	hear(&guard, "* 2 EXPUNGE\r\n* 4 exists\r\n2 OK done\r\n");
	is_integer((long long)guard.announcements, 2,
		"so it is if one message went, another came, and the number stayed");
	imap_guard_command(&guard, 3);
	hear(&guard, "* 0 RECENT\r\n* FLAGS (EXISTS)\r\n3 OK done\r\n");
	is_integer((long long)guard.announcements, 2, "nothing else is");
}

int main(void)
{
	test_announcements();
	test_samples();
	test_floods();
	test_commands();
	return done_testing();
}
