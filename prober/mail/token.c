#include "token.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "text.h"

#include "ban.h"

static void hex(const unsigned char *bytes, size_t length, char *to)
{
	for (size_t i = 0; i < length; i++)
		snprintf(to + 2 * i, 3, "%02x", bytes[i]);
}

/* One line without its end and trailing white space. */
static size_t bare_length(const char *line, size_t length)
{
	while (length > 0 && (line[length - 1] == '\r' || line[length - 1] == ' ' ||
				     line[length - 1] == '\t'))
		length--;
	return length;
}

void content_hash(const char *body, size_t length, char hash[static HASH_SIZE])
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int size = 0;
	size_t empty = 0;

	EVP_DigestInit_ex(context, EVP_sha256(), NULL);
	while (length > 0) {
		const char *end = memchr(body, '\n', length);
		size_t whole = end != NULL ? (size_t)(end - body) : length;
		size_t bare = bare_length(body, whole);

		/* Empty lines count only once something follows them. */
		for (; bare > 0 && empty > 0; empty--)
			EVP_DigestUpdate(context, "\r\n", 2);
		if (bare > 0) {
			EVP_DigestUpdate(context, body, bare);
			EVP_DigestUpdate(context, "\r\n", 2);
		} else {
			empty++;
		}
		whole += end != NULL;
		body += whole;
		length -= whole;
	}
	EVP_DigestFinal_ex(context, digest, &size);
	EVP_MD_CTX_free(context);
	hex(digest, 32, hash);
}

void token_make(const struct mail_key *key, const char *id, const char *from, const char *to,
	const char *hash, char *token, size_t size)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int length = 0;
	char digest_hex[HASH_SIZE];
	struct text signed_text;

	text_init(&signed_text, 4096);
	/* Line ends cannot occur in any of the parts, so no two of them can be shifted. */
	text_printf(&signed_text, "mailprobe-token-v1\n%s\n%s\n%s\n%s\n", id, from, to, hash);
	HMAC(EVP_sha256(), key->bytes, MAIL_KEY_SIZE, (unsigned char *)signed_text.bytes,
		signed_text.length, digest, &length);
	hex(digest, 32, digest_hex);
	snprintf(token, size, "v1.%s.%s", id, digest_hex);
	text_free(&signed_text);
}

void mail_key_derive(const struct mail_key *master, const char *customer, const char *scenario,
	struct mail_key *key_r)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int length = 0;
	struct text names;

	text_init(&names, 4096);
	text_printf(&names, "mailprobe-key-v1\n%s\n%s\n", customer, scenario);
	HMAC(EVP_sha256(), master->bytes, MAIL_KEY_SIZE, (unsigned char *)names.bytes, names.length,
		digest, &length);
	memcpy(key_r->bytes, digest, MAIL_KEY_SIZE);
	OPENSSL_cleanse(digest, sizeof(digest));
	text_free(&names);
}

bool token_mail(const char *token, char id[static UUID_SIZE])
{
	const char *dot;

	if (strncmp(token, "v1.", 3) != 0)
		return false;
	dot = strchr(token + 3, '.');
	if (dot == NULL || (size_t)(dot - token) != 3 + UUID_SIZE - 1)
		return false;
	memcpy(id, token + 3, UUID_SIZE - 1);
	id[UUID_SIZE - 1] = '\0';
	for (size_t i = 0; i < UUID_SIZE - 1; i++)
		if (strchr("0123456789abcdef-", id[i]) == NULL)
			return false;
	return true;
}

bool token_equal(const char *a, const char *b)
{
	size_t length = strlen(a);

	return length == strlen(b) && CRYPTO_memcmp(a, b, length) == 0;
}
