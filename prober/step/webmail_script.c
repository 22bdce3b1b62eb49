/* SOGo, SnappyMail and RainLoop: their login pages are empty until a script fills them, so what is
 * done here is what the script would do. */
#include "webmail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/rand.h>

#include "ban.h"

static json_t *post(struct webmail *webmail, const char *reference, const char *body,
	const char *type, const char *const *headers, int *status, struct failure *why)
{
	char *url = http_url_join(webmail->reply.url, reference);
	json_t *answer = NULL;

	if (url == NULL)
		failure_set(why, ERROR_WEB_FORM, "the login page has no usable URL");
	else if (webmail_check_host(webmail, url, why) == 0)
		answer = webmail_ask(webmail,
			&(struct http_request){.method = "POST",
				.url = url,
				.headers = headers,
				.body = body,
				.body_length = strlen(body),
				.content_type = type,
				.secret = true},
			status, why);
	free(url);
	return answer;
}

/* The body may hold the password. */
static json_t *post_json(struct webmail *webmail, const char *reference, json_t *object,
	const char *const *headers, int *status, struct failure *why)
{
	char *body = json_dumps(object, JSON_COMPACT);
	json_t *answer = NULL;

	if (body != NULL) {
		answer = post(webmail, reference, body, "application/json", headers, status, why);
		explicit_bzero(body, strlen(body));
	}
	free(body);
	json_decref(object);
	return answer;
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text != NULL ? text : "";
}

/* --- SOGo: UI/MainUI/SOGoRootPage, connect --------------------------------------------- */

int sogo_login(struct webmail *webmail, struct failure *why)
{
	const struct probe *probe = webmail->probe;
	int status = 0, result = -1;
	json_t *answer = post_json(webmail, "connect",
		json_pack("{s:s, s:s, s:i}", "userName", probe->account->username, "password",
			probe->password, "rememberLogin", 0),
		NULL, &status, why);

	if (answer == NULL)
		return -1;
	if (json_object_get(answer, "totpMissingKey") != NULL)
		failure_set(why, ERROR_WEB_CHALLENGE, "the webmail asks for a second factor");
	else if (status == 403 && json_object_get(answer, "LDAPPasswordPolicyError") != NULL)
		webmail_rejected(webmail, "", why);
	else if (status != 200)
		failure_set(why, ERROR_HTTP_STATUS, "the login is answered with status %d", status);
	else
		result = 0;
	text_copy(webmail->user, sizeof(webmail->user), text_of(answer, "username"));
	if (webmail->user[0] == '\0')
		text_copy(webmail->user, sizeof(webmail->user), probe->account->username);
	json_decref(answer);
	return result;
}

int sogo_mailbox(struct webmail *webmail, struct failure *why)
{
	char reference[600];
	char *url;
	int result;

	snprintf(reference, sizeof(reference), "/SOGo/so/%s/Mail/view", webmail->user);
	url = http_url_join(webmail->reply.url, reference);
	result = url != NULL ? webmail_get(webmail, url, why)
			     : failure_set(why, ERROR_WEB_CONTENT, "the mailbox has no usable URL");
	free(url);
	return result;
}

int sogo_folder(struct webmail *webmail, const char *name, struct failure *why)
{
	char reference[1200], header[300], token[256] = "";
	const char *const headers[] = {header, NULL};
	const json_t *uids;
	json_t *answer;
	int status = 0;

	name = name != NULL ? name : "INBOX";
	http_cookie(webmail->http, "XSRF-TOKEN", token, sizeof(token));
	snprintf(header, sizeof(header), "X-XSRF-TOKEN: %s", token);
	snprintf(reference, sizeof(reference), "/SOGo/so/%s/Mail/0/folder%.500s/view",
		webmail->user, name);
	answer = post_json(webmail, reference, json_object(), headers, &status, why);
	if (answer == NULL)
		return -1;
	uids = json_object_get(answer, "uids");
	if (status == 200 && json_is_array(uids)) {
		/* The first row of a table with columns is its head. */
		size_t rows = json_array_size(uids);

		webmail_note_folder(webmail, name,
			(json_int_t)(rows > 0 && json_is_array(json_array_get(uids, 0)) ? rows - 1
											: rows));
		json_decref(answer);
		return 0;
	}
	json_decref(answer);
	return failure_set(why, ERROR_WEB_CONTENT,
		"the answer to the switch of folders lists no messages (status %d)", status);
}

