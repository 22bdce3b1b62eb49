/* oauth - access tokens from an authorization server (RFC 6749): by a refresh token, or by the
 * client's own credentials.
 *
 * Whatever goes wrong here is never the mail platform's doing: all failures are oauth.*, which
 * are errors of ours, with the server's own words.
 */
#ifndef MAILPROBE_OAUTH_H
#define MAILPROBE_OAUTH_H

#include <stdint.h>

#include "http.h"

struct oauth_client {
	const char *token_url;
	const char *client_id;
	const char *client_secret; /* NULL: a public client */
	const char *scope;         /* NULL: what the server gives */
};

/* Strings are owned (secret.h). */
struct oauth_tokens {
	char *access_token;
	char *refresh_token; /* the next one to use; NULL: the old one goes on */
	int64_t lifetime_ns; /* of the access token */
};

/* Asks for an access token: by the refresh token, or, with NULL, by the client's credentials
 * (client_credentials). Fails with oauth.refused, oauth.unavailable or oauth.malformed. */
int oauth_fetch(struct http *http, const struct oauth_client *client, const char *refresh_token,
	struct deadline deadline, struct oauth_tokens *tokens_r, struct failure *why);

#endif
