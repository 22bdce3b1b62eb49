/* Recognising a fetched mail: is it ours, and is it still what was sent? */
#include "probe_mail.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "header.h"
#include "text.h"
#include "token.h"

#include "ban.h"

#define SUBJECT_SIZE 2048

/* Without white space, in which a folded header may change. */
static void read_subject(const char *text, size_t length, char *subject)
{
	size_t used = 0;

	if (!header_value(text, length, "Subject", subject, SUBJECT_SIZE))
		subject[0] = '\0';
	for (size_t i = 0; subject[i] != '\0'; i++)
		if (subject[i] != ' ' && subject[i] != '\t')
			subject[used++] = subject[i];
	subject[used] = '\0';
}

static bool keeps_subject(const struct probe_mail *mail, const char *text, size_t length)
{
	char sent[SUBJECT_SIZE], found[SUBJECT_SIZE];

	read_subject(mail->text, mail->text_length, sent);
	read_subject(text, length, found);
	return strcmp(sent, found) == 0;
}

/* The body up to the last part but its end, which is the attachment. */
static const char *attachment_of(const char *text, size_t length)
{
	static const char mark[] = "Content-Disposition: attachment";
	const char *body = header_end(text, length);
	const char *at = memmem(body, length - (size_t)(body - text), mark, sizeof(mark) - 1);

	return at != NULL ? at : text + length;
}

const char *probe_mail_changed(const struct probe_mail *mail, const char *text, size_t length)
{
	const char *sent = header_end(mail->text, mail->text_length);
	const char *found = header_end(text, length);
	const char *sent_end = attachment_of(mail->text, mail->text_length);
	const char *found_end = attachment_of(text, length);
	char sent_hash[HASH_SIZE], found_hash[HASH_SIZE];

	content_hash(sent, (size_t)(sent_end - sent), sent_hash);
	content_hash(found, (size_t)(found_end - found), found_hash);
	if (strcmp(sent_hash, found_hash) != 0)
		return "body";
	content_hash(sent_end, (size_t)(mail->text + mail->text_length - sent_end), sent_hash);
	content_hash(found_end, (size_t)(text + length - found_end), found_hash);
	return strcmp(sent_hash, found_hash) != 0 ? "attachment" : "subject";
}

enum mail_match probe_mail_match(const struct mail_key *key, const struct probe_mail *mail,
	const char *text, size_t length)
{
	char found[sizeof(mail->token)], hash[HASH_SIZE], expected[sizeof(mail->token)];
	const char *body;
	size_t body_length;

	if (!header_value(text, length, TOKEN_HEADER, found, sizeof(found)) ||
		!token_equal(found, mail->token))
		return MAIL_FOREIGN;
	body = header_end(text, length);
	body_length = length - (size_t)(body - text);
	content_hash(body, body_length, hash);
	token_make(key, mail->id, mail->from, mail->to, hash, expected, sizeof(expected));
	if (!token_equal(expected, mail->token))
		return MAIL_ALTERED;
	return !mail->own_subject || keeps_subject(mail, text, length) ? MAIL_OURS : MAIL_ALTERED;
}
