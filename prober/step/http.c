/* http - any web flow in the scenario's own words: requests one after the other, what each answer
 * must be, and what is taken from it for the next. Cookies are kept from one to the next. The proof
 * is that every answer was as expected. Changes what the requests change. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http_step.h"
#include "probe_http.h"
#include "step.h"
#include "url.h"

#include "ban.h"

#define REQUESTS_MAX 100
#define HEADERS_MAX 32

/* --- settings --------------------------------------------------------------------------- */

/* Absolute, or relative to the answer before. */
static bool check_target(
	const struct field *field, const json_t *value, char must_be[static FIELD_MESSAGE_SIZE])
{
	const char *text = json_string_value(value);

	if (text[0] == '/' || text[0] == '?' || strncmp(text, "{{", 2) == 0)
		return text_breaks_line(text, strlen(text)) == false;
	return field_http_url.check(field, value, must_be);
}

static void hint_target(
	const struct field *field, const json_t *value, char hint[static FIELD_MESSAGE_SIZE])
{
	field_http_url.hint(field, value, hint);
}

static json_t *schema_target(const struct field *field)
{
	(void)field;
	return json_pack("{s:s, s:s}", "type", "string", "pattern", "^(https?://|/|[?]|\\{\\{)");
}

static const struct field_kind field_target = {
	.name = "https://HOST[:PORT]/PATH, or /PATH or {{name}} after an earlier request",
	.types = FIELD_STRING,
	.check = check_target,
	.hint = hint_target,
	.schema = schema_target,
};

static bool check_form(
	const struct field *field, const json_t *value, char must_be[static FIELD_MESSAGE_SIZE])
{
	const char *key;
	json_t *item;

	(void)field;
	(void)must_be;
	json_object_foreach((json_t *)(uintptr_t)value, key,
		item) if (!json_is_string(item) && !json_is_number(item)) return false;
	return true;
}

static json_t *schema_form(const struct field *field)
{
	(void)field;
	return json_pack("{s:s, s:{s:[s, s]}}", "type", "object", "additionalProperties", "type",
		"string", "number");
}

static const struct field_kind field_form = {
	.name = "a map of the form's fields to texts or numbers",
	.types = FIELD_OBJECT,
	.check = check_form,
	.schema = schema_form,
};

static json_t *schema_any(const struct field *field)
{
	(void)field;
	return json_object();
}

static const struct field_kind field_any = {
	.name = "any value",
	.types = FIELD_STRING | FIELD_INTEGER | FIELD_REAL | FIELD_TRUTH | FIELD_OBJECT |
		FIELD_ARRAY,
	.schema = schema_any,
};

static json_t *schema_body(const struct field *field)
{
	(void)field;
	return json_pack("{s:s}", "type", "string");
}

static const struct field_kind field_body = {
	.name = "a string",
	.types = FIELD_STRING,
	.schema = schema_body,
};

