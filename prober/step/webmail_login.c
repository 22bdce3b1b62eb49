/* webmail_login - a user opens the webmail, logs in, looks into a folder and logs out: by the
 * login page's own form where it has one (HTML), as its script would where it has not. The proof is
 * the mark that only a mailbox bears; status 200 alone proves nothing. A password is sent once, to
 * hosts that the scenario names, and nowhere else. Changes nothing but that the server remembers
 * which folder was shown last. */
#include "webmail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "nodes.h"
#include "probe_http.h"
#include "refusal.h"
#include "step.h"

#include "ban.h"

#define HOSTS_MAX 16
#define REFRESHES_MAX 3
/* Some pages hide all of their state in a field. */
#define FORM_MAX ((size_t)1 << 20)

static const struct field fields[] = {
	{"account", &field_account, FIELD_REQUIRED, "account that logs in"},
	{"folder", &field_text, 0,
		"folder to switch to after the login; if left out, another one than the inbox, "
		"where "
		"the webmail says which there are"},
	{"password", &field_secret, 0, "another password than the account's, such as a wrong one"},
	NODES_FIELD,
	REFUSAL_FIELD,
	{0},
};

static const struct field facts[] = {
	{"flavour", &field_name, 0, "which webmail it is"},
	{"title", &field_text, 0, "of the page that shows the mailbox"},
	{"folder", &field_text, 0, "the folder that was switched to"},
	{"messages", &field_integer, FIELD_METRIC, "messages in that folder, as the webmail says"},
	{"logged_out", &field_bool, 0, "the session was ended"},
	REFUSAL_FACT,
	NODES_FACTS,
	HTTP_FACTS,
	{0},
};

static const char *const phases[] = {
	"resolve", "failover", "page", "login", "mailbox", "folder", "logout", "others", NULL};
static const char *const account_needs[] = {"webmail", "password", NULL};

/* --- pages ------------------------------------------------------------------------------ */

/* Pages that send a browser on by themselves: some stand before the login, some behind it. */
static int follow_refresh(struct webmail *webmail, struct failure *why)
{
	for (int i = 0; i < REFRESHES_MAX; i++) {
		char *url = html_refresh(webmail->page);
		bool again = url == NULL || strcmp(url, webmail->reply.url) == 0;
		int result;

		if (again) {
			free(url);
			return 0;
		}
		if (strncmp(webmail->reply.url, "https:", 6) == 0 && strncmp(url, "https:", 6) != 0)
			result = failure_set(why, ERROR_HTTP_POLICY,
				"the page sends the browser on to a page without TLS");
		else
			result = webmail_get(webmail, url, why);
		free(url);
		if (result == -1)
			return -1;
	}
	return 0;
}

/* --- the login -------------------------------------------------------------------------- */

static bool is_known_host(const struct webmail *webmail, const char *host)
{
	char own[URL_HOST_SIZE];
	json_t *item;
	size_t index;

	http_url_host(webmail->settings->url, own, sizeof(own));
	if (strcasecmp(host, own) == 0)
		return true;
	json_array_foreach(webmail->settings->login_hosts, index,
		item) if (strcasecmp(host, json_string_value(item)) == 0) return true;
	return false;
}

int webmail_check_host(const struct webmail *webmail, const char *url, struct failure *why)
{
	char host[URL_HOST_SIZE];

	http_url_host(url, host, sizeof(host));
	if (strncmp(webmail->reply.url, "https:", 6) == 0 && strncmp(url, "https:", 6) != 0)
		return failure_set(
			why, ERROR_HTTP_POLICY, "the login would send the password without TLS");
	if (is_known_host(webmail, host))
		return 0;
	return failure_set(why, ERROR_HTTP_POLICY,
		"the login is at %s, which may not be given the password unless the scenario names "
		"it (webmail.login_hosts)",
		host);
}

