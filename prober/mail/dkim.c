#include "dkim.h"

#include <stdlib.h>
#include <string.h>

#include <opendkim/dkim.h>

#include "header.h"
#include "text.h"

#include "ban.h"

#define KEY_BITS_MIN 1024 /* RFC 8301: nobody takes fewer */
#define FIELD_NAME "DKIM-Signature"
#define FIELD_END "\r\n"

/* A second From, slipped in on the way, is to break the signature (RFC 6376, 8.15). */
static const unsigned char *const once_only[] = {(const unsigned char *)"from", NULL};

/* Whatever libopendkim calls it ("resource unavailable"): our text is in order, so it is the key. */
static int refuse_key(struct failure *why)
{
	return failure_set(why, ERROR_CONFIG_SECRET,
		"the mail cannot be signed: the DKIM key must be an RSA private key of %d bits or "
		"more, as PEM or as base64 in one line",
		KEY_BITS_MIN);
}

static int out_of_memory(struct failure *why)
{
	return failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory");
}

/* Bytes that libopendkim calls its own, and does not change. */
static unsigned char *lent(const char *bytes)
{
	return (unsigned char *)(uintptr_t)bytes;
}

/* Changed by nobody once it is there: each mail has a handle of its own. */
static DKIM_LIB *library;

void dkim_preload(void)
{
	unsigned int bits = KEY_BITS_MIN;

	if (library != NULL)
		return;
	library = dkim_init(NULL, NULL);
	if (library == NULL)
		return;
	dkim_options(library, DKIM_OP_SETOPT, DKIM_OPTS_MINKEYBITS, &bits, sizeof(bits));
	dkim_options(library, DKIM_OP_SETOPT, DKIM_OPTS_OVERSIGNHDRS,
		(void *)(uintptr_t)once_only, sizeof(const unsigned char **));
}

/* The header's fields one by one, then the body: what goes over the wire, but for dots. */
static DKIM_STAT feed(DKIM *dkim, const struct probe_mail *mail)
{
	const char *body = header_end(mail->text, mail->text_length);
	size_t body_length = mail->text_length - (size_t)(body - mail->text);
	DKIM_STAT status = DKIM_STAT_OK;

	for (const char *field = mail->text; status == DKIM_STAT_OK && field + 2 < body;) {
		const char *end = strstr(field, FIELD_END);

		while (end[2] == ' ' || end[2] == '\t')
			end = strstr(end + 2, FIELD_END);
		status = dkim_header(dkim, lent(field), (size_t)(end - field));
		field = end + 2;
	}
	if (status == DKIM_STAT_OK)
		status = dkim_eoh(dkim);
	if (status == DKIM_STAT_OK && body_length > 0)
		status = dkim_body(dkim, lent(body), body_length);
	return status == DKIM_STAT_OK ? dkim_eom(dkim, NULL) : status;
}

static int put_in_front(struct probe_mail *mail, const char *value, size_t length)
{
	struct text text;

	text_init(&text, mail->text_length + length + 64);
	text_puts(&text, FIELD_NAME ": ");
	text_append(&text, value, length);
	text_puts(&text, FIELD_END);
	text_append(&text, mail->text, mail->text_length);
	if (text.overflowed || text.bytes == NULL) {
		text_free(&text);
		return -1;
	}
	free(mail->text);
	mail->text = text.bytes;
	mail->text_length = text.length;
	return 0;
}

static int sign(DKIM *dkim, struct probe_mail *mail, struct failure *why)
{
	unsigned char *value = NULL;
	size_t length = 0;
	DKIM_STAT status = feed(dkim, mail);

	if (status == DKIM_STAT_OK)
		status = dkim_getsighdr_d(dkim, strlen(FIELD_NAME) + 2, &value, &length);
	if (status != DKIM_STAT_OK)
		return refuse_key(why);
	if (put_in_front(mail, (const char *)value, length) == -1)
		return out_of_memory(why);
	return 0;
}

int dkim_sign_mail(const struct dkim_signer *signer, struct probe_mail *mail, struct failure *why)
{
	DKIM_STAT status = DKIM_STAT_NORESOURCE;
	DKIM *dkim = NULL;
	int result;

	if (library != NULL)
		dkim = dkim_sign(library, (const unsigned char *)mail->id, NULL,
			lent(signer->key), (const unsigned char *)signer->selector,
			(const unsigned char *)signer->domain, DKIM_CANON_RELAXED,
			DKIM_CANON_RELAXED, DKIM_SIGN_RSASHA256, -1, &status);
	result = dkim != NULL ? sign(dkim, mail, why) : out_of_memory(why);
	if (dkim != NULL)
		dkim_free(dkim);
	return result;
}
