/* A known secret in every encoding that a server might send it back in. */
#include <openssl/evp.h>

#include "clock.h"
#include "redact.h"
#include "tap.h"

#define SECRET "Tr0ub4dor&3=\"x\\y"

/* Positive control: these were made by other tools than ours (base64, xxd, md5sum, python). */
static const struct {
	const char *name;
	const char *text;
} planted[] = {
	{"as it is", "Tr0ub4dor&3=\"x\\y"},
	{"upper case", "TR0UB4DOR&3=\"X\\Y"},
	{"in a sentence", "password Tr0ub4dor&3=\"x\\y was wrong"},
	{"reversed", "y\\x\"=3&rod4bu0rT"},
	{"base64", "VHIwdWI0ZG9yJjM9InhceQ=="},
	{"base64, one byte before it", "AFRyMHViNGRvciYzPSJ4XHk="},
	{"base64, two bytes before it", "YTpUcjB1YjRkb3ImMz0ieFx5"},
	{"AUTH PLAIN", "AHByb2JlQGFjbWUudGVzdABUcjB1YjRkb3ImMz0ieFx5"},
	{"AUTH PLAIN with an authorization identity",
		"cHJvYmVAYWNtZS50ZXN0AHByb2JlQGFjbWUudGVzdABUcjB1YjRkb3ImMz0ieFx5"},
	{"base64 within a text", "334 VHIwdWI0ZG9yJjM9InhceQ== go on"},
	{"base64 folded", "VHIwdWI0\r\n ZG9yJjM9\r\n InhceQ=="},
	{"base64, percent-encoded", "VHIwdWI0ZG9yJjM9InhceQ%3D%3D"},
	{"hexadecimal", "547230756234646f7226333d22785c79"},
	{"hexadecimal, upper case", "547230756234646F7226333D22785C79"},
	{"percent-encoded", "Tr0ub4dor%263%3D%22x%5Cy"},
	{"percent-encoded, lower case", "Tr0ub4dor%263%3d%22x%5cy"},
	{"percent-encoded, every byte", "%54%72%30%75%62%34%64%6f%72%26%33%3d%22%78%5c%79"},
	{"quoted-printable", "Tr0ub4dor&3=3D\"x\\y"},
	{"quoted-printable, soft break", "Tr0ub4=\r\ndor&3=3D\"x\\y"},
	{"HTML", "Tr0ub4dor&amp;3=&quot;x\\y"},
	{"HTML, decimal", "Tr0ub4dor&#38;3&#61;&#34;x&#92;y"},
	{"HTML, hexadecimal", "Tr0ub4dor&#x26;3&#x3D;&#x22;x&#x5c;y"},
	{"JSON", "Tr0ub4dor&3=\\\"x\\\\y"},
	{"JSON, \\u", "Tr0ub4dor\\u00263\\u003d\\u0022x\\u005Cy"},
	{"IMAP quoted", "\"Tr0ub4dor&3=\\\"x\\\\y\""},
	{"made printable", "Tr0ub4dor\\x263=\\x22x\\x5cy"},
	{"UTF-16, little end first",
		"T\\x00r\\x000\\x00u\\x00b\\x004\\x00d\\x00o\\x00r\\x00&\\x003\\x00=\\x00\\x22\\x00"
		"x\\x00\\x5c\\x00y\\x00"},
	{"UTF-16, big end first",
		"\\x00T\\x00r\\x000\\x00u\\x00b\\x004\\x00d\\x00o\\x00r\\x00&\\x003\\x00=\\x00\\x22"
		"\\x00x\\x00\\x5c\\x00y"},
	{"base64 of UTF-16", "VAByADAAdQBiADQAZABvAHIAJgAzAD0AIgB4AFwAeQA="},
	{"split across lines", "Tr0ub\n4dor&3=\"x\\y"},
	{"folded with blanks", "Tr0ub4dor\r\n\t&3=\"x\\y"},
	{"hexadecimal with colons", "54:72:30:75:62:34:64:6f:72:26:33:3d:22:78:5c:79"},
	{"cut off by the end", "535 not Tr0ub4"},
	{"cut off but for a byte", "535 not Tr0ub4dor&3=\"x\\"},
	{"cut off in a quotation", "refused with: \"535 not Tr0ub4dor\""},
	{"cut off within an escape", "535 not Tr0ub4dor&#3"},
	{"ten bytes of it, amid a text", "not 0ub4dor&3= please"},
	{"percent-encoded and cut off", "535 not %54%72%30%75%62%34%6"},
};

