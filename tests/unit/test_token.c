/* The signature of a probe mail: nobody makes it without the key, nothing it covers can change,
 * and what relays do to line ends does not matter. */
#include "token.h"

#include "tap.h"

static const struct mail_key key = {.bytes = "thirty-two bytes of a test's key"};
static const struct mail_key other_key = {.bytes = "thirty-two bytes of another's ke"};

#define ID "0190a2f4-c5aa-7bbb-8ccc-0123456789ab"
#define FROM "probe@acme.test"
#define TO "probe@elsewhere.test"

static const char *hash_of(const char *body)
{
	static char hash[2][HASH_SIZE];
	static size_t turn;

	turn = !turn;
	content_hash(body, strlen(body), hash[turn]);
	return hash[turn];
}

static void test_hash(void)
{
	/* printf 'a\r\nb\r\n' | sha256sum */
	is_string(hash_of("a\r\nb\r\n"),
		"58055bdcc73787eb88c78d36f0b4939e9c5dc1c3ad17e25cc85a6833cf1a0cab",
		"it is the SHA-256 of the lines with CRLF");
	is_string(hash_of("a\nb\n"), hash_of("a\r\nb\r\n"), "bare line feeds are the same");
	is_string(hash_of("a\r\nb"), hash_of("a\r\nb\r\n"), "a missing last line end too");
	is_string(hash_of("a \t\r\nb \r\n"), hash_of("a\r\nb\r\n"), "blanks at a line's end too");
	is_string(hash_of("a\r\nb\r\n\r\n \r\n\r\n"), hash_of("a\r\nb\r\n"),
		"empty lines at the end too");
	is_string(hash_of("\r\n\r\n"), hash_of(""), "a body of empty lines is an empty one");
	ok(strcmp(hash_of("a\r\n\r\nb\r\n"), hash_of("a\r\nb\r\n")) != 0,
		"empty lines within it count");
	ok(strcmp(hash_of(" a\r\nb\r\n"), hash_of("a\r\nb\r\n")) != 0,
		"blanks before a line count");
	ok(strcmp(hash_of("a b\r\n"), hash_of("a  b\r\n")) != 0, "blanks within it too");
}

static const char *token_of(const struct mail_key *by, const char *id, const char *from,
	const char *to, const char *hash)
{
	static char token[2][160];
	static size_t turn;

	turn = !turn;
	token_make(by, id, from, to, hash, token[turn], sizeof(token[turn]));
	return token[turn];
}

static void differs(const char *token, const char *name)
{
	ok(!token_equal(token, token_of(&key, ID, FROM, TO, hash_of("a"))), "%s", name);
}

static void test_token(void)
{
	const char *token = token_of(&key, ID, FROM, TO, hash_of("a"));

	is_integer((long long)strlen(token), 3 + 36 + 1 + 64, "a token has its length");
	ok(strncmp(token, "v1." ID ".", 40) == 0, "version and id can be read");
	ok(token_equal(token, token_of(&key, ID, FROM, TO, hash_of("a"))),
		"the same again is equal");
	differs(token_of(&other_key, ID, FROM, TO, hash_of("a")), "with another key it differs");
	differs(token_of(&key, "0190a2f4-c5aa-7bbb-8ccc-0123456789ac", FROM, TO, hash_of("a")),
		"for another id it differs");
	differs(token_of(&key, ID, "x@acme.test", TO, hash_of("a")),
		"from somebody else it differs");
	differs(token_of(&key, ID, FROM, "x@elsewhere.test", hash_of("a")),
		"to somebody else it differs");
	differs(token_of(&key, ID, FROM, TO, hash_of("b")), "with other content it differs");
	differs(token_of(&key, ID, FROM TO, "", hash_of("a")), "parts cannot be moved over");
	ok(!token_equal(token, ""), "nothing is not a token");
	ok(!token_equal("v1." ID, token), "half of it is not it");
}

int main(void)
{
	test_hash();
	test_token();
	return done_testing();
}
