/* SCRAM (RFC 5802, RFC 7677), without channel binding. The password is taken as the bytes that it
 * is (no SASLprep): the same for ASCII, and for UTF-8 that is normalised already. */
#include "sasl_private.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "ban.h"

/* A million rounds take nearly a second; the most that is recommended today is 600,000. */
#define ROUNDS_MAX 1000000
#define SALT_MAX 1024

/* What the server's first message says. */
struct scram_offer {
	const char *nonce;
	size_t nonce_length;
	unsigned char salt[SALT_MAX];
	int salt_length;
	int rounds;
};

struct scram_keys {
	unsigned char salted[EVP_MAX_MD_SIZE], client[EVP_MAX_MD_SIZE];
	unsigned char stored[EVP_MAX_MD_SIZE], server[EVP_MAX_MD_SIZE];
	unsigned char proof[EVP_MAX_MD_SIZE];
};

int scram_start(struct sasl *sasl, struct failure *why)
{
	unsigned char random[18];
	struct text nonce;

	if (sasl->who->nonce != NULL) {
		text_copy(sasl->nonce, sizeof(sasl->nonce), sasl->who->nonce);
	} else {
		if (RAND_bytes(random, sizeof(random)) != 1)
			return failure_set(why, ERROR_LOCAL_RESOURCE, "no random numbers");
		text_init(&nonce, sizeof(sasl->nonce));
		base64_append(&nonce, random, sizeof(random));
		text_copy(sasl->nonce, sizeof(sasl->nonce), nonce.bytes);
		text_free(&nonce);
	}
	text_puts(&sasl->bare, "n=");
	sasl_append_name(&sasl->bare, sasl->who->username);
	text_printf(&sasl->bare, ",r=%s", sasl->nonce);
	text_puts(&sasl->message, "n,,");
	text_append(&sasl->message, sasl->bare.bytes, sasl->bare.length);
	return 0;
}

/* The value of the attribute that must stand here; *at goes behind it. */
static const char *attribute(const char **at, char name, size_t *length_r)
{
	const char *value = *at + 2;

	if ((*at)[0] != name || (*at)[1] != '=')
		return NULL;
	*length_r = strcspn(value, ",");
	*at = value[*length_r] == ',' ? value + *length_r + 1 : value + *length_r;
	return value;
}

/* The server's nonce goes on where ours ends; else it answers somebody else. */
static bool continues_ours(const struct sasl *sasl, const char *nonce, size_t length)
{
	size_t ours = strlen(sasl->nonce);

	return length > ours && length < 1024 && memcmp(nonce, sasl->nonce, ours) == 0;
}

static int read_rounds(const struct sasl *sasl, const char *text, size_t length, int *rounds_r,
	struct failure *why)
{
	if (length == 0 || strspn(text, "0123456789") != length || text[0] == '0')
		return sasl_malformed(sasl, "it states no number of rounds", why);
	*rounds_r = length <= 7 ? (int)strtol(text, NULL, 10) : ROUNDS_MAX + 1;
	if (*rounds_r <= ROUNDS_MAX)
		return 0;
	return failure_set(why, ERROR_AUTH_MALFORMED,
		"the server asks for %.*s rounds of hashing; more than %d are never done",
		length < 20 ? (int)length : 20, text, ROUNDS_MAX);
}

static int read_offer(const struct sasl *sasl, const char *challenge, struct scram_offer *offer,
	struct failure *why)
{
	const char *at = challenge, *text;
	size_t length = 0;

	offer->nonce = attribute(&at, 'r', &offer->nonce_length);
	if (offer->nonce == NULL || !continues_ours(sasl, offer->nonce, offer->nonce_length))
		return sasl_malformed(sasl, "it does not continue our nonce", why);
	text = attribute(&at, 's', &length);
	offer->salt_length =
		text != NULL ? base64_decode(text, length, offer->salt, sizeof(offer->salt)) : -1;
	if (offer->salt_length < 1)
		return sasl_malformed(sasl, "it has no salt", why);
	text = attribute(&at, 'i', &length);
	return read_rounds(
		sasl, text != NULL ? text : "", text != NULL ? length : 0, &offer->rounds, why);
}

