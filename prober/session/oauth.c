#include "oauth.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "secret.h"
#include "url.h"

#include "ban.h"

/* No honest answer is longer. */
#define ANSWER_MAX ((size_t)64 << 10)
/* What fits into a SASL message beside name and host. */
#define TOKEN_MAX 8000
/* RFC 6749, 5.1: expires_in may be missing; a refusal will tell. */
#define LIFETIME_UNKNOWN (3600 * NS_PER_SECOND)
#define LIFETIME_MAX (int64_t)(400 * 86400)

/* --- what the server says -------------------------------------------------------------- */

static const char *text_of(const json_t *answer, const char *key)
{
	return json_string_value(json_object_get(answer, key));
}

/* Errors by which the server says that it is not our fault (RFC 6749, 4.1.2.1). */
static bool is_trouble(int status, const char *error)
{
	return status >= 500 || status == 429 || strcmp(error, "server_error") == 0 ||
		strcmp(error, "temporarily_unavailable") == 0;
}

static int refused(const char *host, int status, const json_t *answer, struct failure *why)
{
	const char *error = text_of(answer, "error");
	const char *description = text_of(answer, "error_description");
	char said[80], told[240];

	if (error == NULL)
		return failure_set(why,
			status >= 500 || status == 429 ? ERROR_OAUTH_UNAVAILABLE
						       : ERROR_OAUTH_MALFORMED,
			"the authorization server %s answers with status %d and no reason", host,
			status);
	text_printable_copy(said, sizeof(said), error, strlen(error));
	if (description == NULL)
		description = "";
	text_printable_copy(told, sizeof(told), description, strlen(description));
	return failure_set(why,
		is_trouble(status, error) ? ERROR_OAUTH_UNAVAILABLE : ERROR_OAUTH_REFUSED,
		"the authorization server %s gives no token: %s%s%s%s (status %d)", host, said,
		told[0] != '\0' ? " (\"" : "", told, told[0] != '\0' ? "\")" : "", status);
}

static int senseless(const char *host, const char *what, struct failure *why)
{
	return failure_set(why, ERROR_OAUTH_MALFORMED,
		"the answer of the authorization server %s makes no sense: %s", host, what);
}

/* RFC 6749, appendix A: printable ASCII. Anything else could break out of a SASL message. */
static bool is_token(const char *text)
{
	size_t length = text != NULL ? strlen(text) : 0;

	for (size_t i = 0; i < length; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return false;
	return length > 0 && length <= TOKEN_MAX;
}

static int64_t lifetime_of(const json_t *answer)
{
	const json_t *value = json_object_get(answer, "expires_in");
	double seconds = json_is_string(value) ? strtod(json_string_value(value), NULL)
					       : json_number_value(value);

	if (value == NULL || !(seconds > 0))
		return LIFETIME_UNKNOWN;
	return (seconds < (double)LIFETIME_MAX ? (int64_t)seconds : LIFETIME_MAX) * NS_PER_SECOND;
}

static int take_tokens(
	const char *host, const json_t *answer, struct oauth_tokens *tokens_r, struct failure *why)
{
	const char *type = text_of(answer, "token_type");
	const char *access = text_of(answer, "access_token");
	const char *refresh = text_of(answer, "refresh_token");

	if (!json_is_object(answer))
		return senseless(host, "it is no JSON object", why);
	if (!is_token(access))
		return senseless(host, "it has no access token that could be used", why);
	if (type != NULL && strcasecmp(type, "bearer") != 0)
		return senseless(host, "its token is of another type than Bearer", why);
	if (refresh != NULL && !is_token(refresh))
		return senseless(host, "its refresh token cannot be used", why);
	tokens_r->lifetime_ns = lifetime_of(answer);
	tokens_r->access_token = secret_keep(access);
	tokens_r->refresh_token = refresh != NULL ? secret_keep(refresh) : NULL;
	return 0;
}

/* --- asking ---------------------------------------------------------------------------- */

static void write_form(struct text *form, const struct oauth_client *client, const char *refresh)
{
	http_form_add(form, "grant_type", refresh != NULL ? "refresh_token" : "client_credentials");
	if (refresh != NULL)
		http_form_add(form, "refresh_token", refresh);
	http_form_add(form, "client_id", client->client_id);
	if (client->client_secret != NULL)
		http_form_add(form, "client_secret", client->client_secret);
	if (client->scope != NULL)
		http_form_add(form, "scope", client->scope);
}

static int read_reply(const char *host, const struct http_reply *reply,
	struct oauth_tokens *tokens_r, struct failure *why)
{
	json_t *answer = reply->body.length > 0
		? json_loadb(reply->body.bytes, reply->body.length, 0, NULL)
		: NULL;
	int result = reply->status == 200 ? take_tokens(host, answer, tokens_r, why)
					  : refused(host, reply->status, answer, why);

	json_decref(answer);
	return result;
}

static void wipe(struct text *text)
{
	if (text->bytes != NULL)
		explicit_bzero(text->bytes, text->capacity);
}

int oauth_fetch(struct http *http, const struct oauth_client *client, const char *refresh_token,
	struct deadline deadline, struct oauth_tokens *tokens_r, struct failure *why)
{
	static const char *const headers[] = {"Accept: application/json", NULL};
	struct http_reply reply = {0};
	struct failure failed = {0};
	struct text form;
	char host[URL_HOST_SIZE];
	int result;

	http_url_host(client->token_url, host, sizeof(host));
	text_init(&form, ANSWER_MAX);
	write_form(&form, client, refresh_token);
	const struct http_request request = {
		.method = "POST",
		.url = client->token_url,
		.headers = headers,
		.body = form.bytes,
		.body_length = form.length,
		.content_type = "application/x-www-form-urlencoded",
		.secret = true,
		.keep_redirect = true,
		.max_bytes = ANSWER_MAX,
		.deadline = deadline,
	};
	result = http_fetch(http, &request, &reply, &failed);
	wipe(&form);
	text_free(&form);
	if (result == -1)
		return failure_set(why, ERROR_OAUTH_UNAVAILABLE,
			"no access token from the authorization server: %s (%s)", failed.text,
			error_info(failed.type)->name);
	result = read_reply(host, &reply, tokens_r, why);
	wipe(&reply.body);
	http_reply_free(&reply);
	return result;
}
