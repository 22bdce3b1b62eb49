/* The client's side of each mechanism, by the examples of the RFCs and by servers that lie. */
#include "sasl.h"

#include <openssl/evp.h>

#include "tap.h"

#define LINES_MAX 6

/* A server that says its lines whatever it hears; after them it lets the client in. */
struct server {
	const char *challenges[LINES_MAX]; /* NULL at the end */
	bool refuses;
	bool endless;
	size_t said;
	char heard[LINES_MAX][512]; /* decoded, but for the command */
	size_t heard_count;
	char line[1024];
};

static void decode(const char *text, char *to, size_t size)
{
	size_t length = strlen(text);
	int got = length > 0 && length / 4 * 3 < size
		? EVP_DecodeBlock((unsigned char *)to, (const unsigned char *)text, (int)length)
		: 0;

	for (size_t i = length; got > 0 && i > 0 && text[i - 1] == '='; i--)
		got--;
	to[got > 0 ? got : 0] = '\0';
	for (int i = 0; i < got; i++)
		if (to[i] == '\0')
			to[i] = '|';
}

static int say(void *context, const char *line, const char **challenge_r, struct failure *why)
{
	struct server *server = context;
	const char *response = line;
	const char *next = server->challenges[server->said];

	if (server->heard_count == 0) {
		const char *space = strrchr(line, ' ');

		response = strchr(line, ' ') != space ? space + 1 : "";
	}
	if (server->heard_count < LINES_MAX)
		decode(response, server->heard[server->heard_count], sizeof(server->heard[0]));
	server->heard_count++;
	*challenge_r = NULL;
	if (server->endless)
		next = "again";
	if (next != NULL) {
		if (!server->endless)
			server->said++;
		EVP_EncodeBlock((unsigned char *)server->line, (const unsigned char *)next,
			(int)strlen(next));
		*challenge_r = server->line;
		return 0;
	}
	return server->refuses ? failure_set(why, ERROR_AUTH_REJECTED, "server said: no") : 0;
}

static bool offers(void *context, const char *mechanism)
{
	return strcmp(context, mechanism) == 0;
}

static bool offers_word(void *context, const char *mechanism)
{
	const char *const *words = context;

	for (size_t i = 0; words[i] != NULL; i++)
		if (strcmp(words[i], mechanism) == 0)
			return true;
	return false;
}

static struct failure converse_inline(struct server *server, const char *mechanism,
	const struct sasl_identity *who, size_t inline_size)
{
	char name[32];
	struct failure why = {0};
	struct sasl_identity named = *who;
	const struct sasl_wire wire = {
		.verb = "AUTH", .inline_size = inline_size, .say = say, .context = server};

	snprintf(name, sizeof(name), "%s", mechanism);
	named.mechanism = mechanism;
	if (sasl_converse(sasl_choose(&named, offers, name), who, &wire, &why) == 0)
		why.type = ERROR_NONE;
	return why;
}

static struct failure converse(
	struct server *server, const char *mechanism, const struct sasl_identity *who)
{
	return converse_inline(server, mechanism, who, 510);
}

static const struct sasl_identity user = {.username = "user",
	.secret = "pencil",
	.host = "server.example.com",
	.port = 143,
	.nonce = "fyko+d2lbbFgONRv9qkxdawL"};
static const struct sasl_identity user_256 = {
	.username = "user", .secret = "pencil", .nonce = "rOprNGfwEbeRWgbNEkqO"};

#define SHA1_FIRST "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096"
#define SHA256_FIRST                                                                               \
	"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"

static void test_scram_vectors(void)
{
	struct server sha1 = {.challenges = {SHA1_FIRST, "v=rmF9pqV8S7suAoZWja4dJRkFsKQ="}};
	struct server sha256 = {
		.challenges = {SHA256_FIRST, "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="}};

	is_integer(converse(&sha1, "SCRAM-SHA-1", &user).type, ERROR_NONE,
		"RFC 5802, 5: the server proves itself");
	is_string(sha1.heard[0], "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
		"RFC 5802, 5: the first message");
	is_string(sha1.heard[1],
		"c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,"
		"p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
		"RFC 5802, 5: the proof");
	is_string(sha1.heard[2], "", "the server's proof is answered by an empty line");
	is_integer(converse(&sha256, "SCRAM-SHA-256", &user_256).type, ERROR_NONE,
		"RFC 7677, 3: the server proves itself");
	is_string(sha256.heard[1],
		"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
		"p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
		"RFC 7677, 3: the proof");
}

