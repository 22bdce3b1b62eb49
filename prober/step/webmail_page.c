/* Pages, and what they are: the user's mailbox, or one of the many things that are not. A mailbox
 * is only what bears a mailbox's marker; status 200 says nothing. */
#include "webmail.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ban.h"

/* --- getting one ------------------------------------------------------------------------ */

static struct html *parse(
	struct webmail *webmail, const struct http_reply *reply, struct failure *why)
{
	return html_parse(reply->body.bytes != NULL ? reply->body.bytes : "", reply->body.length,
		reply->url, webmail->probe->deadline, why);
}

/* Words that we tell a wrong password from a server's trouble by. */
static const char *const language[] = {"Accept-Language: en", NULL};

int webmail_show(struct webmail *webmail, const struct http_request *request, struct failure *why)
{
	struct http_request whole = *request;
	struct http_reply reply;
	struct html *page;

	whole.deadline = webmail->probe->deadline;
	if (whole.headers == NULL)
		whole.headers = language;
	if (http_fetch(webmail->http, &whole, &reply, why) == -1)
		return -1;
	page = parse(webmail, &reply, why);
	if (page == NULL) {
		http_reply_free(&reply);
		return -1;
	}
	html_free(&webmail->page);
	http_reply_free(&webmail->reply);
	webmail->page = page;
	webmail->reply = reply;
	return 0;
}

int webmail_get(struct webmail *webmail, const char *url, struct failure *why)
{
	return webmail_show(webmail, &(struct http_request){.url = url}, why);
}

json_t *webmail_ask(struct webmail *webmail, const struct http_request *request, int *status_r,
	struct failure *why)
{
	struct http_request whole = *request;
	struct http_reply reply;
	json_t *answer;

	whole.deadline = webmail->probe->deadline;
	if (http_fetch(webmail->http, &whole, &reply, why) == -1)
		return NULL;
	*status_r = reply.status;
	answer = json_loadb(reply.body.bytes != NULL ? reply.body.bytes : "", reply.body.length,
		JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(answer)) {
		json_decref(answer);
		answer = NULL;
		if (http_expect_success(&reply, why) == 0)
			failure_set(why, ERROR_WEB_CONTENT,
				"the webmail's script would get an answer that is no JSON object");
	}
	http_reply_free(&reply);
	return answer;
}

/* --- what it is --------------------------------------------------------------------------- */

/* One that a person would have to solve; a mere script may only be watching. */
static const char captcha[] =
	"//*[any(@class, 'g-recaptcha|h-captcha|cf-turnstile')] or "
	"//input[any(@name, 'captcha') or any(@id, 'captcha')] or "
	"//img[any(@src, 'captcha') or any(@id, 'captcha')] or //iframe[any(@src, 'captcha')]";

#define CODES                                                                                      \
	"'totp|2fa|mfa|otp_|_otp|otp-|twofactor|two_factor|two-factor|verificationcode|"           \
	"verification_code|authcode|onetime'"
static const char second_factor[] =
	"//input[@autocomplete = 'one-time-code' or any(@name, " CODES ") or any(@id, " CODES
	") or "
	"lower(@name) = 'otp' or lower(@id) = 'otp'] or //script[any(@src, 'twofactor')]";

static const char password_field[] = "//input[lower(@type) = 'password']";

static const char closed[] =
	"(//title | //h1)[any(., 'maintenance|wartung|temporarily|unavailable|error|fehler|"
	"be right back|out of service')]";

void webmail_words(const struct webmail *webmail, char *text, size_t size)
{
	static const char *const places[] = {"//*[@role = 'alert'][normalize-space()]",
		"//*[any(@class, 'error|alert|warning') or any(@id, 'error')][normalize-space()]",
		"//h1[normalize-space()]", "//title", NULL};

	text[0] = '\0';
	/* Roundcube's own words are in a script, for a script. */
	if (webmail_script_value(webmail, "display_message(\"", text, size))
		return;
	for (size_t i = 0; places[i] != NULL; i++) {
		char *words = html_text(webmail->page, places[i]);
		bool found = words != NULL && words[0] != '\0';

		if (found)
			text_printable_copy(text, size, words,
				strlen(words) < size - 1 ? strlen(words) : size - 1);
		free(words);
		if (found)
			return;
	}
}

int webmail_rejected(const struct webmail *webmail, const char *words, struct failure *why)
{
	return failure_set(why, ERROR_AUTH_REJECTED, "the webmail refuses the login of %s%s%s%s",
		webmail->probe->account->username, words[0] != '\0' ? ": \"" : "", words,
		words[0] != '\0' ? "\"" : "");
}

bool webmail_script_value(
	const struct webmail *webmail, const char *marker, char *value, size_t size)
{
	const char *body = webmail->reply.body.bytes;
	const char *at = body != NULL ? strstr(body, marker) : NULL;
	size_t length;

	if (at == NULL)
		return false;
	at += strlen(marker);
	length = strcspn(at, "\"'\\<\n");
	if (length == 0 || length >= size)
		return false;
	memcpy(value, at, length);
	value[length] = '\0';
	return true;
}

static bool has_login(const struct webmail *webmail)
{
	return html_has(webmail->page, password_field, NULL);
}

int webmail_check_challenge(const struct webmail *webmail, bool before_login, struct failure *why)
{
	if (html_has(webmail->page, captcha, NULL))
		return failure_set(why, ERROR_WEB_CHALLENGE, "%s asks to solve a captcha",
			before_login ? "the login page" : "the webmail");
	/* A field for a code beside the password may be left empty by who has none. */
	if (!before_login && html_has(webmail->page, second_factor, NULL))
		return failure_set(
			why, ERROR_WEB_CHALLENGE, "the webmail asks for a second factor");
	return 0;
}

