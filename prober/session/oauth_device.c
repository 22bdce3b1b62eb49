#include "oauth_device.h"

#include <stdio.h>
#include <string.h>

#include "oauth_private.h"
#include "secret.h"

#include "ban.h"

#define GRANT_TYPE "urn:ietf:params:oauth:grant-type:device_code"
/* RFC 8628, 3.2 and 3.5. */
#define INTERVAL (5 * NS_PER_SECOND)
#define SLOWER (5 * NS_PER_SECOND)
/* expires_in is required; who leaves it out is not waited for any longer than this. */
#define LIFETIME_UNKNOWN (600 * NS_PER_SECOND)

/* Something that a person is to read and type: no control characters, no blanks, no other script. */
static bool take_readable(char *to, size_t size, const char *text)
{
	if (!oauth_is_token(text) || strlen(text) >= size)
		return false;
	text_copy(to, size, text);
	return true;
}

static int take_device(
	const struct oauth_answer *answer, struct oauth_device *device_r, struct failure *why)
{
	const char *code = oauth_text(answer, "device_code");
	const char *uri = oauth_text(answer, "verification_uri");

	/* As drafts of the RFC had it, and some still do. */
	if (uri == NULL)
		uri = oauth_text(answer, "verification_url");
	if (!oauth_is_token(code))
		return oauth_senseless(answer, "it has no device code that could be used", why);
	if (!take_readable(device_r->user_code, sizeof(device_r->user_code),
		    oauth_text(answer, "user_code")))
		return oauth_senseless(answer, "it has no code that a person could enter", why);
	if (uri == NULL || strncmp(uri, "https://", 8) != 0 ||
		!take_readable(device_r->verification_uri, sizeof(device_r->verification_uri), uri))
		return oauth_senseless(
			answer, "it has no https:// address that a person could open", why);
	device_r->lifetime_ns = oauth_seconds(answer, "expires_in", LIFETIME_UNKNOWN);
	device_r->interval_ns = oauth_seconds(answer, "interval", INTERVAL);
	device_r->device_code = secret_keep(code);
	return 0;
}

int oauth_device_begin(struct http *http, const struct oauth_client *client, const char *url,
	struct deadline deadline, struct oauth_device *device_r, struct failure *why)
{
	struct oauth_answer answer;
	struct text form;
	int result;

	text_init(&form, OAUTH_FORM_MAX);
	oauth_form_client(&form, client);
	if (client->scope != NULL)
		http_form_add(&form, "scope", client->scope);
	if (oauth_ask(http, url, &form, deadline, &answer, why) == -1)
		return -1;
	result = answer.status == 200 ? take_device(&answer, device_r, why)
				      : oauth_refused(&answer, why);
	json_decref(answer.json);
	return result;
}

static int take_decision(const struct oauth_answer *answer, struct oauth_device *device,
	struct oauth_tokens *tokens_r, struct failure *why)
{
	const char *error = oauth_text(answer, "error");

	if (answer->status == 200)
		return oauth_take_tokens(answer, tokens_r, why);
	if (error != NULL && strcmp(error, "authorization_pending") == 0)
		return 1;
	if (error != NULL && strcmp(error, "slow_down") == 0) {
		device->interval_ns += SLOWER;
		return 1;
	}
	return oauth_refused(answer, why);
}

int oauth_device_poll(struct http *http, const struct oauth_client *client,
	struct oauth_device *device, struct deadline deadline, struct oauth_tokens *tokens_r,
	struct failure *why)
{
	struct oauth_answer answer;
	struct text form;
	int result;

	text_init(&form, OAUTH_FORM_MAX);
	http_form_add(&form, "grant_type", GRANT_TYPE);
	http_form_add(&form, "device_code", device->device_code);
	oauth_form_client(&form, client);
	if (oauth_ask(http, client->token_url, &form, deadline, &answer, why) == -1)
		return -1;
	result = take_decision(&answer, device, tokens_r, why);
	json_decref(answer.json);
	return result;
}
