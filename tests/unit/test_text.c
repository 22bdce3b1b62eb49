/* Text: capped, always ended, and harmless to show. */
#include "tap.h"
#include "text.h"

static void test_growth(void)
{
	struct text text;

	text_init(&text, 100000);
	for (int i = 0; i < 10000; i++)
		text_printf(&text, "%d,", i % 10);
	is_integer((long long)text.length, 20000, "it grows");
	is_integer((long long)strlen(text.bytes), 20000, "and is ended");
	ok(!text.overflowed, "within its cap");
	text_clear(&text);
	is_string(text.bytes, "", "cleared");
	text_puts(&text, "again");
	is_string(text.bytes, "again", "and used again");
	text_free(&text);
	ok(text.bytes == NULL && text.cap == 100000, "freed, it can be used again");
	text_puts(&text, "");
	is_string(text.bytes, "", "an empty text is a text");
	text_free(&text);
}

static void test_cap(void)
{
	struct text text;

	text_init(&text, 5);
	text_puts(&text, "12345");
	ok(!text.overflowed && text.length == 5, "up to the cap");
	text_puts(&text, "");
	ok(!text.overflowed, "nothing more is not too much");
	text_append(&text, "67", 2);
	ok(text.overflowed, "over it");
	is_string(text.bytes, "12345", "what goes beyond is dropped");
	text_clear(&text);
	ok(!text.overflowed, "cleared, it is forgotten");
	text_free(&text);
}

static void test_copy(void)
{
	char field[4];

	ok(text_copy(field, sizeof(field), "abc"), "it fits");
	is_string(field, "abc", "and is whole");
	ok(!text_copy(field, sizeof(field), "abcd"), "it does not fit");
	is_string(field, "abc", "and is cut");
}

static const struct {
	const char *name, *bytes;
	size_t length;
	const char *want;
} shown[] = {
	{"plain", "hello", 5, "hello"},
	{"nothing", "", 0, ""},
	{"a line end goes", "hello\r\n", 7, "hello"},
	{"several line ends go", "hello\n\n", 7, "hello"},
	{"a line end within stays visible", "a\r\nb", 4, "a\\x0d\\x0ab"},
	{"escape", "\x1b[31m", 5, "\\x1b[31m"},
	{"NUL", "a\0b", 3, "a\\x00b"},
	{"delete", "a\x7f", 2, "a\\x7f"},
	{"UTF-8", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", 9,
		"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"},
	{"C1 control", "\xc2\x9b", 2, "\\u{009b}"},
	{"right to left override", "\xe2\x80\xae", 3, "\\u{202e}"},
	{"line separator", "\xe2\x80\xa8", 3, "\\u{2028}"},
	{"zero width space", "\xe2\x80\x8b", 3, "\\u{200b}"},
	{"byte order mark", "\xef\xbb\xbf", 3, "\\u{feff}"},
	{"Latin-1", "gr\xfcn", 4, "gr\\xfcn"},
	{"overlong", "\xc0\xaf", 2, "\\xc0\\xaf"},
	{"overlong, three bytes", "\xe0\x80\xaf", 3, "\\xe0\\x80\\xaf"},
	{"surrogate", "\xed\xa0\x80", 3, "\\xed\\xa0\\x80"},
	{"beyond Unicode", "\xf4\x90\x80\x80", 4, "\\xf4\\x90\\x80\\x80"},
	{"cut character", "\xe2\x82", 2, "\\xe2\\x82"},
	{"lonely continuation", "\x80", 1, "\\x80"},
};

static void test_printable(void)
{
	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
		struct text text;

		text_init(&text, 1000);
		text_puts(&text, "");
		text_printable(&text, shown[i].bytes, shown[i].length);
		is_string(text.bytes, shown[i].want, shown[i].name);
		text_free(&text);
	}
}

/* Of every byte and of many pairs: printed once or twice is the same. */
static void test_twice(void)
{
	int different = 0;

	for (int i = 0; i < 65536; i++) {
		char bytes[2] = {(char)(i >> 8), (char)i};
		char once[64], twice[64];

		text_printable_copy(once, sizeof(once), bytes, 2);
		text_printable_copy(twice, sizeof(twice), once, strlen(once));
		different += strcmp(once, twice) != 0;
	}
	is_integer(different, 0, "what is printable stays as it is");
}

static void test_printable_copy(void)
{
	char field[6];

	text_printable_copy(field, sizeof(field), "ab\xe2\x82\xac\xe2\x82\xac", 8);
	is_string(field, "ab\xe2\x82\xac", "a character that fits");
	text_printable_copy(field, sizeof(field), "abc\xe2\x82\xac", 6);
	is_string(field, "abc", "one that does not fit is not begun");
	text_printable_copy(field, sizeof(field), "", 0);
	is_string(field, "", "nothing");
}

static void test_breaks(void)
{
	ok(!text_breaks_line("abc", 3), "one line");
	ok(text_breaks_line("a\rb", 3), "CR");
	ok(text_breaks_line("a\nb", 3), "LF");
	ok(text_breaks_line("a\0b", 3), "NUL");
	ok(!text_breaks_line("a\r", 1), "only as far as asked");
}

static void test_nearest(void)
{
	static const char *const names[] = {"timeout", "account", "password", "imap", NULL};

	is_string(text_nearest("tiemout", names), "timeout", "two letters swapped");
	is_string(text_nearest("acount", names), "account", "one left out");
	is_string(text_nearest("passwort", names), "password", "one wrong");
	is_string(text_nearest("imaps", names), "imap", "one too many");
	is_string(text_nearest("webmail", names), NULL, "nothing like it");
}

int main(void)
{
	test_growth();
	test_cap();
	test_copy();
	test_printable();
	test_twice();
	test_printable_copy();
	test_breaks();
	test_nearest();
	return done_testing();
}
