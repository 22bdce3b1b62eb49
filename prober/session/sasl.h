/* sasl - how a client proves who it is (RFC 4422), the same for SMTP, IMAP and POP3.
 *
 * A mechanism is one const descriptor in sasl.c. It is a machine of strings: a challenge in, a
 * response out; sasl_converse plays it over whatever line protocol it is given.
 */
#ifndef MAILPROBE_SASL_H
#define MAILPROBE_SASL_H

#include <stdbool.h>
#include <stddef.h>

#include "failure.h"
#include "timings.h"

/* No honest challenge is longer, in base64; nor is a line of ours. */
#define SASL_LINE_SIZE 12288

struct sasl_mechanism;

/* Who logs in, and where; lent. */
struct sasl_identity {
	const char *username;
	const char *secret;    /* a password, or for XOAUTH2 and OAUTHBEARER an access token */
	bool is_token;         /* it is an access token: no other mechanism may be given it */
	const char *mechanism; /* one of sasl_choices; NULL: the strongest that both sides have */
	const char *host;
	int port;
	const char *nonce; /* for tests; NULL: random */
	/* Asked once, after a token was refused: 0 with a newer one in secret_r (lent), 1 if there
	 * is none, so that the refusal stands, -1 with why. May be NULL. */
	int (*renew)(void *context, const char **secret_r, struct failure *why);
	void *context;
};

/* The protocol that carries the exchange. */
struct sasl_wire {
	const char *verb;   /* "AUTH", "AUTHENTICATE" */
	size_t inline_size; /* longest command with an initial response, without its CRLF; 0: none
			     * may be sent with the command */
	/* Sends one line and waits for the answer: 0 with the challenge's base64 (lent until the
	 * next call), or with NULL when the server has let us in; -1 with `why` when it has not. */
	int (*say)(void *context, const char *line, const char **challenge_r, struct failure *why);
	void *context;
	struct timings *timings; /* paused while we hash or renew a token; may be NULL */
};

/* What an account may name, NULL at the end. */
extern const char *const sasl_choices[];

typedef bool sasl_offers(void *context, const char *mechanism);

/* The mechanism that the account names, if the server offers it; if it names none, the strongest
 * offered one that works with its secret. NULL if there is none. */
const struct sasl_mechanism *sasl_choose(
	const struct sasl_identity *who, sasl_offers *offers, void *context);

/* "works with a password" or "takes an access token", for a sentence. */
const char *sasl_wanted(const struct sasl_identity *who);

/* "SCRAM-SHA-256". */
const char *sasl_name(const struct sasl_mechanism *mechanism);

/* Plays the exchange to its end; secrets are wiped behind it. A refused token is renewed, if it
 * can be, and played once more. Fails with what `say` failed with,
 * with auth.malformed (a challenge that makes no sense, or one too many), auth.server_unproven,
 * auth.rejected or config.secret, or with what `renew` failed with. */
int sasl_converse(const struct sasl_mechanism *mechanism, const struct sasl_identity *who,
	const struct sasl_wire *wire, struct failure *why);

#endif
