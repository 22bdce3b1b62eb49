#include "sasl_private.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <jansson.h>
#include <openssl/hmac.h>

#include "ban.h"

int sasl_malformed(const struct sasl *sasl, const char *what, struct failure *why)
{
	return failure_set(why, ERROR_AUTH_MALFORMED, "the server's part of %s makes no sense: %s",
		sasl->mechanism->name, what);
}

/* --- base64 ---------------------------------------------------------------------------- */

void base64_append(struct text *text, const unsigned char *bytes, size_t length)
{
	unsigned char encoded[5];

	for (size_t i = 0; i < length; i += 3) {
		EVP_EncodeBlock(encoded, bytes + i, length - i < 3 ? (int)(length - i) : 3);
		text_append(text, (const char *)encoded, 4);
	}
	explicit_bzero(encoded, sizeof(encoded));
}

int base64_decode(const char *text, size_t length, unsigned char *to, size_t size)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t body = length;
	int decoded;

	while (body > 0 && length - body < 2 && text[body - 1] == '=')
		body--;
	if (length % 4 != 0 || length / 4 * 3 >= size)
		return -1;
	for (size_t i = 0; i < body; i++)
		if (text[i] == '\0' || strchr(digits, text[i]) == NULL)
			return -1;
	decoded = length == 0 ? 0 : EVP_DecodeBlock(to, (const unsigned char *)text, (int)length);
	if (decoded < 0)
		return -1;
	decoded -= (int)(length - body);
	to[decoded] = '\0';
	return decoded;
}

/* --- PLAIN, LOGIN, CRAM-MD5 ------------------------------------------------------------ */

/* RFC 4616. */
static int plain_start(struct sasl *sasl, struct failure *why)
{
	(void)why;
	text_append(&sasl->message, "", 1);
	text_puts(&sasl->message, sasl->who->username);
	text_append(&sasl->message, "", 1);
	text_puts(&sasl->message, sasl->who->secret);
	return 0;
}

static int nothing_to_answer(
	struct sasl *sasl, const char *challenge, size_t length, struct failure *why)
{
	(void)challenge;
	(void)length;
	return sasl_malformed(sasl, "it asks for more when all has been said", why);
}

/* draft-murchison-sasl-login: the questions are for people and of any wording. */
static int login_answer(
	struct sasl *sasl, const char *challenge, size_t length, struct failure *why)
{
	(void)challenge;
	(void)length;
	(void)why;
	text_puts(&sasl->message, sasl->challenges == 1 ? sasl->who->username : sasl->who->secret);
	return 0;
}

/* RFC 2195. */
static int cram_md5_answer(
	struct sasl *sasl, const char *challenge, size_t length, struct failure *why)
{
	const char *secret = sasl->who->secret;
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int size = 0;

	if (length == 0)
		return sasl_malformed(sasl, "its challenge is empty", why);
	if (HMAC(EVP_md5(), secret, (int)strlen(secret), (const unsigned char *)challenge, length,
		    digest, &size) == NULL)
		return failure_set(why, ERROR_LOCAL_RESOURCE, "this machine has no MD5");
	text_printf(&sasl->message, "%s ", sasl->who->username);
	for (unsigned int i = 0; i < size; i++)
		text_printf(&sasl->message, "%02x", digest[i]);
	return 0;
}

/* --- OAuth 2.0 ------------------------------------------------------------------------- */

/* Google's and Microsoft's, from before there was a standard. */
static int xoauth2_start(struct sasl *sasl, struct failure *why)
{
	(void)why;
	text_printf(&sasl->message, "user=%s\001auth=Bearer %s\001\001", sasl->who->username,
		sasl->who->secret);
	return 0;
}

void sasl_append_name(struct text *text, const char *name)
{
	for (const char *at = name; *at != '\0'; at++) {
		if (*at == ',')
			text_puts(text, "=2C");
		else if (*at == '=')
			text_puts(text, "=3D");
		else
			text_append(text, at, 1);
	}
}

/* RFC 7628, 3.1. */
static int oauthbearer_start(struct sasl *sasl, struct failure *why)
{
	(void)why;
	text_puts(&sasl->message, "n,a=");
	sasl_append_name(&sasl->message, sasl->who->username);
	text_printf(&sasl->message, ",\001host=%s\001port=%d\001auth=Bearer %s\001\001",
		sasl->who->host, sasl->who->port, sasl->who->secret);
	return 0;
}