static void test_scram_names(void)
{
	const struct sasl_identity who = {.username = "a,b=c", .secret = "x", .nonce = "abcdefgh"};
	struct server server = {.refuses = true};

	converse(&server, "SCRAM-SHA-256", &who);
	is_string(server.heard[0], "n,,n=a=2Cb=3Dc,r=abcdefgh", "a comma in a name ends nothing");
}

/* What a server that lies is called, and what its failure says. */
struct lie {
	const char *what;
	const char *challenges[LINES_MAX];
	enum error_type want;
	const char *says;
};

static const struct lie lies[] = {
	{"a wrong signature", {SHA1_FIRST, "v=AAAAAAAAAAAAAAAAAAAAAAAAAAA="},
		ERROR_AUTH_SERVER_UNPROVEN, "signature is wrong"},
	{"a signature that is too short", {SHA1_FIRST, "v=AAAA"}, ERROR_AUTH_SERVER_UNPROVEN,
		"signature is wrong"},
	{"success without a signature", {SHA1_FIRST}, ERROR_AUTH_SERVER_UNPROVEN,
		"without proving"},
	{"success at once", {NULL}, ERROR_AUTH_SERVER_UNPROVEN, "without proving"},
	{"no signature at all", {SHA1_FIRST, "hello"}, ERROR_AUTH_MALFORMED, "no signature"},
	{"an error in its last message", {SHA1_FIRST, "e=invalid-proof"}, ERROR_AUTH_REJECTED,
		"invalid-proof"},
	{"another nonce", {"r=XXXX+d2lbbFgONRv9qkxdawL3rfc,s=QSXCR+Q6sek8bf92,i=4096"},
		ERROR_AUTH_MALFORMED, "nonce"},
	{"our own nonce without more", {"r=fyko+d2lbbFgONRv9qkxdawL,s=QSXCR+Q6sek8bf92,i=4096"},
		ERROR_AUTH_MALFORMED, "nonce"},
	{"no salt", {"r=fyko+d2lbbFgONRv9qkxdawL3rfc,s=,i=4096"}, ERROR_AUTH_MALFORMED, "salt"},
	{"a salt that is no base64", {"r=fyko+d2lbbFgONRv9qkxdawL3rfc,s=QS*C,i=4096"},
		ERROR_AUTH_MALFORMED, "salt"},
	{"no rounds", {"r=fyko+d2lbbFgONRv9qkxdawL3rfc,s=QSXCR+Q6sek8bf92,i=0"},
		ERROR_AUTH_MALFORMED, "rounds"},
	{"no number of rounds", {"r=fyko+d2lbbFgONRv9qkxdawL3rfc,s=QSXCR+Q6sek8bf92"},
		ERROR_AUTH_MALFORMED, "rounds"},
	{"a negative number of rounds", {"r=fyko+d2lbbFgONRv9qkxdawL3rfc,s=QSXCR+Q6sek8bf92,i=-1"},
		ERROR_AUTH_MALFORMED, "rounds"},
	{"four thousand million rounds",
		{"r=fyko+d2lbbFgONRv9qkxdawL3rfc,s=QSXCR+Q6sek8bf92,i=4294967295"},
		ERROR_AUTH_MALFORMED, "4294967295 rounds"},
	{"a million and one rounds",
		{"r=fyko+d2lbbFgONRv9qkxdawL3rfc,s=QSXCR+Q6sek8bf92,i=1000001"},
		ERROR_AUTH_MALFORMED, "1000001 rounds"},
	{"an extension that must be understood", {"m=x,r=fyko+d2lbbFgONRv9qkxdawL3rfc,s=AAAA,i=1"},
		ERROR_AUTH_MALFORMED, "nonce"},
	{"more after its signature", {SHA1_FIRST, "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=", "and more"},
		ERROR_AUTH_MALFORMED, "all has been said"},
};

static void test_lies(void)
{
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		struct server server = {.refuses = false};
		struct failure why;

		memcpy(server.challenges, lies[i].challenges, sizeof(server.challenges));
		why = converse(&server, "SCRAM-SHA-1", &user);
		ok(why.type == lies[i].want && strstr(why.text, lies[i].says) != NULL,
			"SCRAM, %s: %s", lies[i].what, error_info(lies[i].want)->name);
		if (why.type != lies[i].want || strstr(why.text, lies[i].says) == NULL)
			diag("%s: %s", error_info(why.type)->name, why.text);
	}
}

static void test_endless(void)
{
	static const char *const names[] = {"PLAIN", "LOGIN", "CRAM-MD5", "XOAUTH2", "OAUTHBEARER"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct server server = {.endless = true};
		struct failure why = converse(&server, names[i], &user);

		ok(why.type == ERROR_AUTH_MALFORMED && server.heard_count <= 4,
			"%s: endless challenges end after %zu", names[i], server.heard_count);
	}
}

