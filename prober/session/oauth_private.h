/* oauth_private - what the grants share: a question to the authorization server, and its answer. */
#ifndef MAILPROBE_OAUTH_PRIVATE_H
#define MAILPROBE_OAUTH_PRIVATE_H

#include <stdbool.h>

#include <jansson.h>

#include "oauth.h"
#include "url.h"

#define OAUTH_FORM_MAX ((size_t)64 << 10)

struct oauth_answer {
	char host[URL_HOST_SIZE]; /* who was asked */
	int status;
	json_t *json; /* owned; NULL if it is none */
};

/* Posts the form, which is wiped and freed in any case. 0 with any answer; -1 with
 * oauth.unavailable. */
int oauth_ask(struct http *http, const char *url, struct text *form, struct deadline deadline,
	struct oauth_answer *answer_r, struct failure *why);

/* Adds who we are (RFC 6749, 2.3.1). */
void oauth_form_client(struct text *form, const struct oauth_client *client);

/* NULL if there is no such text in the answer. */
const char *oauth_text(const struct oauth_answer *answer, const char *key);
/* A number of seconds, in nanoseconds, that may stand there as a text; the fallback if it is
 * missing or makes no sense. */
int64_t oauth_seconds(const struct oauth_answer *answer, const char *key, int64_t fallback_ns);

/* RFC 6749, appendix A: printable ASCII. Anything else could break out of a SASL message. */
bool oauth_is_token(const char *text);

/* RFC 6749, 5.1. Fails with oauth.malformed. */
int oauth_take_tokens(
	const struct oauth_answer *answer, struct oauth_tokens *tokens_r, struct failure *why);

/* An answer that gives no token (5.2), in its own words: oauth.refused, oauth.unavailable or
 * oauth.malformed. Always returns -1. */
int oauth_refused(const struct oauth_answer *answer, struct failure *why);
/* oauth.malformed. Always returns -1. */
int oauth_senseless(const struct oauth_answer *answer, const char *what, struct failure *why);

#endif
