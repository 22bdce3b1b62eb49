/* The list of sink types, made by the build from sink_types in meson.build, and what they share. */
#include "sink.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ban.h"

#define SINK(name) extern const struct sink_type sink_##name;
#include "sink_list.h"
#undef SINK

const struct sink_type *const sink_types[] = {
#define SINK(name) &sink_##name,
#include "sink_list.h"
#undef SINK
	NULL,
};

const struct field sink_common_fields[] = {
	{"name", &field_name, FIELD_REQUIRED, "name of the sink; its queue goes by it"},
	{"timeout", &field_duration, 0, "how long one delivery may take; at most 5m", "\"10s\""},
	{0},
};

const struct sink_type *sink_type_find(const char *name)
{
	for (size_t i = 0; sink_types[i] != NULL; i++)
		if (strcmp(sink_types[i]->name, name) == 0)
			return sink_types[i];
	return NULL;
}

bool sink_is_program(const struct sink *sink)
{
	return sink->type->compose == NULL && sink->type->bring == NULL;
}

const char *sink_string(const struct sink *sink, const char *name)
{
	return json_string_value(json_object_get(sink->config, name));
}

int64_t sink_duration(const struct sink *sink, const char *name)
{
	const char *text = sink_string(sink, name);
	int64_t ns;

	return text != NULL && duration_parse(text, &ns) ? ns : 0;
}

const char *sink_secret(const struct sink_event *event, const char *name)
{
	const struct sink_secret *secret = event->secrets;

	for (; secret != NULL && secret->name != NULL; secret++)
		if (strcmp(secret->name, name) == 0)
			return secret->value;
	return NULL;
}

void sink_header(struct sink_request *request, const char *format, ...)
{
	va_list args;

	if (request->header_count == SINK_HEADERS_MAX)
		abort();
	va_start(args, format);
	vsnprintf(request->headers[request->header_count++], SINK_HEADER_SIZE, format, args);
	va_end(args);
}

void sink_body(struct sink_request *request, json_t *object)
{
	char *text = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(15));

	if (text != NULL)
		text_puts(&request->body, text);
	free(text);
	json_decref(object);
}

const char *event_string(const json_t *event, const char *key)
{
	const char *value = json_string_value(json_object_get(event, key));

	return value != NULL ? value : "";
}

const char *event_vantage(const json_t *event)
{
	const char *name = json_string_value(json_array_get(json_object_get(event, "vantages"), 0));

	return name != NULL ? name : "";
}

const char *event_rule(const json_t *event)
{
	const char *key = event_string(event, "dedup_key"), *slash = strrchr(key, '/');

	return slash != NULL ? slash + 1 : key;
}

bool event_is(const json_t *event, const char *state)
{
	return strcmp(event_string(event, "state"), state) == 0;
}

const json_t *event_new_note(const json_t *event)
{
	const json_t *notes = json_object_get(event, "notes");
	const json_t *newest = json_array_get(notes, json_array_size(notes) - 1);

	return newest != NULL && strcmp(event_string(newest, "at"), event_string(event, "at")) == 0
		? newest
		: NULL;
}