static void test_cram_md5(void)
{
	const struct sasl_identity tim = {.username = "tim", .secret = "tanstaaftanstaaf"};
	struct server server = {.challenges = {"<1896.697170952@postoffice.reston.mci.net>"}};
	struct server empty = {.challenges = {""}};

	is_integer(converse(&server, "CRAM-MD5", &tim).type, ERROR_NONE, "RFC 2195, 2");
	is_string(
		server.heard[1], "tim b913a602c7eda7a495b4e6e7334d3890", "RFC 2195, 2: the digest");
	is_integer(converse(&empty, "CRAM-MD5", &tim).type, ERROR_AUTH_MALFORMED,
		"CRAM-MD5: an empty challenge is none");
}

static void test_plain_and_login(void)
{
	struct server plain = {.refuses = false};
	struct server held = {.challenges = {""}};
	struct server login = {.challenges = {"Username:", "Password:"}};
	struct server no = {.refuses = true};
	struct failure why;

	is_integer(converse(&plain, "PLAIN", &user).type, ERROR_NONE, "PLAIN");
	is_string(plain.heard[0], "|user|pencil", "PLAIN: with the command");
	is_integer(converse_inline(&held, "PLAIN", &user, 0).type, ERROR_NONE,
		"PLAIN without initial response");
	is_string(held.heard[0], "", "PLAIN: nothing with the command");
	is_string(held.heard[1], "|user|pencil", "PLAIN: after the empty challenge");
	is_integer(converse(&login, "LOGIN", &user).type, ERROR_NONE, "LOGIN");
	is_string(login.heard[1], "user", "LOGIN: the name first");
	is_string(login.heard[2], "pencil", "LOGIN: then the password");
	why = converse(&no, "PLAIN", &user);
	is_integer(why.type, ERROR_AUTH_REJECTED, "a refusal is the server's");
	is_string(why.text, "server said: no", "and so are the words");
}

static void test_oauth(void)
{
	static const char reason[] = "{\"status\":\"invalid_token\",\"scope\":\"example_scope\"}";
	const struct sasl_identity who = {.username = "user@example.com",
		.secret = "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==",
		.host = "server.example.com",
		.port = 143};
	struct server fine = {.refuses = false};
	struct server google = {.refuses = false};
	struct server expired = {.challenges = {reason}, .refuses = true};
	struct server dumb = {.challenges = {"{{{{"}, .refuses = true};
	struct failure why;

	is_integer(converse(&fine, "OAUTHBEARER", &who).type, ERROR_NONE, "RFC 7628, 4.1");
	is_string(fine.heard[0],
		"n,a=user@example.com,\001host=server.example.com\001port=143\001"
		"auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\001\001",
		"RFC 7628, 4.1: the first message");
	is_integer(converse(&google, "XOAUTH2", &who).type, ERROR_NONE, "XOAUTH2");
	is_string(google.heard[0],
		"user=user@example.com\001auth=Bearer "
		"vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\001\001",
		"XOAUTH2: the first message");
	why = converse(&expired, "OAUTHBEARER", &who);
	is_integer(why.type, ERROR_AUTH_REJECTED, "RFC 7628, 4.3: a token that has expired");
	is_string(why.text, "OAUTHBEARER status \"invalid_token\": server said: no",
		"RFC 7628, 4.3: the status is told");
	is_string(expired.heard[1], "\001", "RFC 7628, 3.2.3: the dummy answer");
	why = converse(&dumb, "XOAUTH2", &who);
	is_string(why.text, "XOAUTH2 status \"none that could be read\": server said: no",
		"a reason that is no JSON");
}

/* --- what is not the server's time ----------------------------------------------------- */

static void test_hashing(void)
{
	struct timings timings = {0};
	struct server server = {.challenges = {"r=abcnonce,s=c2FsdA==,i=100000"}};
	const struct sasl_identity who = {.username = "user",
		.secret = "pencil",
		.mechanism = "SCRAM-SHA-256",
		.nonce = "abc"};
	const struct sasl_wire wire = {
		.verb = "AUTH", .inline_size = 512, .say = say, .context = &server, .timings = &timings};
	char name[] = "SCRAM-SHA-256";
	struct failure why = {0};

	diag("hashing");
	timings_begin(&timings, "auth");
	sasl_converse(sasl_choose(&who, offers, name), &who, &wire, &why);
	timings_pause(&timings);
	is_integer((long long)timings.count, 1, "one phase");
	ok(timings.excluded_ns > 5 * timings_total(&timings), "the hashing is in none");
}

