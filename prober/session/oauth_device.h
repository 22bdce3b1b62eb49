/* oauth_device - the device authorization grant (RFC 8628): a person allows, in a browser of their
 * own, what a program without one asks for. */
#ifndef MAILPROBE_OAUTH_DEVICE_H
#define MAILPROBE_OAUTH_DEVICE_H

#include "oauth.h"

/* What a person can copy; nothing else in it but printable ASCII. */
#define OAUTH_URI_SIZE 161
#define OAUTH_USER_CODE_SIZE 41

struct oauth_device {
	char *device_code; /* owned (secret.h) */
	char verification_uri[OAUTH_URI_SIZE];
	char user_code[OAUTH_USER_CODE_SIZE];
	int64_t lifetime_ns; /* of both codes */
	int64_t interval_ns; /* from one question to the next; grows if the server says so */
};

/* Asks for the codes. Fails with oauth.refused, oauth.unavailable or oauth.malformed. */
int oauth_device_begin(struct http *http, const struct oauth_client *client, const char *url,
	struct deadline deadline, struct oauth_device *device_r, struct failure *why);

/* Asks whether the person has decided: 0 with tokens, 1 if it is too early to say, -1 with
 * oauth.refused (access_denied, expired_token), oauth.unavailable or oauth.malformed. */
int oauth_device_poll(struct http *http, const struct oauth_client *client,
	struct oauth_device *device, struct deadline deadline, struct oauth_tokens *tokens_r,
	struct failure *why);

#endif
