/* Recognising a fetched mail: is it ours, and is it still what was sent? */
#include "probe_mail.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "header.h"
#include "text.h"
#include "token.h"

#include "ban.h"

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
	return token_equal(expected, mail->token) ? MAIL_OURS : MAIL_ALTERED;
}