static char *with_query(const char *action, const struct text *query)
{
	size_t base = strcspn(action, "?#");
	size_t size = base + query->length + 2;
	char *url = malloc(size);

	if (url != NULL)
		snprintf(url, size, "%.*s?%s", (int)base, action, query->bytes);
	return url;
}

static int send_encoded(struct webmail *webmail, const struct html_form *form,
	const struct text *body, struct failure *why)
{
	struct http_request request = {.url = form->action, .secret = true, .keep_redirect = true};
	char *url = NULL;
	int result;

	if (form->is_post) {
		request.method = "POST";
		request.body = body->bytes;
		request.body_length = body->length;
		request.content_type = "application/x-www-form-urlencoded";
	} else {
		request.url = url = with_query(form->action, body);
		if (url == NULL)
			return failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory");
	}
	result = webmail_show(webmail, &request, why);
	if (url != NULL)
		explicit_bzero(url, strlen(url));
	free(url);
	return result;
}

/* Sends the form as it is now; a redirect is the next phase's. */
static int send_form(struct webmail *webmail, const struct html_form *form, struct failure *why)
{
	struct text body;
	int result;

	text_init(&body, FORM_MAX);
	html_form_encode(form, &body);
	result = body.overflowed || body.bytes == NULL
		? failure_set(why, ERROR_WEB_FORM, "the login form is larger than any honest one")
		: send_encoded(webmail, form, &body, why);
	if (body.bytes != NULL)
		explicit_bzero(body.bytes, body.length);
	text_free(&body);
	return result;
}

static bool has_control(const struct html_form *form, const char *name)
{
	for (size_t i = 0; i < form->count; i++)
		if (strcmp(form->controls[i].name, name) == 0)
			return true;
	return false;
}

static int check_form(
	const struct webmail *webmail, const struct html_form *form, struct failure *why)
{
	if (form->action == NULL)
		return failure_set(why, ERROR_WEB_FORM, "the login form leads to no web page");
	if (form->user_name == NULL || form->password_name == NULL)
		return failure_set(why, ERROR_WEB_FORM,
			"the login form has no named fields for user and password");
	if (form->is_multipart)
		return failure_set(why, ERROR_WEB_FORM,
			"the login form is to be sent as multipart/form-data, which we do not do");
	if (webmail->flavour->token != NULL && !has_control(form, webmail->flavour->token))
		return failure_set(why, ERROR_WEB_FORM,
			"the login form lacks its token against forgery, %s",
			webmail->flavour->token);
	return webmail_check_host(webmail, form->action, why);
}

static void fill_form(const struct webmail *webmail, struct html_form *form)
{
	const struct webmail_extra *extra = webmail->flavour->extras;

	html_form_set(form, form->user_name, webmail->probe->account->username);
	html_form_set(form, form->password_name, webmail->probe->password);
	for (; extra != NULL && extra->name != NULL; extra++)
		html_form_set(form, extra->name, extra->value);
}

/* --- the visit -------------------------------------------------------------------------- */

/* The form is found before the phase ends: a page without one has failed, not the login. */
static int visit_page(struct webmail *webmail, struct html_form *form, struct failure *why)
{
	timings_begin(&webmail->probe->timings, "page");
	if (webmail_get(webmail, webmail->settings->url, why) == -1 ||
		follow_refresh(webmail, why) == -1 ||
		http_expect_success(&webmail->reply, why) == -1)
		return -1;
	webmail->flavour = webmail_detect(webmail);
	json_object_set_new(webmail->probe->facts, "flavour", json_string(webmail->flavour->name));
	if (webmail_check_challenge(webmail, true, why) == -1)
		return -1;
	if (webmail->flavour->login != NULL) {
		if (html_has(webmail->page, webmail->flavour->detect, NULL))
			return 0;
		return webmail_refuse_login_page(webmail, why);
	}
	if (html_login_form(webmail->page, form) == -1)
		return webmail_refuse_login_page(webmail, why);
	return check_form(webmail, form, why);
}