static bool hmac(const EVP_MD *digest, const unsigned char *key, const char *text, size_t length,
	unsigned char *to)
{
	return HMAC(digest, key, EVP_MD_get_size(digest), (const unsigned char *)text, length, to,
		       NULL) != NULL;
}

/* RFC 5802, 3. */
static bool derive(const struct sasl *sasl, const struct scram_offer *offer,
	const struct text *said, struct scram_keys *keys, unsigned char *server_signature)
{
	const EVP_MD *digest = sasl->mechanism->digest();
	const char *secret = sasl->who->secret;
	int size = EVP_MD_get_size(digest);
	bool done = PKCS5_PBKDF2_HMAC(secret, (int)strlen(secret), offer->salt, offer->salt_length,
			    offer->rounds, digest, size, keys->salted) == 1 &&
		hmac(digest, keys->salted, "Client Key", 10, keys->client) &&
		EVP_Digest(keys->client, (size_t)size, keys->stored, NULL, digest, NULL) == 1 &&
		hmac(digest, keys->stored, said->bytes, said->length, keys->proof) &&
		hmac(digest, keys->salted, "Server Key", 10, keys->server) &&
		hmac(digest, keys->server, said->bytes, said->length, server_signature);

	for (int i = 0; i < size; i++)
		keys->proof[i] ^= keys->client[i];
	return done;
}

static int prove(struct sasl *sasl, const char *challenge, struct failure *why)
{
	int size = EVP_MD_get_size(sasl->mechanism->digest());
	struct scram_offer offer = {0};
	struct scram_keys keys;
	struct text said;
	bool done;

	if (read_offer(sasl, challenge, &offer, why) == -1)
		return -1;
	text_printf(&sasl->message, "c=biws,r=%.*s", (int)offer.nonce_length, offer.nonce);
	text_init(&said, 4 * SASL_MESSAGE_SIZE);
	text_printf(&said, "%s,%s,%s", sasl->bare.bytes, challenge, sasl->message.bytes);
	/* A server that asks for many rounds makes a user wait; but the figure would be that of our
	 * processor. */
	if (sasl->timings != NULL)
		timings_pause(sasl->timings);
	done = derive(sasl, &offer, &said, &keys, sasl->server_signature);
	if (sasl->timings != NULL)
		timings_resume(sasl->timings);
	text_puts(&sasl->message, ",p=");
	base64_append(&sasl->message, keys.proof, (size_t)size);
	text_free(&said);
	explicit_bzero(&keys, sizeof(keys));
	return done ? 0 : failure_set(why, ERROR_LOCAL_RESOURCE, "hashing failed");
}

static int verify(struct sasl *sasl, const char *challenge, struct failure *why)
{
	int size = EVP_MD_get_size(sasl->mechanism->digest());
	unsigned char signature[EVP_MAX_MD_SIZE + 4];
	const char *at = challenge, *text;
	size_t length = 0;
	char shown[80];

	text = attribute(&at, 'e', &length);
	if (text != NULL) {
		text_printable_copy(shown, sizeof(shown), text, length);
		return failure_set(why, ERROR_AUTH_REJECTED,
			"the server refused with the %s error \"%s\"", sasl->mechanism->name,
			shown);
	}
	text = attribute(&at, 'v', &length);
	if (text == NULL)
		return sasl_malformed(sasl, "it has no signature", why);
	if (base64_decode(text, length, signature, sizeof(signature)) != size ||
		CRYPTO_memcmp(signature, sasl->server_signature, (size_t)size) != 0)
		return failure_set(why, ERROR_AUTH_SERVER_UNPROVEN,
			"the server's %s signature is wrong: it does not know the password",
			sasl->mechanism->name);
	sasl->proven = true;
	return 0;
}

int scram_answer(struct sasl *sasl, const char *challenge, size_t length, struct failure *why)
{
	if (strlen(challenge) != length)
		return sasl_malformed(sasl, "it has a NUL in it", why);
	return sasl->challenges == 1 ? prove(sasl, challenge, why) : verify(sasl, challenge, why);
}
