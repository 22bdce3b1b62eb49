/* smtp - a thin dialogue of a sending client (RFC 5321), one function a command.
 *
 * Runs on a libetpan mailstream over our stream. Replies are taken apart here and kept exactly:
 * code, enhanced code (RFC 3463), text. Phases are begun here: greeting ehlo starttls auth mail
 * rcpt data accept quit.
 */
#ifndef MAILPROBE_SMTP_H
#define MAILPROBE_SMTP_H

#include <stdbool.h>

#include "failure.h"
#include "sasl.h"
#include "stream.h"

struct smtp;

struct smtp_reply {
	int code;          /* 0: none was received */
	char enhanced[16]; /* "2.1.5", or "" */
	char text[480];    /* code and text as received, lines joined by " / ", printable */
};

/* Takes the stream over (closes it on failure too) and waits for the greeting. */
struct smtp *smtp_open(struct stream *stream, struct failure *why);

/* EHLO with that name, or (NULL) an address literal of our own end; HELO if the server does not
 * know EHLO. The name must outlive the conversation. */
int smtp_ehlo(struct smtp *smtp, const char *name, struct failure *why);

/* An extension by its keyword, in any case; *parameters_r (may be NULL) is lent. */
bool smtp_offers(const struct smtp *smtp, const char *keyword, const char **parameters_r);

/* STARTTLS (RFC 3207) and EHLO anew. */
int smtp_start_tls(struct smtp *smtp, struct peer_facts *facts, struct failure *why);

/* AUTH (RFC 4954) by the mechanism that sasl_choose picks, whose name goes to *mechanism_r. Never
 * in plain text, but to the loopback. Fails with auth.*. */
int smtp_auth(struct smtp *smtp, const struct sasl_identity *who, const char **mechanism_r,
	struct failure *why);

/* MAIL with SIZE if offered, RCPT, DATA up to its 354. Fails with smtp.reject or
 * smtp.tempfail. */
int smtp_mail(struct smtp *smtp, const char *from, size_t size, struct failure *why);
int smtp_rcpt(struct smtp *smtp, const char *to, struct failure *why);
int smtp_data(struct smtp *smtp, struct failure *why);

/* RSET: forgets the envelope, so that a server can be tried up to RCPT without a mail. */
int smtp_rset(struct smtp *smtp, struct failure *why);

/* The text, dot-stuffed, with the final dot; then the phase `accept` until the reply. After it
 * was sent, a failure without a reply is smtp.unknown: nobody may send that mail again blindly
 * (RFC 5321, 4.5.3.2.6). */
int smtp_send_text(struct smtp *smtp, const char *text, size_t length, struct failure *why);

/* The last reply. */
const struct smtp_reply *smtp_last_reply(const struct smtp *smtp);
/* When it was received: monotonic nanoseconds. */
int64_t smtp_last_reply_at(const struct smtp *smtp);

/* What we called ourselves in EHLO or HELO; "" before. */
const char *smtp_own_name(const struct smtp *smtp);

struct stream *smtp_stream(const struct smtp *smtp);

/* Sends QUIT (without waiting for its reply) and closes; nulls it. NULL is fine. */
void smtp_quit(struct smtp **smtp);

#endif