static int visit_login(struct webmail *webmail, struct html_form *form, struct failure *why)
{
	timings_begin(&webmail->probe->timings, "login");
	if (webmail->flavour->login != NULL)
		return webmail->flavour->login(webmail, why);
	fill_form(webmail, form);
	return send_form(webmail, form, why);
}

static void note_title(struct webmail *webmail)
{
	char *title = html_text(webmail->page, "//title");
	char shown[120];

	if (title != NULL && title[0] != '\0') {
		text_printable_copy(shown, sizeof(shown), title,
			strlen(title) < sizeof(shown) ? strlen(title) : sizeof(shown) - 1);
		json_object_set_new(webmail->probe->facts, "title", json_string(shown));
	}
	free(title);
}

/* What a stranger shows proves nothing. */
static int check_place(const struct webmail *webmail, struct failure *why)
{
	char host[URL_HOST_SIZE];

	http_url_host(webmail->reply.url, host, sizeof(host));
	if (is_known_host(webmail, host))
		return 0;
	return failure_set(why, ERROR_HTTP_POLICY,
		"the login leads to %s, which the scenario does not name (webmail.login_hosts)",
		host);
}

/* The login's answer is judged where it leads to. */
static int visit_mailbox(struct webmail *webmail, struct failure *why)
{
	timings_begin(&webmail->probe->timings, "mailbox");
	if (webmail->reply.location != NULL) {
		char *url = strdup(webmail->reply.location);
		int result = url != NULL ? webmail_get(webmail, url, why) : -1;

		free(url);
		if (result == -1)
			return -1;
	}
	if (follow_refresh(webmail, why) == -1)
		return -1;
	if (webmail->flavour->mailbox != NULL && webmail->flavour->mailbox(webmail, why) == -1)
		return -1;
	note_title(webmail);
	if (check_place(webmail, why) == -1)
		return -1;
	return webmail->flavour->shown != NULL ? webmail_judge(webmail, why) : 0;
}

void webmail_note_folder(struct webmail *webmail, const char *name, json_int_t messages)
{
	char shown[200];

	text_printable_copy(shown, sizeof(shown), name, strlen(name));
	json_object_set_new(webmail->probe->facts, "folder", json_string(shown));
	json_object_set_new(webmail->probe->facts, "messages", json_integer(messages));
}

static int visit_folder(struct webmail *webmail, struct failure *why)
{
	const char *name = step_string(webmail->probe->step, "folder");

	if (webmail->flavour->folder == NULL)
		return 0;
	timings_begin(&webmail->probe->timings, "folder");
	return webmail->flavour->folder(webmail, name, why);
}

/* Where the page has no way out that we can take, the session is left to the server. */
static int visit_logout(struct webmail *webmail, struct failure *why)
{
	const struct webmail_flavour *flavour = webmail->flavour;
	char *reference =
		flavour->logout != NULL ? html_text(webmail->page, flavour->logout) : NULL;
	char *url = reference != NULL ? html_url(webmail->page, reference) : NULL;
	int result = 0;

	if (flavour->leave != NULL || (url != NULL && http_same_origin(url, webmail->reply.url))) {
		timings_begin(&webmail->probe->timings, "logout");
		result = flavour->leave != NULL ? flavour->leave(webmail, why)
						: webmail_get(webmail, url, why);
		if (result == 0)
			json_object_set_new(webmail->probe->facts, "logged_out", json_true());
	}
	free(reference);
	free(url);
	return result;
}

static void prove(struct webmail *webmail)
{
	const json_t *record = webmail->probe->facts;
	const char *title = json_string_value(json_object_get(record, "title"));
	const char *folder = json_string_value(json_object_get(record, "folder"));
	char where[320] = "";

	if (folder != NULL)
		snprintf(where, sizeof(where), "; folder %s has %lld messages", folder,
			(long long)json_integer_value(json_object_get(record, "messages")));
	probe_prove(webmail->probe, "%s shows the mailbox of %s%s%s%s%s", webmail->flavour->name,
		webmail->probe->account->username, title != NULL ? " (\"" : "",
		title != NULL ? title : "", title != NULL ? "\")" : "", where);
}

