/* Header fields of a mail that anybody may have written. */
#include "header.h"

#include "tap.h"

static const struct {
	const char *name;
	const char *text;
	const char *value; /* of Mailprobe-Token; NULL: none */
} samples[] = {
	{"a field", "Mailprobe-Token: v1.x\r\n\r\nbody", "v1.x"},
	{"the name in any case", "MAILPROBE-token: v1.x\r\n\r\n", "v1.x"},
	{"bare line feeds", "Subject: x\nMailprobe-Token: v1.x\n\nbody", "v1.x"},
	{"no blank behind the colon", "Mailprobe-Token:v1.x\r\n\r\n", "v1.x"},
	{"blanks around the value", "Mailprobe-Token: \t v1.x \t\r\n\r\n", "v1.x"},
	{"folded", "Mailprobe-Token: v1.\r\n x.y\r\n\r\n", "v1. x.y"},
	{"folded before the value", "Mailprobe-Token:\r\n\tv1.x\r\n\r\n", "v1.x"},
	{"folded to the end of the mail", "Mailprobe-Token: v1\r\n x", "v1 x"},
	{"an empty value", "Mailprobe-Token:\r\nSubject: x\r\n\r\n", ""},
	{"the first of two counts", "Mailprobe-Token: a\r\nMailprobe-Token: b\r\n\r\n", "a"},
	{"only a part of the name", "Mailprobe: a\r\nX-Mailprobe-Token: b\r\n\r\n", NULL},
	{"a longer name", "Mailprobe-Token-2: a\r\n\r\n", NULL},
	{"a folded line that looks like it", "Subject: x\r\n Mailprobe-Token: a\r\n\r\n", NULL},
	{"in the body", "Subject: x\r\n\r\nMailprobe-Token: a\r\n", NULL},
	{"in the body of a mail without header", "\r\nMailprobe-Token: a\r\n", NULL},
	{"a mail without a body", "Mailprobe-Token: a\r\n", "a"},
	{"a mail that ends in the name", "Subject: x\r\nMailprobe-Token", NULL},
	{"a mail that ends behind the colon", "Subject: x\r\nMailprobe-Token:", ""},
	{"a value that does not fit", "Mailprobe-Token: 123456789012345678901234567890123\r\n",
		NULL},
	{"a lonely carriage return ends no header", "Subject: x\r\rMailprobe-Token: a\r\n", NULL},
	{"an empty mail", "", NULL},
};

static void test_values(void)
{
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		size_t length = strlen(samples[i].text);
		/* Of just that size, so that a look behind its end is seen. */
		char *text = malloc(length > 0 ? length : 1), value[32] = "";
		bool found;

		memcpy(text, samples[i].text, length);
		found = header_value(text, length, "Mailprobe-Token", value, sizeof(value));
		is_string(found ? value : NULL, samples[i].value, samples[i].name);
		free(text);
	}
}

static size_t end_of(const char *text)
{
	return (size_t)(header_end(text, strlen(text)) - text);
}

static void test_ends(void)
{
	is_integer(
		(long long)end_of("A: b\r\n\r\nbody"), 8, "the body begins behind the empty line");
	is_integer((long long)end_of("A: b\n\nbody"), 6, "with bare line feeds too");
	is_integer((long long)end_of("A: b\r\n"), 6, "without a body, at the end");
	is_integer((long long)end_of("A: b"), 4, "without a line end, at the end");
	is_integer((long long)end_of(""), 0, "of nothing, at once");
	is_integer((long long)end_of("\r\nbody"), 2, "without a header, behind the empty line");
	is_integer((long long)end_of("A: b\r\n \r\nC: d\r\n"), 15,
		"a line of blanks is no empty line");
}

static void test_bytes(void)
{
	static const char nul[] = "Subject: a\0b\r\nMailprobe-Token: x\0y\r\n\r\n";
	char value[32] = "";

	ok(header_value(nul, sizeof(nul) - 1, "Mailprobe-Token", value, sizeof(value)),
		"a NUL in a line does not hide what follows");
	is_string(value, "x", "a NUL in a value ends what anybody compares");
}

int main(void)
{
	test_values();
	test_ends();
	test_bytes();
	return done_testing();
}
