#include "oauth_private.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "secret.h"

#include "ban.h"

/* No honest answer is longer. */
#define ANSWER_MAX ((size_t)64 << 10)
/* What fits into a SASL message beside name and host. */
#define TOKEN_MAX 8000
/* RFC 6749, 5.1: expires_in may be missing; a refusal will tell. */
#define LIFETIME_UNKNOWN (3600 * NS_PER_SECOND)
#define LIFETIME_MAX (int64_t)(400 * 86400)

const char *oauth_text(const struct oauth_answer *answer, const char *key)
{
	return json_string_value(json_object_get(answer->json, key));
}

/* --- what the server says -------------------------------------------------------------- */

/* Errors by which the server says that it is not our fault (RFC 6749, 4.1.2.1). */
static bool is_trouble(int status, const char *error)
{
	return status >= 500 || status == 429 || strcmp(error, "server_error") == 0 ||
		strcmp(error, "temporarily_unavailable") == 0;
}

int oauth_refused(const struct oauth_answer *answer, struct failure *why)
{
	const char *error = oauth_text(answer, "error");
	const char *description = oauth_text(answer, "error_description");
	int status = answer->status;
	char said[80], told[240];

	if (error == NULL)
		return failure_set(why,
			status >= 500 || status == 429 ? ERROR_OAUTH_UNAVAILABLE
						       : ERROR_OAUTH_MALFORMED,
			"the authorization server %s answers with status %d and no reason",
			answer->host, status);
	text_printable_copy(said, sizeof(said), error, strlen(error));
	if (description == NULL)
		description = "";
	text_printable_copy(told, sizeof(told), description, strlen(description));
	return failure_set(why,
		is_trouble(status, error) ? ERROR_OAUTH_UNAVAILABLE : ERROR_OAUTH_REFUSED,
		"the authorization server %s gives no token: %s%s%s%s (status %d)", answer->host,
		said, told[0] != '\0' ? " (\"" : "", told, told[0] != '\0' ? "\")" : "", status);
}

int oauth_senseless(const struct oauth_answer *answer, const char *what, struct failure *why)
{
	return failure_set(why, ERROR_OAUTH_MALFORMED,
		"the answer of the authorization server %s makes no sense: %s", answer->host, what);
}

bool oauth_is_token(const char *text)
{
	size_t length = text != NULL ? strlen(text) : 0;

	for (size_t i = 0; i < length; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return false;
	return length > 0 && length <= TOKEN_MAX;
}

int64_t oauth_seconds(const struct oauth_answer *answer, const char *key, int64_t fallback_ns)
{
	const json_t *value = json_object_get(answer->json, key);
	double seconds = json_is_string(value) ? strtod(json_string_value(value), NULL)
					       : json_number_value(value);

	if (value == NULL || !(seconds > 0))
		return fallback_ns;
	return (seconds < (double)LIFETIME_MAX ? (int64_t)seconds : LIFETIME_MAX) * NS_PER_SECOND;
}

int oauth_take_tokens(
	const struct oauth_answer *answer, struct oauth_tokens *tokens_r, struct failure *why)
{
	const char *type = oauth_text(answer, "token_type");
	const char *access = oauth_text(answer, "access_token");
	const char *refresh = oauth_text(answer, "refresh_token");

	if (!json_is_object(answer->json))
		return oauth_senseless(answer, "it is no JSON object", why);
	if (!oauth_is_token(access))
		return oauth_senseless(
			answer, "it has no access token that could be used", why);
	if (type != NULL && strcasecmp(type, "bearer") != 0)
		return oauth_senseless(
			answer, "its token is of another type than Bearer", why);
	if (refresh != NULL && !oauth_is_token(refresh))
		return oauth_senseless(answer, "its refresh token cannot be used", why);
	tokens_r->lifetime_ns = oauth_seconds(answer, "expires_in", LIFETIME_UNKNOWN);
	tokens_r->access_token = secret_keep(access);
	tokens_r->refresh_token = refresh != NULL ? secret_keep(refresh) : NULL;
	return 0;
}

/* --- asking ---------------------------------------------------------------------------- */

void oauth_form_client(struct text *form, const struct oauth_client *client)
{
	http_form_add(form, "client_id", client->client_id);
	if (client->client_secret != NULL)
		http_form_add(form, "client_secret", client->client_secret);
}

static void wipe(struct text *text)
{
	if (text->bytes != NULL)
		explicit_bzero(text->bytes, text->capacity);
}

int oauth_ask(struct http *http, const char *url, struct text *form, struct deadline deadline,
	struct oauth_answer *answer_r, struct failure *why)
{
	static const char *const headers[] = {"Accept: application/json", NULL};
	const struct http_request request = {
		.method = "POST",
		.url = url,
		.headers = headers,
		.body = form->bytes,
		.body_length = form->length,
		.content_type = "application/x-www-form-urlencoded",
		.secret = true,
		.keep_redirect = true,
		.max_bytes = ANSWER_MAX,
		.deadline = deadline,
	};
	struct http_reply reply = {0};
	struct failure failed = {0};
	int result = http_fetch(http, &request, &reply, &failed);

	wipe(form);
	text_free(form);
	*answer_r = (struct oauth_answer){.status = reply.status};
	http_url_host(url, answer_r->host, sizeof(answer_r->host));
	if (result == -1)
		return failure_set(why, ERROR_OAUTH_UNAVAILABLE,
			"no access token from the authorization server: %s (%s)", failed.text,
			error_info(failed.type)->name);
	if (reply.body.length > 0)
		answer_r->json = json_loadb(reply.body.bytes, reply.body.length, 0, NULL);
	wipe(&reply.body);
	http_reply_free(&reply);
	return 0;
}

int oauth_fetch(struct http *http, const struct oauth_client *client, const char *refresh_token,
	struct deadline deadline, struct oauth_tokens *tokens_r, struct failure *why)
{
	struct oauth_answer answer;
	struct text form;
	int result;

	text_init(&form, OAUTH_FORM_MAX);
	http_form_add(&form, "grant_type",
		refresh_token != NULL ? "refresh_token" : "client_credentials");
	if (refresh_token != NULL)
		http_form_add(&form, "refresh_token", refresh_token);
	oauth_form_client(&form, client);
	if (client->scope != NULL)
		http_form_add(&form, "scope", client->scope);
	if (oauth_ask(http, client->token_url, &form, deadline, &answer, why) == -1)
		return -1;
	result = answer.status == 200 ? oauth_take_tokens(&answer, tokens_r, why)
				      : oauth_refused(&answer, why);
	json_decref(answer.json);
	return result;
}