/* What must not be left of it: any five bytes in a row of the plain forms. */
static bool leaves_traces(const char *text)
{
	for (size_t i = 0; i + 5 <= strlen(SECRET); i++) {
		char part[6] = {0};

		memcpy(part, &SECRET[i], 5);
		if (strstr(text, part) != NULL)
			return true;
	}
	return false;
}

static void test_encodings(void)
{
	redact_learn(SECRET);
	for (size_t i = 0; i < sizeof(planted) / sizeof(planted[0]); i++) {
		char *out = redact_string(planted[i].text);

		if (!ok(strstr(out, "***") != NULL && !leaves_traces(out), "%s", planted[i].name))
			diag("got %s", out);
		free(out);
	}
}

static void is_redacted(const char *text, const char *want, const char *name)
{
	char *out = redact_string(text);

	is_string(out, want, name);
	free(out);
}

static void test_exact(void)
{
	is_redacted("a " SECRET " b " SECRET, "a *** b ***", "only the secret goes");
	is_redacted("nothing here", "nothing here", "a harmless text stays");
	is_redacted("", "", "an empty text stays");
	is_redacted("x VHIwdWI0ZG9yJjM9InhceQ== y", "x ***== y",
		"base64: the characters that hold a few bits go too");
	is_redacted("547230756234646f7226333d22785c79", "***", "hexadecimal: all of it");
	is_redacted("Tr0ub4dor%263%3D%22x%5Cy&user=a", "***&user=a", "escapes go whole");
}

static void hash_hex(const char *name, char *hex)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	size_t size = 0;

	EVP_Q_digest(NULL, name, NULL, SECRET, strlen(SECRET), digest, &size);
	for (size_t i = 0; i < size; i++)
		snprintf(hex + 2 * i, 3, "%02X", digest[i]);
}

static void test_hashes(void)
{
	static const char *const names[] = {"MD5", "SHA1", "SHA256"};

	for (size_t i = 0; i < 3; i++) {
		char hex[2 * EVP_MAX_MD_SIZE + 1] = "", text[200], name[64];

		hash_hex(names[i], hex);
		snprintf(text, sizeof(text), "<%s>", hex);
		snprintf(name, sizeof(name), "%s of it", names[i]);
		is_redacted(text, "<***>", name);
	}
}

/* At each alignment and with each of many neighbours before and behind it. */
static void test_alignments(void)
{
	int missed = 0;

	for (size_t before = 0; before < 24; before++) {
		for (size_t after = 0; after < 6; after++) {
			unsigned char raw[64] = {0};
			char code[128], *out;
			size_t length = before + strlen(SECRET) + after;

			memset(raw, 'q', sizeof(raw));
			memcpy(raw + before, SECRET, strlen(SECRET));
			EVP_EncodeBlock((unsigned char *)code, raw, (int)length);
			out = redact_string(code);
			missed += strstr(out, "***") == NULL;
			free(out);
		}
	}
	is_integer(missed, 0, "base64 at 144 places of a longer text");
}

static void test_url_alphabet(void)
{
	redact_learn("\xff\xfe\xfb?>~~\xff\xff");
	is_redacted("//77Pz5-fv__", "//77Pz5-fv__", "a mixture of both alphabets is neither");
	is_redacted("__77Pz5-fv__", "***", "base64url");
	is_redacted("//77Pz5+fv//", "***", "base64 with + and /");
	is_redacted("%2F%2F77Pz5%2Bfv%2F%2F", "***", "base64 with + and / percent-encoded");
}

static void test_not_ascii(void)
{
	redact_learn("P\xc3\xa4sswort-\xe2\x82\xac");
	is_redacted("P\xc3\xa4sswort-\xe2\x82\xac!", "***!", "UTF-8");
	is_redacted("\xe2\x82\xac-trowss\xc3\xa4P", "***", "UTF-8, reversed by characters");
	is_redacted("P%C3%A4sswort-%E2%82%AC", "***", "UTF-8, percent-encoded");
	is_redacted("P=C3=A4sswort-=E2=82=AC", "***", "UTF-8, quoted-printable");
	is_redacted("P\\u00e4sswort-\\u20ac", "***", "UTF-8, JSON");
	is_redacted("P&#228;sswort-&#8364;", "***", "UTF-8, HTML");
	is_redacted("P\\x00\\xe4\\x00s\\x00s\\x00w\\x00o\\x00r\\x00t\\x00-\\x00\\xac ", "***",
		"UTF-16 beyond ASCII");
}

