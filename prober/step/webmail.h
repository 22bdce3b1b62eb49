/* webmail - one visit to a webmail: its session, the page that is shown, and what it must be. */
#ifndef MAILPROBE_WEBMAIL_H
#define MAILPROBE_WEBMAIL_H

#include "html.h"
#include "http.h"
#include "probe.h"
#include "url.h"
#include "webmail_flavour.h"

struct webmail {
	struct probe *probe;
	const struct webmail_settings *settings;
	struct http *http;
	const struct webmail_flavour *flavour;
	struct http_reply reply; /* of the newest page */
	struct html *page;       /* the same, parsed */
	char token[256];         /* of scripted webmails: against request forgery */
	char user[256];          /* of scripted webmails: part of later URLs */
};

/* Gets or posts a page and shows it: it takes the place of the one before. Any status. */
int webmail_show(struct webmail *webmail, const struct http_request *request, struct failure *why);
int webmail_get(struct webmail *webmail, const char *url, struct failure *why);

/* Asks a script's question and hands over its answer, a new reference. web.content if that is no
 * JSON object. */
json_t *webmail_ask(struct webmail *webmail, const struct http_request *request, int *status_r,
	struct failure *why);

/* Fails with http.policy unless the scenario names the URL's host as one to log in at. */
int webmail_check_host(const struct webmail *webmail, const char *url, struct failure *why);

/* Finds the page's flavour, unless the scenario says it. */
const struct webmail_flavour *webmail_detect(const struct webmail *webmail);

/* What is wrong with a page that should offer a login. */
int webmail_refuse_login_page(const struct webmail *webmail, struct failure *why);
/* A captcha or a second factor: web.challenge. 0 if there is none. */
int webmail_check_challenge(const struct webmail *webmail, bool before_login, struct failure *why);
/* Whether the page is this user's mailbox: 0, or why not. */
int webmail_judge(struct webmail *webmail, struct failure *why);

/* The words that a server gave for a refusal or an error, fit to be shown; or "". */
void webmail_words(const struct webmail *webmail, char *text, size_t size);

/* Credentials were refused: auth.rejected with the server's words. */
int webmail_rejected(const struct webmail *webmail, const char *words, struct failure *why);

/* Text behind a marker in the page's scripts up to the next quote: false if there is none. */
bool webmail_script_value(
	const struct webmail *webmail, const char *marker, char *value, size_t size);

/* How many messages the folder has, for the record. */
void webmail_note_folder(struct webmail *webmail, const char *name, json_int_t messages);

/* --- webmail_script.c: logins that are made by scripts ----------------------------------- */

int sogo_login(struct webmail *webmail, struct failure *why);
int sogo_mailbox(struct webmail *webmail, struct failure *why);
int sogo_folder(struct webmail *webmail, const char *name, struct failure *why);
int snappymail_login(struct webmail *webmail, struct failure *why);
int snappymail_folder(struct webmail *webmail, const char *name, struct failure *why);
int snappymail_leave(struct webmail *webmail, struct failure *why);
int rainloop_login(struct webmail *webmail, struct failure *why);
int rainloop_leave(struct webmail *webmail, struct failure *why);
/* webmail_roundcube.c */
int roundcube_folder(struct webmail *webmail, const char *name, struct failure *why);

#endif
