/* Checks the sinks of a draft, each by the table of its type. */
#include <stdio.h>
#include <string.h>

#include "draft.h"
#include "sink.h"
#include "syslog_line.h"
#include "text.h"
#include "url.h"

#include "ban.h"

#define TIMEOUT_MAX (INT64_C(300) * NS_PER_SECOND)

struct look {
	struct draft *draft;
	const json_t *sinks;
	const json_t *settings;
	const char *pointer; /* of the settings */
	size_t index;
};

static void complain(const struct look *look, const char *key, const char *code,
	const char *message, const char *hint)
{
	char pointer[256];
	const struct remark remark = {
		.pointer = pointer, .spot = FIELD_AT_VALUE, .code = code, .hint = hint};

	snprintf(pointer, sizeof(pointer), "%s%s%s", look->pointer, key[0] != '\0' ? "/" : "", key);
	draft_complain(look->draft, &remark, "%s", message);
}

static void complain_unknown(const struct look *look, const char *name)
{
	const char *names[64];
	size_t count = 0;
	char hint[FIELD_MESSAGE_SIZE];
	const struct remark remark = {.pointer = look->pointer,
		.spot = FIELD_AT_KEY,
		.code = "unknown-sink",
		.hint = hint};

	for (; count < 63 && sink_types[count] != NULL; count++)
		names[count] = sink_types[count]->name;
	names[count] = NULL;
	text_copy(hint, sizeof(hint), "there are");
	for (size_t i = 0; i < count; i++) {
		size_t used = strlen(hint);

		snprintf(hint + used, sizeof(hint) - used, "%s %s", i > 0 ? "," : "", names[i]);
	}
	draft_complain(look->draft, &remark, "there is no sink type \"%.100s\"", name);
}

/* What an event says is nobody else's business. */
static void check_url(const struct look *look, const char *key)
{
	const char *text = json_string_value(json_object_get(look->settings, key));
	char message[URL_MESSAGE_SIZE];
	struct url url;

	if (text == NULL || url_parse(text, &url, message) == -1 || url.implicit_tls)
		return;
	if (strncmp(url.host, "127.", 4) != 0 && strcmp(url.host, "::1") != 0 &&
		strcmp(url.host, "localhost") != 0)
		complain(look, key, "sink", "events would go there without TLS",
			strcmp(url.scheme, "tcp") == 0
				? "tls://, or tcp:// to this machine itself (127.0.0.1)"
				: "https://, or http:// to this machine itself (127.0.0.1)");
}

static void check_fields(const struct look *look, const struct field *field)
{
	for (; field->name != NULL; field++)
		if (field->kind == &field_http_url || field->kind == &field_syslog_url)
			check_url(look, field->name);
		else if (field->kind == &field_secret)
			draft_warn_inline(
				look->draft, look->pointer, look->settings, field->name, "secret");
}

static void check_program(const struct look *look)
{
	const json_t *words = json_object_get(look->settings, "run");
	const char *program = json_string_value(json_array_get(words, 0));

	if (json_is_array(words) && (program == NULL || program[0] != '/'))
		complain(look, "run", "sink", "the program needs its absolute path",
			"run: [/usr/local/bin/heal, --gently]");
}

static const char *setting(const struct look *look, const char *key)
{
	return json_string_value(json_object_get(look->settings, key));
}

/* Who is shown a certificate of ours asks for it in TLS, and for its key. */
static void check_certificate(const struct look *look)
{
	bool certificate = json_object_get(look->settings, SINK_CLIENT_CERTIFICATE) != NULL;
	bool key = json_object_get(look->settings, SINK_CLIENT_KEY) != NULL;
	const char *shown = certificate ? SINK_CLIENT_CERTIFICATE : SINK_CLIENT_KEY;
	const char *url = setting(look, "url");

	if (certificate != key)
		complain(look, shown, "sink", "a client's certificate and its key go together",
			"give both client_certificate and client_key");
	else if (certificate && (url == NULL || strncmp(url, "tls:", 4) != 0))
		complain(look, shown, "sink", "a certificate is shown over TLS only",
			"url: tls://HOST");
}

static void check_syslog(const struct look *look)
{
	const char *path = setting(look, "socket"), *host = setting(look, "hostname");

	check_certificate(look);
	if (path != NULL && setting(look, "url") != NULL)
		complain(look, "socket", "sink", "it goes to a server or to a socket, not to both",
			"leave out url or socket");
	else if (path != NULL && path[0] != '/')
		complain(look, "socket", "sink", "the socket needs its absolute path",
			"socket: /dev/log");
	if (host != NULL && !syslog_is_host(host))
		complain(look, "hostname", "sink", "this is no HOSTNAME of syslog",
			"1 to 255 characters of ASCII without blanks (RFC 5424, 6)");
}

static void check_name(const struct look *look)
{
	const char *name = json_string_value(json_object_get(look->settings, "name"));

	for (size_t i = 0; i < look->index && name != NULL; i++) {
		json_t *item = json_array_get(look->sinks, i);
		const json_t *other = json_object_iter_value(json_object_iter(item));
		const char *taken = json_string_value(json_object_get(other, "name"));

		if (taken != NULL && strcmp(name, taken) == 0) {
			complain(look, "name", "sink", "another sink has this name already",
				"queues are told apart by it");
			return;
		}
	}
}

static void check_sink(struct look *look, const char *name)
{
	const struct sink_type *type = sink_type_find(name);
	const struct field *const tables[] = {
		type != NULL ? type->fields : sink_common_fields, sink_common_fields, NULL};
	const struct field_check check = {.complain = draft_complain_field, .context = look->draft};

	if (type == NULL) {
		complain_unknown(look, name);
		return;
	}
	if (fields_check(tables, look->settings, look->pointer, &check) > 0 ||
		!json_is_object(look->settings))
		return;
	fields_default(tables, (json_t *)(uintptr_t)look->settings);
	check_name(look);
	check_fields(look, type->fields);
	check_program(look);
	if (strcmp(name, "syslog") == 0)
		check_syslog(look);
	if (draft_duration(look->settings, "timeout") > TIMEOUT_MAX)
		complain(look, "timeout", "sink", "a delivery may take 5m at most", NULL);
}

void draft_check_sinks(struct draft *draft)
{
	const json_t *sinks = json_object_get(draft->tree, "sinks");
	json_t *item;
	size_t index;

	json_array_foreach(sinks, index, item)
	{
		const char *name = json_object_iter_key(json_object_iter(item));
		struct look look = {.draft = draft, .sinks = sinks, .index = index};
		struct text pointer;

		if (!json_is_object(item) || json_object_size(item) != 1)
			continue;
		text_init(&pointer, 4096);
		text_printf(&pointer, "/sinks/%zu", index);
		field_pointer_push(&pointer, name);
		look.pointer = pointer.bytes;
		look.settings = json_object_get(item, name);
		check_sink(&look, name);
		text_free(&pointer);
	}
}