static void test_short(void)
{
	redact_learn("abc");
	is_redacted("abc", "***", "a short secret as a whole string");
	is_redacted("abcdef", "abcdef", "a short secret is not searched for");
}

static void test_public(void)
{
	redact_learn("pass");
	redact_public("pass");
	is_redacted("pass", "pass", "a public word stays, though somebody took it as password");
	is_redacted("the pass is open", "the *** is open", "within a text it is hidden");
	redact_public(NULL);
	redact_learn("2026");
	is_redacted("2026-01-01T00:00:15.000000Z", "2026-01-01T00:00:15.000000Z",
		"a timestamp stays one");
	is_redacted("in 2026", "in ***", "but not within a text");
}

static void test_tree(void)
{
	json_t *tree = json_pack("{s:s, s:[s, {s:s}], s:i, s:{s:s}}", "clean", "yes", "list",
		"say " SECRET, "deep", "VHIwdWI0ZG9yJjM9InhceQ==", "number", 5, SECRET, "k", "v");
	char *text;

	redact_json(tree);
	text = json_dumps(tree, JSON_COMPACT);
	is_string(text,
		"{\"clean\":\"yes\",\"list\":[\"say ***\",{\"deep\":\"***==\"}],\"number\":5,"
		"\"***\":{\"k\":\"v\"}}",
		"strings and keys of a tree");
	free(text);
	json_decref(tree);
}

/* A JSON string may hold NULs, also where an escape would go on. */
static void test_nul(void)
{
	static const char bytes[] = "T\0r\0000\0u\0b\0004\0d\0o\0r\0&\0003\0=\0\"\0x\0\\\0y\0 \\";
	json_t *tree = json_pack("[o]", json_stringn(bytes, sizeof(bytes)));

	redact_json(tree);
	is_string(json_string_value(json_array_get(tree, 0)), "*** \\", "UTF-16 with its NULs");
	json_decref(tree);
}

static void test_lines(void)
{
	json_t *tree = json_pack("[{s:s}, {s:s}, {s:s}]", "text", "334 VHIwdWI0ZG", "text",
		"9yJjM9In", "text", "hceQ== ready");
	char *text;

	redact_json(tree);
	text = json_dumps(tree, JSON_COMPACT);
	is_string(text, "[{\"text\":\"334 ***\"},{\"text\":\"***\"},{\"text\":\"***== ready\"}]",
		"spread over the lines of a transcript");
	free(text);
	json_decref(tree);
}

static void test_utf8_stays_valid(void)
{
	json_t *tree = json_array();
	json_t *copy;

	/* The escape ends within a character when the secret does. */
	redact_learn("grun\xc3");
	json_array_append_new(tree, json_string("gr\\u0075n\xc3\xbcn and \xe2\x82\xac"));
	redact_json(tree);
	copy = json_string(json_string_value(json_array_get(tree, 0)));
	ok(copy != NULL, "a cut through a character leaves valid UTF-8");
	json_decref(copy);
	json_decref(tree);
}

static void test_cost(void)
{
	size_t size = 1000000;
	char *text = malloc(size + 1), *out;
	int64_t start;

	for (size_t i = 0; i < size; i++)
		text[i] = "abcdefgh ijk\\lmn=opq%rst&uvw\nxyz"[i % 32];
	text[size] = '\0';
	memcpy(text + size / 2, SECRET, strlen(SECRET));
	start = clock_now();
	out = redact_string(text);
	ok(strlen(out) < size && strstr(out, "***") != NULL, "found in a text of 1 MB");
	diag("1 MB in %.0f ms", 1000 * clock_seconds(clock_now() - start));
	ok(clock_now() - start < 5 * NS_PER_SECOND, "in bearable time");
	free(out);
	free(text);
}

static void test_forget(void)
{
	redact_forget();
	is_redacted(SECRET, SECRET, "forgotten");
}

int main(void)
{
	test_encodings();
	test_exact();
	test_hashes();
	test_alignments();
	test_tree();
	test_nul();
	test_lines();
	test_cost();
	test_url_alphabet();
	test_not_ascii();
	test_utf8_stays_valid();
	test_short();
	test_public();
	test_forget();
	return done_testing();
}