static int visit(struct webmail *webmail, struct failure *why)
{
	struct html_form form = {0};
	int result = visit_page(webmail, &form, why);

	if (result == 0)
		result = visit_login(webmail, &form, why);
	html_form_free(&form);
	if (result == 0)
		result = visit_mailbox(webmail, why);
	if (result == 0)
		result = visit_folder(webmail, why);
	if (result == 0) {
		prove(webmail);
		result = visit_logout(webmail, why);
	}
	return result;
}

/* --- the step --------------------------------------------------------------------------- */

static void name_hosts(const struct webmail_settings *settings, char own[static URL_HOST_SIZE],
	const char *names[static HOSTS_MAX])
{
	json_t *item;
	size_t index, count = 0;

	http_url_host(settings->url, own, URL_HOST_SIZE);
	names[count++] = own;
	json_array_foreach(settings->login_hosts, index, item) if (count < HOSTS_MAX - 1)
		names[count++] = json_string_value(item);
	names[count] = NULL;
}

/* Plain HTTP was the scenario's own idea. */
static void blame(const struct webmail *webmail, struct failure *why)
{
	if (why->type == ERROR_HTTP_POLICY && strncmp(webmail->settings->url, "http:", 5) == 0)
		why->blame = BLAME_CONFIG;
}

static int look_at(struct probe *probe, const struct address *address, struct peer_facts *peer_r,
	struct failure *why)
{
	struct webmail webmail = {.probe = probe, .settings = &probe->account->webmail};
	char own[URL_HOST_SIZE];
	const char *names[HOSTS_MAX];
	int result = -1;

	name_hosts(webmail.settings, own, names);
	webmail.http = probe_http(probe, names, address, why);
	if (webmail.http != NULL)
		result = visit(&webmail, why);
	timings_pause(&probe->timings);
	if (result == -1)
		blame(&webmail, why);
	if (webmail.http != NULL) {
		probe_http_facts(probe->facts, webmail.http);
		*peer_r = *http_peer(webmail.http);
	}
	html_free(&webmail.page);
	http_reply_free(&webmail.reply);
	http_close(&webmail.http);
	return result;
}

/* The step's own facts are those of the node that was met first. */
static int look_at_other(struct probe *probe, const struct address *address,
	struct peer_facts *peer_r, struct failure *why)
{
	json_t *kept = probe->facts;
	int result;

	probe->facts = json_object();
	result = look_at(probe, address, peer_r, why);
	json_decref(probe->facts);
	probe->facts = kept;
	return result;
}

static int look_at_each(struct probe *probe, struct failure *why)
{
	char message[URL_MESSAGE_SIZE];
	struct nodes nodes;
	struct url url;
	int result;

	if (url_parse(probe->account->webmail.url, &url, message) == -1)
		return failure_set(why, ERROR_HTTP_POLICY, "webmail.url: %s", message);
	result = nodes_find(
		probe, &(struct endpoint){.host = url.host, .port = url.port}, &nodes, why);
	if (result == 0)
		result = nodes_first(probe, &nodes, look_at, why);
	if (result == 0)
		nodes_others(probe, &nodes, look_at_other);
	nodes_report(probe, &nodes);
	return result;
}

static int run(struct probe *probe, struct failure *why)
{
	struct peer_facts peer = {0};
	int result;

	/* One refusal is proof enough; more would lock the account. */
	if (nodes_wanted(probe->step) && !refusal_expected(probe->step))
		return look_at_each(probe, why);
	result = look_at(probe, NULL, &peer, why);
	return refusal_judge(probe, result, "the login", why);
}

const struct step_type step_webmail_login = {
	.name = "webmail_login",
	.summary = "log into webmail, see the mailbox, switch folders, log out",
	.fields = fields,
	.facts = facts,
	.phases = phases,
	.account_needs = account_needs,
	.password_only = true,
	.preload = probe_http_preload,
	.run = run,
};
