/* Roundcube: a click on a folder asks for its list, and the answer is a script's. */
#include "webmail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ban.h"

/* Another folder than the one that is shown already: the first that the page knows. */
static char *other_folder(const struct webmail *webmail)
{
	static const char marker[] = "\"mailboxes\":";
	const char *at = webmail->reply.body.bytes != NULL
		? strstr(webmail->reply.body.bytes, marker)
		: NULL;
	json_t *folders, *folder;
	const char *name;
	char *chosen = NULL;

	if (at == NULL)
		return NULL;
	folders = json_loads(at + strlen(marker), JSON_DISABLE_EOF_CHECK, NULL);
	json_object_foreach(folders, name, folder) if (chosen == NULL &&
		strcasecmp(name, "INBOX") != 0 && !json_is_true(json_object_get(folder, "virtual")))
		chosen = strdup(name);
	json_decref(folders);
	return chosen;
}

/* Where IMAP has said no, an empty list comes with this.display_message("...","error"). */
static bool error_shown(const char *script, char *words, size_t size)
{
	static const char begin[] = "display_message(\"", end[] = "\",\"error\"";
	const char *at = script;

	while ((at = strstr(at, begin)) != NULL) {
		const char *text = at + sizeof(begin) - 1;
		size_t length = strcspn(text, "\"");

		while (text[length] == '"' && length > 0 && text[length - 1] == '\\')
			length += 1 + strcspn(text + length + 1, "\"");
		if (strncmp(text + length, end, sizeof(end) - 1) == 0) {
			text_printable_copy(words, size, text, length);
			return true;
		}
		at = text;
	}
	return false;
}

static int check_list(struct webmail *webmail, const char *name, const json_t *answer, int status,
	struct failure *why)
{
	const json_t *count = json_object_get(json_object_get(answer, "env"), "messagecount");
	const char *script = json_string_value(json_object_get(answer, "exec"));
	char words[200];

	if (script != NULL && error_shown(script, words, sizeof(words)))
		return failure_set(why, ERROR_WEB_CONTENT,
			"the webmail cannot show the folder %s: \"%s\"", name, words);
	if (status == 200 && json_is_integer(count) && script != NULL &&
		strstr(script, "set_rowcount") != NULL) {
		webmail_note_folder(webmail, name, json_integer_value(count));
		return 0;
	}
	if (script != NULL && strstr(script, "session_error") != NULL)
		return failure_set(why, ERROR_WEB_CONTENT,
			"the session was dropped when the folder was to be shown");
	return failure_set(why, ERROR_WEB_CONTENT,
		"the answer to the switch of folders lists no messages (status %d)", status);
}

static int list(struct webmail *webmail, const char *name, struct failure *why)
{
	char header[300];
	const char *const headers[] = {"X-Requested-With: XMLHttpRequest", header, NULL};
	struct text query;
	char *url;
	json_t *answer = NULL;
	int status = 0, result = -1;

	text_init(&query, 2048);
	text_puts(&query, "?_task=mail&_action=list&_remote=1");
	http_form_add(&query, "_mbox", name);
	url = http_url_join(webmail->reply.url, query.bytes);
	snprintf(header, sizeof(header), "X-Roundcube-Request: %s", webmail->token);
	if (url != NULL)
		answer = webmail_ask(webmail,
			&(struct http_request){.url = url, .headers = headers}, &status, why);
	if (answer != NULL)
		result = check_list(webmail, name, answer, status, why);
	json_decref(answer);
	text_free(&query);
	free(url);
	return result;
}

int roundcube_folder(struct webmail *webmail, const char *name, struct failure *why)
{
	char *other = name == NULL ? other_folder(webmail) : NULL;
	int result;

	if (!webmail_script_value(
		    webmail, "\"request_token\":\"", webmail->token, sizeof(webmail->token)))
		webmail->token[0] = '\0';
	result = list(webmail, name != NULL ? name : other != NULL ? other : "INBOX", why);
	free(other);
	return result;
}