struct renewal {
	int result;
	int asked;
};

static int renew(void *context, const char **secret_r, struct failure *why)
{
	struct renewal *renewal = context;

	renewal->asked++;
	*secret_r = "newer";
	return renewal->result == -1 ? failure_set(why, ERROR_CONFIG_SECRET, "none") : renewal->result;
}

/* Refuses the first token, or every one. */
struct gate {
	bool opens;
	int tried;
};

static int say_at_gate(void *context, const char *line, const char **challenge_r, struct failure *why)
{
	struct gate *gate = context;

	(void)line;
	*challenge_r = NULL;
	if (++gate->tried == 2 && gate->opens)
		return 0;
	return failure_set(why, ERROR_AUTH_REJECTED, "server said: no");
}

static void is_renewed(bool opens, int renewed, enum error_type want, int tried, const char *name)
{
	struct gate gate = {.opens = opens};
	struct renewal renewal = {.result = renewed};
	const struct sasl_identity who = {.username = "user",
		.secret = "older",
		.is_token = true,
		.renew = renew,
		.context = &renewal};
	const struct sasl_wire wire = {
		.verb = "AUTH", .inline_size = 512, .say = say_at_gate, .context = &gate};
	char offered[] = "XOAUTH2";
	struct failure why = {0};

	sasl_converse(sasl_choose(&who, offers, offered), &who, &wire, &why);
	is_integer(why.type, want, name);
	is_integer(gate.tried, tried, "so many tries");
	is_integer(renewal.asked, 1, "asked for another once");
}

static void test_renewal(void)
{
	diag("a token that is refused");
	is_renewed(true, 0, ERROR_NONE, 2, "a newer one is let in");
	is_renewed(false, 0, ERROR_AUTH_REJECTED, 2, "a newer one is refused as well");
	is_renewed(true, 1, ERROR_AUTH_REJECTED, 1, "there is no newer one");
	is_renewed(true, -1, ERROR_CONFIG_SECRET, 1, "a newer one cannot be had");
}

static void is_choice(
	const char *choice, bool is_token, const char *const *offered, const char *want)
{
	const char *copy[8] = {NULL};
	const struct sasl_mechanism *mechanism;

	for (size_t i = 0; offered[i] != NULL; i++)
		copy[i] = offered[i];
	mechanism = sasl_choose(
		&(struct sasl_identity){.mechanism = choice, .is_token = is_token}, offers_word,
		copy);
	is_string(mechanism != NULL ? sasl_name(mechanism) : NULL, want,
		want != NULL ? want : "none");
}

static void test_choice(void)
{
	static const char *const all[] = {
		"LOGIN", "PLAIN", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256", "XOAUTH2", NULL};
	static const char *const old[] = {"LOGIN", "PLAIN", "CRAM-MD5", NULL};
	static const char *const token[] = {"XOAUTH2", "OAUTHBEARER", NULL};
	static const char *const none[] = {"GSSAPI", NULL};

	diag("what is chosen");
	is_choice(NULL, false, all, "SCRAM-SHA-256");
	is_choice(NULL, false, old, "CRAM-MD5");
	is_choice("plain", false, all, "PLAIN");
	is_choice("xoauth2", false, all, "XOAUTH2");
	is_choice(NULL, false, token, NULL);
	is_choice("scram-sha-1", false, old, NULL);
	is_choice(NULL, false, none, NULL);
	is_choice(NULL, true, token, "OAUTHBEARER");
	is_choice(NULL, true, all, "XOAUTH2");
	is_choice(NULL, true, old, NULL);
}

/* Beyond what fits into a line, without a byte of it cut. */
static void test_length(void)
{
	static char token[10000];
	struct sasl_identity who = {.username = "u", .secret = token, .host = "h", .port = 1};
	struct server server = {.challenges = {""}};

	memset(token, 'x', 3000);
	is_integer(converse(&server, "XOAUTH2", &who).type, ERROR_NONE, "a token of 3,000 bytes");
	is_integer(server.heard_count, 2, "which goes out on a line of its own");
	memset(token, 'x', sizeof(token) - 1);
	server = (struct server){.challenges = {""}};
	is_integer(converse(&server, "XOAUTH2", &who).type, ERROR_CONFIG_SECRET,
		"a token that no line holds is ours");
	is_integer(server.heard_count, 0, "and nothing of it is sent");
}

int main(void)
{
	test_scram_vectors();
	test_scram_names();
	test_lies();
	test_endless();
	test_cram_md5();
	test_plain_and_login();
	test_oauth();
	test_hashing();
	test_renewal();
	test_choice();
	test_length();
	return done_testing();
}