/* --- SnappyMail and RainLoop: what is common -------------------------------------------- */

/* 102 is what both call a wrong password; others are troubles of the mail servers behind. */
#define AUTH_ERROR 102

static int check_login(struct webmail *webmail, const json_t *answer, const char *code_key,
	const char *message_key, struct failure *why)
{
	const json_t *result = json_object_get(answer, "Result");
	json_int_t code = json_integer_value(json_object_get(answer, code_key));
	char words[160];

	if (json_is_true(json_object_get(answer, "TwoFactorAuth")))
		return failure_set(
			why, ERROR_WEB_CHALLENGE, "the webmail asks for a second factor");
	if (json_is_true(result) || json_is_object(result))
		return 0;
	text_printable_copy(words, sizeof(words), text_of(answer, message_key),
		strlen(text_of(answer, message_key)));
	if (code == AUTH_ERROR)
		return webmail_rejected(webmail, words, why);
	return failure_set(why, ERROR_WEB_CONTENT, "the login is answered with error %lld: \"%s\"",
		(long long)code, words);
}

/* --- SnappyMail: ServiceActions, Actions/User -------------------------------------------- */

static json_t *snappymail_data(struct webmail *webmail, struct failure *why)
{
	char *url = http_url_join(webmail->reply.url, "?/AppData/0/1/");
	int status = 0;
	json_t *data = url != NULL
		? webmail_ask(webmail, &(struct http_request){.url = url}, &status, why)
		: NULL;

	free(url);
	if (data == NULL)
		failure_set(why, ERROR_WEB_FORM, "the login page's data cannot be had");
	return data;
}

/* Its script makes up the cookie that the token against forgery is made from. */
static void make_cookie(struct webmail *webmail)
{
	unsigned char random[16];
	char text[2 * sizeof(random) + 1] = "";

	if (RAND_bytes(random, sizeof(random)) != 1)
		return;
	for (size_t i = 0; i < sizeof(random); i++)
		snprintf(text + 2 * i, 3, "%02x", random[i]);
	http_cookie_set(webmail->http, webmail->reply.url, "smctoken", text);
}

static void take_token(struct webmail *webmail, const json_t *data)
{
	text_copy(webmail->token, sizeof(webmail->token),
		text_of(json_object_get(data, "System"), "token"));
}

/* The data of a page that is logged in names the account. */
static int check_account(struct webmail *webmail, const json_t *data, struct failure *why)
{
	const char *email = text_of(data, "Email");
	const struct account *account = webmail->probe->account;

	if (!json_is_true(json_object_get(data, "Auth")) || email[0] == '\0')
		return failure_set(why, ERROR_WEB_CONTENT,
			"the webmail accepts the login, but then knows of no account");
	if (strcasecmp(email, account->username) == 0 || strcasecmp(email, account->address) == 0)
		return 0;
	return failure_set(why, ERROR_WEB_CONTENT,
		"the mailbox shown is not that of %s, but of \"%.100s\"", account->username, email);
}

static json_t *snappymail_act(struct webmail *webmail, json_t *parameters, struct failure *why)
{
	char header[300];
	const char *const headers[] = {"Accept: application/json", header, NULL};
	int status = 0;

	snprintf(header, sizeof(header), "X-SM-Token: %s", webmail->token);
	return post_json(webmail, "?/Json/&q[]=/0/", parameters, headers, &status, why);
}

int snappymail_login(struct webmail *webmail, struct failure *why)
{
	const struct probe *probe = webmail->probe;
	json_t *data, *answer;
	int result;

	make_cookie(webmail);
	data = snappymail_data(webmail, why);
	if (data == NULL)
		return -1;
	take_token(webmail, data);
	json_decref(data);
	answer = snappymail_act(webmail,
		json_pack("{s:s, s:s, s:s, s:i}", "Action", "Login", "Email",
			probe->account->username, "Password", probe->password, "signMe", 0),
		why);
	if (answer == NULL)
		return -1;
	result = check_login(webmail, answer, "code", "message", why);
	json_decref(answer);
	data = result == 0 ? snappymail_data(webmail, why) : NULL;
	if (data == NULL)
		return -1;
	take_token(webmail, data);
	result = check_account(webmail, data, why);
	json_decref(data);
	return result;
}