static const char *const methods[] = {
	"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "REPORT", NULL};

static const struct field request_fields[] = {
	{"method", &field_choice, 0, "GET if left out, POST with form, json or body",
		.choices = methods},
	{"url", &field_target, FIELD_REQUIRED, "where to; after the first request also /path"},
	{"headers", &field_map, 0, "headers of the request", .item = &field_text},
	{"form", &field_form, 0, "fields of a form, sent as a browser does"},
	{"json", &field_any, 0, "a value to send as JSON"},
	{"body", &field_body, 0, "a body as it is; its Content-Type is among the headers"},
	{"redirects", &field_bool, 0, "follow redirects; true if left out"},
	{"expect", &field_object, 0, "what the answer must be", .fields = expect_fields},
	{"capture", &field_map, 0, "what later requests use as {{name}}", .item = &field_object,
		.fields = capture_fields},
	{0},
};

static const struct field fields[] = {
	{"account", &field_account, 0,
		"account for {{username}}, {{password}} and {{address}}, and for its connection "
		"settings"},
	{"requests", &field_list, FIELD_REQUIRED, "requests, in order", .item = &field_object,
		.fields = request_fields},
	{0},
};

static const struct field facts[] = {
	{"status", &field_integer, 0, "of the last answer"},
	{"first_byte_seconds", &field_seconds, FIELD_METRIC, "of the last answer"},
	{"captured", &field_list, 0, "names of what was taken from answers", .item = &field_text},
	HTTP_FACTS,
	{0},
};

static const char *const phases[] = {"requests", NULL};

/* --- before anything is sent ------------------------------------------------------------ */

static int complain(struct failure *why, size_t index, const char *what)
{
	failure_set(why, ERROR_HTTP_EXPECT, "request %zu %s", index + 1, what);
	why->blame = BLAME_CONFIG;
	return -1;
}

static int check_captures(const json_t *request, size_t index, struct failure *why)
{
	const char *name;
	json_t *how;

	json_object_foreach(json_object_get(request, "capture"), name,
		how) if (json_object_size(how) != 1) return complain(why, index,
		"must capture each value by one of xpath, json, regex and header");
	return 0;
}

static int check_one(
	const json_t *request, size_t index, const struct values *values, struct failure *why)
{
	const char *url = json_string_value(json_object_get(request, "url"));
	char *unknown = template_unknown(values, request);
	int bodies = (json_object_get(request, "form") != NULL) +
		(json_object_get(request, "json") != NULL) +
		(json_object_get(request, "body") != NULL);
	char text[160];

	if (unknown != NULL) {
		snprintf(text, sizeof(text), "uses {{%.60s}}, which no earlier request captures",
			unknown);
		free(unknown);
		return complain(why, index, text);
	}
	if (bodies > 1)
		return complain(why, index, "has more than one of form, json and body");
	if (index == 0 && url[0] != 'h')
		return complain(why, index, "must name its host: nothing was asked before it");
	return check_captures(request, index, why);
}

/* A mistake in the last request must not cost the first ones. */
static int check_all(const struct probe *probe, const json_t *requests, struct failure *why)
{
	struct values values = {probe->account, probe->password, json_object()};
	int result = json_array_size(requests) <= REQUESTS_MAX
		? 0
		: complain(why, REQUESTS_MAX, "is one too many");
	json_t *request, *how;
	const char *name;
	size_t index;

	json_array_foreach((json_t *)(uintptr_t)requests, index, request)
	{
		if (result == 0)
			result = check_one(request, index, &values, why);
		json_object_foreach(json_object_get(request, "capture"), name, how)
			json_object_set_new(values.captured, name, json_string(""));
	}
	json_decref(values.captured);
	return result;
}

/* Hosts that the scenario names may be anywhere; a captured one may not. */
static char **name_hosts(const json_t *requests)
{
	char **hosts = calloc(json_array_size(requests) + 1, sizeof(*hosts));
	size_t index, count = 0;
	json_t *request;

	json_array_foreach((json_t *)(uintptr_t)requests, index, request)
	{
		const char *url = json_string_value(json_object_get(request, "url"));
		struct url parsed;
		char message[URL_MESSAGE_SIZE];

		if (hosts != NULL && url_parse(url, &parsed, message) == 0)
			hosts[count++] = strdup(parsed.host);
	}
	return hosts;
}

static void free_hosts(char **hosts)
{
	for (size_t i = 0; hosts != NULL && hosts[i] != NULL; i++)
		free(hosts[i]);
	free(hosts);
}

/* --- one request ------------------------------------------------------------------------ */

/* What libcurl gets, and what of it is ours to free and to wipe. */
struct filled {
	char *url;
	char *headers[HEADERS_MAX + 1];
	size_t header_count;
	char *body;
	const char *type;
	bool secret;
};

static void wipe(char *text)
{
	if (text != NULL)
		explicit_bzero(text, strlen(text));
	free(text);
}

static void filled_free(struct filled *filled)
{
	wipe(filled->url);
	wipe(filled->body);
	for (size_t i = 0; i < filled->header_count; i++)
		wipe(filled->headers[i]);
}

static void fill_headers(const struct values *values, const json_t *request, struct filled *filled)
{
	const char *name;
	json_t *value;

	json_object_foreach(json_object_get(request, "headers"), name, value)
	{
		struct text line;
		char *text;

		if (filled->header_count == HEADERS_MAX)
			return;
		text_init(&line, (size_t)1 << 16);
		text_printf(&line, "%s: %s", name, json_string_value(value));
		text = template_fill(values, line.bytes, TEMPLATE_PLAIN, &filled->secret);
		text_free(&line);
		if (text != NULL)
			filled->headers[filled->header_count++] = text;
	}
}

static char *encode_form(const json_t *form)
{
	struct text body;
	const char *name;
	json_t *value;
	char *copy;

	text_init(&body, (size_t)1 << 20);
	json_object_foreach((json_t *)(uintptr_t)form, name, value)
	{
		char *number = json_is_string(value) ? NULL : json_dumps(value, JSON_ENCODE_ANY);

		http_form_add(&body, name,
			number != NULL                  ? number
				: json_is_string(value) ? json_string_value(value)
							: "");
		free(number);
	}
	copy = strdup(body.bytes != NULL ? body.bytes : "");
	if (body.bytes != NULL)
		explicit_bzero(body.bytes, body.length);
	text_free(&body);
	return copy;
}

static void fill_body(const struct values *values, const json_t *request, struct filled *filled)
{
	const json_t *form = json_object_get(request, "form");
	const json_t *json = json_object_get(request, "json");
	const char *body = json_string_value(json_object_get(request, "body"));
	json_t *tree = template_fill_json(values, form != NULL ? form : json, &filled->secret);

	if (form != NULL) {
		filled->type = "application/x-www-form-urlencoded";
		filled->body = encode_form(tree);
	} else if (json != NULL) {
		filled->type = "application/json";
		filled->body = json_dumps(tree, JSON_ENCODE_ANY | JSON_COMPACT);
	} else if (body != NULL) {
		filled->type = "text/plain; charset=utf-8";
		filled->body = template_fill(values, body, TEMPLATE_PLAIN, &filled->secret);
	}
	json_decref(tree);
}

static int fill_url(const struct values *values, const json_t *request, const char *base,
	struct filled *filled, struct failure *why)
{
	char *reference = template_fill(values, json_string_value(json_object_get(request, "url")),
		TEMPLATE_URL, &filled->secret);

	if (reference != NULL && !text_breaks_line(reference, strlen(reference)))
		filled->url = http_url_join(base[0] != '\0' ? base : reference, reference);
	wipe(reference);
	if (filled->url != NULL)
		return 0;
	return failure_set(why, ERROR_HTTP_POLICY, "the URL of the request is none of a web page");
}

/* A Content-Type among the headers is the author's own. */
static bool names_type(const struct filled *filled)
{
	for (size_t i = 0; i < filled->header_count; i++)
		if (strncasecmp(filled->headers[i], "Content-Type:", 13) == 0)
			return true;
	return false;
}

struct run {
	struct probe *probe;
	struct http *http;
	struct values values;
	char *at; /* the URL of the last answer; "" before */
};

static int judge(struct run *run, const json_t *request, const struct http_reply *reply,
	double seconds, struct failure *why)
{
	struct answer answer = {
		.reply = reply, .deadline = run->probe->deadline, .seconds = seconds};
	int result = expect_check(&answer, &run->values, json_object_get(request, "expect"), why);

	if (result == 0)
		result = expect_capture(
			&answer, json_object_get(request, "capture"), run->values.captured, why);
	answer_free(&answer);
	json_object_set_new(run->probe->facts, "status", json_integer(reply->status));
	json_object_set_new(
		run->probe->facts, "first_byte_seconds", json_real(reply->first_byte_seconds));
	return result;
}

static int send_filled(
	struct run *run, const json_t *request, const struct filled *filled, struct failure *why)
{
	const char *method = json_string_value(json_object_get(request, "method"));
	int64_t began = clock_now();
	struct http_reply reply;
	int result;

	if (method == NULL)
		method = filled->body != NULL ? "POST" : "GET";
	if (http_fetch(run->http,
		    &(struct http_request){.method = method,
			    .url = filled->url,
			    .headers = (const char *const *)filled->headers,
			    .body = filled->body,
			    .body_length = filled->body != NULL ? strlen(filled->body) : 0,
			    .content_type = names_type(filled) ? NULL : filled->type,
			    .secret = filled->secret,
			    .keep_redirect = json_is_false(json_object_get(request, "redirects")),
			    .deadline = run->probe->deadline},
		    &reply, why) == -1)
		return -1;
	result = judge(run, request, &reply, clock_seconds(clock_now() - began), why);
	free(run->at);
	run->at = reply.url;
	reply.url = NULL;
	http_reply_free(&reply);
	return result;
}

static int perform(struct run *run, const json_t *request, size_t index, struct failure *why)
{
	struct filled filled = {0};
	int result = fill_url(&run->values, request, run->at, &filled, why);

	if (result == 0) {
		fill_headers(&run->values, request, &filled);
		fill_body(&run->values, request, &filled);
		result = send_filled(run, request, &filled, why);
	}
	filled_free(&filled);
	if (result == -1 &&
		json_array_size(json_object_get(run->probe->step->config, "requests")) > 1)
		failure_prefix(why, "request %zu", index + 1);
	return result;
}

/* --- the step --------------------------------------------------------------------------- */

static void note_captured(const struct run *run)
{
	json_t *names = json_array(), *value;
	const char *name;

	json_object_foreach(run->values.captured, name, value)
		json_array_append_new(names, json_string(name));
	if (json_array_size(names) > 0)
		json_object_set(run->probe->facts, "captured", names);
	json_decref(names);
}

static int perform_all(struct run *run, const json_t *requests, struct failure *why)
{
	json_t *request;
	size_t index;

	timings_begin(&run->probe->timings, "requests");
	json_array_foreach((json_t *)(uintptr_t)requests, index,
		request) if (perform(run, request, index, why) == -1) return -1;
	probe_prove(run->probe, "%zu request%s answered as expected", json_array_size(requests),
		json_array_size(requests) == 1 ? "" : "s");
	return 0;
}

static int run(struct probe *probe, struct failure *why)
{
	const json_t *requests = json_object_get(probe->step->config, "requests");
	struct run run = {.probe = probe,
		.values = {probe->account, probe->password, json_object()},
		.at = strdup("")};
	char **hosts = name_hosts(requests);
	int result = check_all(probe, requests, why);

	if (result == 0)
		run.http = probe_http(probe, (const char *const *)hosts, NULL, why);
	if (run.http != NULL)
		result = perform_all(&run, requests, why);
	else
		result = -1;
	timings_pause(&probe->timings);
	if (run.http != NULL)
		probe_http_facts(probe->facts, run.http);
	note_captured(&run);
	http_close(&run.http);
	json_decref(run.values.captured);
	free_hosts(hosts);
	free(run.at);
	return result;
}

const struct step_type step_http = {
	.name = "http",
	.summary = "make requests of your own, and check the answers",
	.fields = fields,
	.facts = facts,
	.phases = phases,
	.preload = probe_http_preload,
	.run = run,
};
