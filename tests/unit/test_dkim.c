/* Signing a mail: the signature stands in front, covers every field, and nothing else changes; a
 * key that cannot be used is our own mistake, and is not shown. That receivers accept it is
 * proved on real ones (tests/e2e/exchanger). */
#include "dkim.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "header.h"
#include "tap.h"

static const struct mail_key key = {.bytes = "thirty-two bytes of a test's key"};

static struct probe_mail *compose(void)
{
	const struct mail_order order = {
		.key = &key,
		.customer = "acme",
		.scenario = "mail",
		.vantage = "fra1",
		.step = "in",
		.from = "probe@elsewhere.test",
		.to = "probe@acme.test",
		.wall_ns = INT64_C(1767225615) * 1000000000,
	};

	return probe_mail_compose(&order);
}

/* A new private key as PEM, or its base64 alone. */
static void make_key(EVP_PKEY *pkey, bool bare, char *to, size_t size)
{
	BIO *memory = BIO_new(BIO_s_mem());
	char *pem;
	size_t length, used = 0;

	PEM_write_bio_PrivateKey_traditional(memory, pkey, NULL, NULL, 0, NULL, NULL);
	length = (size_t)BIO_get_mem_data(memory, &pem);
	for (size_t i = 0; i < length && used < size - 1; i++) {
		if (bare && pem[i] == '-') {
			i += strcspn(pem + i, "\n");
			continue;
		}
		if (!bare || pem[i] != '\n')
			to[used++] = pem[i];
	}
	to[used] = '\0';
	BIO_free(memory);
	EVP_PKEY_free(pkey);
}

static void signs(const char *what, const char *private_key)
{
	const struct dkim_signer signer = {"elsewhere.test", "probe", private_key};
	struct probe_mail *mail = compose();
	char *before = strdup(mail->text);
	struct failure why = {0};
	char value[2000] = "";
	int result = dkim_sign_mail(&signer, mail, &why);

	ok(result == 0, "%s: %s", what, why.text);
	ok(strncmp(mail->text, "DKIM-Signature: ", 16) == 0, "the signature stands in front");
	is_string(mail->text + mail->text_length - strlen(before), before, "of the same mail");
	header_value(mail->text, mail->text_length, "DKIM-Signature", value, sizeof(value));
	for (size_t i = 0; value[i] != '\0'; i++)
		value[i] = value[i] == '\t' ? ' ' : value[i];
	ok(strstr(value, "a=rsa-sha256; c=relaxed/relaxed; d=elsewhere.test; s=probe") != NULL,
		"%s", value);
	ok(strstr(value, "Mailprobe-Token") != NULL, "the token is signed");
	for (const char *line = mail->text; strncmp(line, before, 20) != 0;
		line = strchr(line, '\n') + 1)
		ok(strcspn(line, "\n") < 100, "no long line at %zu", (size_t)(line - mail->text));
	free(before);
	probe_mail_free(&mail);
}

static void refuses(const char *what, const char *private_key)
{
	const struct dkim_signer signer = {"elsewhere.test", "probe", private_key};
	struct probe_mail *mail = compose();
	size_t length = mail->text_length;
	struct failure why = {0};

	ok(dkim_sign_mail(&signer, mail, &why) == -1 && why.type == ERROR_CONFIG_SECRET,
		"%s: %s", what, why.text);
	ok(strstr(why.text, private_key) == NULL, "the key is not in the reason");
	ok(mail->text_length == length, "the mail is as it was");
	probe_mail_free(&mail);
}

int main(void)
{
	char text[4096];

	dkim_preload();
	make_key(EVP_RSA_gen(2048), false, text, sizeof(text));
	signs("PEM", text);
	text[strlen(text) / 2] = '\0';
	refuses("half a key", text);
	make_key(EVP_RSA_gen(2048), true, text, sizeof(text));
	signs("base64 in one line", text);
	make_key(EVP_RSA_gen(512), false, text, sizeof(text));
	refuses("a key that is too small", text);
	make_key(EVP_EC_gen("P-256"), false, text, sizeof(text));
	refuses("no RSA key", text);
	refuses("no key at all", "not a key");
	return done_testing();
}