/* The only challenge is the reason of a refusal, in JSON (RFC 7628, 3.2.2); after our word the
 * server refuses. */
static int oauth_answer(
	struct sasl *sasl, const char *challenge, size_t length, struct failure *why)
{
	json_t *reason = json_loadb(challenge, length, 0, NULL);
	const char *status = json_string_value(json_object_get(reason, "status"));

	(void)why;
	if (status != NULL)
		text_printable_copy(sasl->said, sizeof(sasl->said), status, strlen(status));
	else
		text_copy(sasl->said, sizeof(sasl->said), "none that could be read");
	json_decref(reason);
	if (sasl->mechanism->start == oauthbearer_start)
		text_puts(&sasl->message, "\001");
	return 0;
}

/* --- the list -------------------------------------------------------------------------- */

/* The strongest first; `sasl_choices` has the same names. */
static const struct sasl_mechanism mechanisms[] = {
	{.name = "SCRAM-SHA-256",
		.client_first = true,
		.server_proves = true,
		.challenges_max = 2,
		.digest = EVP_sha256,
		.start = scram_start,
		.answer = scram_answer},
	{.name = "SCRAM-SHA-1",
		.client_first = true,
		.server_proves = true,
		.challenges_max = 2,
		.digest = EVP_sha1,
		.start = scram_start,
		.answer = scram_answer},
	{.name = "CRAM-MD5", .challenges_max = 1, .answer = cram_md5_answer},
	{.name = "PLAIN",
		.client_first = true,
		.challenges_max = 0,
		.start = plain_start,
		.answer = nothing_to_answer},
	{.name = "LOGIN", .challenges_max = 2, .answer = login_answer},
	{.name = "OAUTHBEARER",
		.client_first = true,
		.takes_token = true,
		.challenges_max = 1,
		.start = oauthbearer_start,
		.answer = oauth_answer},
	{.name = "XOAUTH2",
		.client_first = true,
		.takes_token = true,
		.challenges_max = 1,
		.start = xoauth2_start,
		.answer = oauth_answer},
};

const char *const sasl_choices[] = {"scram-sha-256", "scram-sha-1", "cram-md5", "plain", "login",
	"oauthbearer", "xoauth2", NULL};

const char *sasl_name(const struct sasl_mechanism *mechanism)
{
	return mechanism->name;
}

const char *sasl_wanted(const struct sasl_identity *who)
{
	return who->is_token ? "takes an access token" : "works with a password";
}

const struct sasl_mechanism *sasl_choose(
	const struct sasl_identity *who, sasl_offers *offers, void *context)
{
	for (size_t i = 0; i < sizeof(mechanisms) / sizeof(mechanisms[0]); i++) {
		const struct sasl_mechanism *mechanism = &mechanisms[i];
		bool wanted = who->mechanism != NULL
			? strcasecmp(who->mechanism, mechanism->name) == 0
			: mechanism->takes_token == who->is_token;

		if (wanted && offers(context, mechanism->name))
			return mechanism;
	}
	return NULL;
}

/* --- the exchange ---------------------------------------------------------------------- */

static void wipe(struct text *text)
{
	if (text->bytes != NULL)
		explicit_bzero(text->bytes, text->capacity);
	text_clear(text);
}

/* The message as the line that carries it. */
static int encode(struct sasl *sasl, struct text *line, struct failure *why)
{
	base64_append(line, (const unsigned char *)sasl->message.bytes, sasl->message.length);
	if (sasl->message.overflowed || line->overflowed)
		return failure_set(why, ERROR_CONFIG_SECRET,
			"username and password are too long for %s", sasl->mechanism->name);
	return 0;
}

static int answer(struct sasl *sasl, const char *encoded, struct text *line, struct failure *why)
{
	char challenge[SASL_MESSAGE_SIZE + 4];
	int length = base64_decode(
		encoded, strlen(encoded), (unsigned char *)challenge, sizeof(challenge));

	wipe(&sasl->message);
	if (length < 0)
		return sasl_malformed(sasl, "its challenge is no base64, or too long", why);
	if (++sasl->challenges > sasl->mechanism->challenges_max)
		return nothing_to_answer(sasl, challenge, (size_t)length, why);
	if (sasl->mechanism->answer(sasl, challenge, (size_t)length, why) == -1)
		return -1;
	return encode(sasl, line, why);
}