int snappymail_folder(struct webmail *webmail, const char *name, struct failure *why)
{
	const json_t *list;
	json_t *answer;
	int result = -1;

	name = name != NULL ? name : "INBOX";
	answer = snappymail_act(webmail,
		json_pack("{s:s, s:s, s:i, s:i}", "Action", "MessageList", "folder", name, "offset",
			0, "limit", 20),
		why);
	if (answer == NULL)
		return -1;
	list = json_object_get(answer, "Result");
	if (json_is_object(list) || json_is_array(list)) {
		const json_t *total = json_object_get(list, "totalEmails");

		webmail_note_folder(webmail, name,
			json_is_integer(total) ? json_integer_value(total)
					       : (json_int_t)json_array_size(list));
		result = 0;
	} else {
		failure_set(why, ERROR_WEB_CONTENT,
			"the answer to the switch of folders lists no messages");
	}
	json_decref(answer);
	return result;
}

int snappymail_leave(struct webmail *webmail, struct failure *why)
{
	json_t *answer = snappymail_act(webmail, json_pack("{s:s}", "Action", "Logout"), why);

	json_decref(answer);
	return answer != NULL ? 0 : -1;
}

/* --- RainLoop: ServiceActions, Actions --------------------------------------------------- */

/* Its data comes as a call of a script, with the object as the argument. */
static int rainloop_token(struct webmail *webmail, struct failure *why)
{
	char *url = http_url_join(webmail->reply.url, "?/AppData@no-mobile/0/1/");
	int result = url != NULL ? webmail_get(webmail, url, why) : -1;

	free(url);
	if (result == -1)
		return failure_set(why, ERROR_WEB_FORM, "the login page's data cannot be had");
	/* Empty where the protection against forgery is switched off. */
	if (!webmail_script_value(webmail, "\"token\":\"", webmail->token, sizeof(webmail->token)))
		webmail->token[0] = '\0';
	return 0;
}

static json_t *rainloop_act(struct webmail *webmail, const char *action, struct failure *why)
{
	struct text form;
	json_t *answer;
	int status = 0;

	text_init(&form, 8192);
	http_form_add(&form, "Action", action);
	http_form_add(&form, "XToken", webmail->token);
	if (strcmp(action, "Login") == 0) {
		http_form_add(&form, "Email", webmail->probe->account->username);
		http_form_add(&form, "Password", webmail->probe->password);
		http_form_add(&form, "SignMe", "0");
	}
	answer = post(webmail, "?/Ajax/&q[]=/0/", form.bytes, "application/x-www-form-urlencoded",
		NULL, &status, why);
	explicit_bzero(form.bytes, form.length);
	text_free(&form);
	return answer;
}

int rainloop_login(struct webmail *webmail, struct failure *why)
{
	json_t *answer;
	int result;

	if (rainloop_token(webmail, why) == -1)
		return -1;
	answer = rainloop_act(webmail, "Login", why);
	if (answer == NULL)
		return -1;
	result = check_login(webmail, answer, "ErrorCode", "ErrorMessage", why);
	json_decref(answer);
	/* Only who is logged in gets folders. */
	answer = result == 0 ? rainloop_act(webmail, "Folders", why) : NULL;
	if (answer != NULL && !json_is_object(json_object_get(answer, "Result")))
		result = failure_set(why, ERROR_WEB_CONTENT,
			"the webmail accepts the login, but then shows no folders");
	else if (answer == NULL)
		result = -1;
	json_decref(answer);
	return result;
}

int rainloop_leave(struct webmail *webmail, struct failure *why)
{
	json_t *answer = rainloop_act(webmail, "Logout", why);

	json_decref(answer);
	return answer != NULL ? 0 : -1;
}