/* In what it shows instead, for a person. */
static int refuse_content(const struct webmail *webmail, const char *what, struct failure *why)
{
	char words[160];

	webmail_words(webmail, words, sizeof(words));
	if (html_has(webmail->page, closed, NULL))
		return failure_set(why, ERROR_WEB_CONTENT,
			"the webmail shows a page of its own trouble: \"%s\"", words);
	if (words[0] == '\0')
		return failure_set(why, ERROR_WEB_CONTENT, "%s", what);
	return failure_set(why, ERROR_WEB_CONTENT, "%s, but: \"%s\"", what, words);
}

int webmail_refuse_login_page(const struct webmail *webmail, struct failure *why)
{
	if (html_has(webmail->page, closed, NULL))
		return refuse_content(webmail, "", why);
	if (has_login(webmail))
		return failure_set(why, ERROR_WEB_FORM,
			"the page has a password field, but no form around it that could be sent");
	return failure_set(why, ERROR_WEB_FORM, "the page has no form with a password field");
}

const struct webmail_flavour *webmail_detect(const struct webmail *webmail)
{
	const char *given = webmail->settings->flavour;
	size_t i;

	for (i = 0; webmail_flavours[i + 1] != NULL; i++)
		if (given != NULL ? strcmp(webmail_flavours[i]->name, given) == 0
				  : html_has(webmail->page, webmail_flavours[i]->detect, NULL))
			break;
	return webmail_flavours[i];
}

/* An address or a name before it: webmails show either. */
static bool same_user(const char *shown, const char *ours)
{
	size_t length = strcspn(ours, "@");

	if (strcasecmp(shown, ours) == 0)
		return true;
	return strchr(shown, '@') == NULL && strlen(shown) == length &&
		strncasecmp(shown, ours, length) == 0;
}

/* A login that lands in somebody else's mailbox is the worst that can happen. */
static int check_owner(const struct webmail *webmail, struct failure *why)
{
	const struct account *account = webmail->probe->account;
	const char *shows = webmail->settings->shows;
	char *owner;
	int result = 0;

	if (shows != NULL) {
		if (html_has(webmail->page, "contains(string(//html), $name)", shows))
			return 0;
		return failure_set(why, ERROR_WEB_CONTENT,
			"a mailbox is shown, but \"%s\" is not to be seen on it", shows);
	}
	if (webmail->flavour->owner == NULL)
		return 0;
	owner = html_text(webmail->page, webmail->flavour->owner);
	if (owner != NULL && owner[0] != '\0' && !same_user(owner, account->username) &&
		!same_user(owner, account->address))
		result = failure_set(why, ERROR_WEB_CONTENT,
			"the mailbox shown is not that of %s, but of \"%.100s\" (webmail.shows "
			"says "
			"what to look for, if that is an alias)",
			account->username, owner);
	free(owner);
	return result;
}

static int check_trouble(const struct webmail *webmail, struct failure *why)
{
	if (webmail_check_challenge(webmail, false, why) == -1)
		return -1;
	if (html_has(webmail->page, closed, NULL))
		return refuse_content(webmail, "", why);
	return 0;
}

static bool has_word(const char *text, const char *const words[])
{
	for (size_t i = 0; words[i] != NULL; i++)
		if (strcasestr(text, words[i]) != NULL)
			return true;
	return false;
}

/* The login page again: most often the password is wrong, but not always. We ask for English. */
static int refuse_login(const struct webmail *webmail, const char *words, struct failure *why)
{
	static const char *const temporary[] = {"storage server", "mail server", "imap server",
		"connection", "temporar", "later", "too many", "locked", "unavailable", "database",
		"timed out", "timeout", "internal error", NULL};
	static const char *const form[] = {
		"invalid request", "csrf", "token", "session", "cookie", NULL};

	if (has_word(words, temporary))
		return failure_set(why, ERROR_AUTH_TEMP,
			"the webmail cannot log %s in for now: \"%s\"",
			webmail->probe->account->username, words);
	if (has_word(words, form))
		return failure_set(why, ERROR_WEB_FORM,
			"the login form, sent as it was, is not accepted: \"%s\"", words);
	return webmail_rejected(webmail, words, why);
}

static bool is_shown(const struct webmail *webmail)
{
	return html_has(webmail->page, webmail->flavour->shown, webmail->probe->account->address);
}

int webmail_judge(struct webmail *webmail, struct failure *why)
{
	int status = webmail->reply.status;
	bool refused = status == 401 || status == 403 || status == 422;
	bool login = has_login(webmail);
	char words[160];

	if (!refused && http_expect_success(&webmail->reply, why) == -1)
		return -1;
	/* A way out is on many pages that are no mailbox, so what is known comes first. */
	if (webmail->flavour->shown_is_vague && check_trouble(webmail, why) == -1)
		return -1;
	if (!refused && !login && is_shown(webmail))
		return check_owner(webmail, why);
	if (webmail_check_challenge(webmail, false, why) == -1)
		return -1;
	webmail_words(webmail, words, sizeof(words));
	if (login || status == 401)
		return refuse_login(webmail, words, why);
	if (refused)
		return http_expect_success(&webmail->reply, why);
	return refuse_content(webmail, "the page after the login shows no mailbox", why);
}