/* Whoever lets us in without knowing the password is not the server that we wanted. */
static int check_proof(const struct sasl *sasl, struct failure *why)
{
	if (sasl->proven || !sasl->mechanism->server_proves)
		return 0;
	return failure_set(why, ERROR_AUTH_SERVER_UNPROVEN,
		"the server let us in without proving that it knows the password (%s)",
		sasl->mechanism->name);
}

/* One line and its answer; what the server said of its refusal goes before the failure. */
static int say(const struct sasl *sasl, const struct sasl_wire *wire, const struct text *line,
	const char **challenge_r, struct failure *why)
{
	*challenge_r = NULL;
	if (wire->say(wire->context, line->bytes, challenge_r, why) == 0)
		return 0;
	if (sasl->said[0] != '\0')
		failure_prefix(why, "%s status \"%s\"", sasl->mechanism->name, sasl->said);
	return -1;
}

/* The command, with the initial response if it may be sent with it. *held_r: it may not, and is
 * owed to the first challenge. */
static void write_command(const struct sasl *sasl, const struct sasl_wire *wire,
	const struct text *initial, struct text *line, bool *held_r)
{
	text_printf(line, "%s %s", wire->verb, sasl->mechanism->name);
	*held_r = sasl->mechanism->client_first &&
		line->length + 1 + initial->length > wire->inline_size;
	if (sasl->mechanism->client_first && !*held_r)
		text_printf(line, " %s", initial->bytes);
}

static int play(struct sasl *sasl, const struct sasl_wire *wire, struct text *initial,
	struct text *line, struct failure *why)
{
	const char *challenge;
	bool held;

	if (sasl->mechanism->client_first &&
		(sasl->mechanism->start(sasl, why) == -1 || encode(sasl, initial, why) == -1))
		return -1;
	write_command(sasl, wire, initial, line, &held);
	if (say(sasl, wire, line, &challenge, why) == -1)
		return -1;
	if (held && challenge != NULL && say(sasl, wire, initial, &challenge, why) == -1)
		return -1;
	while (challenge != NULL) {
		wipe(line);
		if (answer(sasl, challenge, line, why) == -1 ||
			say(sasl, wire, line, &challenge, why) == -1)
			return -1;
	}
	return check_proof(sasl, why);
}

/* All the room at once: text that moves as it grows would leave copies behind. */
static void make_room(struct text *text, size_t size)
{
	text_init(text, size);
	text->bytes = calloc(1, size + 1);
	text->capacity = text->bytes != NULL ? size + 1 : 0;
}

static void discard(struct text *text)
{
	wipe(text);
	text_free(text);
}

static int converse(const struct sasl_mechanism *mechanism, const struct sasl_identity *who,
	const struct sasl_wire *wire, struct failure *why)
{
	struct sasl sasl = {.mechanism = mechanism, .who = who, .timings = wire->timings};
	struct text initial, line;
	int result;

	make_room(&sasl.message, SASL_MESSAGE_SIZE);
	make_room(&sasl.bare, SASL_MESSAGE_SIZE);
	make_room(&initial, SASL_LINE_SIZE);
	make_room(&line, SASL_LINE_SIZE);
	if (sasl.message.bytes == NULL || sasl.bare.bytes == NULL || initial.bytes == NULL ||
		line.bytes == NULL)
		result = failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory");
	else
		result = play(&sasl, wire, &initial, &line, why);
	discard(&sasl.message);
	discard(&sasl.bare);
	discard(&initial);
	discard(&line);
	explicit_bzero(&sasl, sizeof(sasl));
	return result;
}

/* A token may have been withdrawn before its time. Getting another is ours; that it was tried is
 * part of the login, as it is for a user. */
static int converse_again(const struct sasl_mechanism *mechanism, const struct sasl_identity *who,
	const struct sasl_wire *wire, struct failure *why)
{
	struct sasl_identity again = *who;
	struct failure unrenewed = {0};
	int result;

	if (wire->timings != NULL)
		timings_pause(wire->timings);
	result = who->renew(who->context, &again.secret, &unrenewed);
	if (wire->timings != NULL)
		timings_resume(wire->timings);
	if (result == 1)
		return -1;
	*why = unrenewed;
	return result == 0 ? converse(mechanism, &again, wire, why) : -1;
}

int sasl_converse(const struct sasl_mechanism *mechanism, const struct sasl_identity *who,
	const struct sasl_wire *wire, struct failure *why)
{
	int result = converse(mechanism, who, wire, why);

	if (result == -1 && why->type == ERROR_AUTH_REJECTED && who->is_token && who->renew != NULL)
		result = converse_again(mechanism, who, wire, why);
	return result;
}
