#include "frame.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "record.h"

#include "ban.h"

#define R FIELD_REQUIRED
#define SMALL ((size_t)64 * 1024)

static const char *const sandbox_states[] = {"full", "partial", "none", NULL};

static const struct field jail_fields[] = {
	{"type", &field_name, R, "jail"},
	{"sandbox", &field_choice, R, "how far it is confined", .choices = sandbox_states},
	{"missing", &field_list, R, "what the kernel did not give", .item = &field_name},
	{0},
};

static const struct field mail_fields[] = {
	{"type", &field_name, R, "intent or state"},
	{"mail", &field_object, R, "the mail as it is now", .fields = record_mail},
	{0},
};

static const struct field recall_fields[] = {
	{"type", &field_name, R, "recall"},
	{"mails", &field_list, R, "ids of mails that a mailbox holds", .item = &field_name},
	{0},
};

static const struct field mails_fields[] = {
	{"type", &field_name, R, "settle or recalled"},
	{"mails", &field_list, R, "the mails", .item = &field_object, .fields = record_mail},
	{0},
};

static const struct field progress_fields[] = {
	{"type", &field_name, R, "progress"},
	{"step", &field_name, R, "the step's id"},
	{"phase", &field_name, R, "the phase it is in"},
	{"note", &field_text, 0, "what it waits for"},
	{"at_seconds", &field_seconds, R, "from the start of the run"},
	{0},
};

static const struct field step_fields[] = {
	{"type", &field_name, R, "step"},
	{"record", &field_object, R, "the step's record: it has ended"},
	{0},
};

static const struct field result_fields[] = {
	{"type", &field_name, R, "result"},
	{"steps", &field_list, R, "all records", .item = &field_object},
	{"mails", &field_list, R, "all mails", .item = &field_object, .fields = record_mail},
	{"vantage_state", &field_object, 0, "how well it measured", .fields = record_vantage},
	{0},
};

static const struct field token_fields[] = {
	{"type", &field_name, R, "token"},
	{"account", &field_name, R, "whose it is"},
	{"access_token", &field_text, R, "to log in with"},
	{"expires_at", &field_timestamp, R, "until then"},
	{"refresh_token", &field_text, 0, "to get the next one with"},
	{"seed", &field_text, 0, "digest of the refresh token that the scenario gave"},
	{0},
};

static const struct field ack_fields[] = {
	{"type", &field_name, R, "ack: it is on disk"},
	{0},
};

static const struct field refusal_fields[] = {
	{"type", &field_name, R, "refusal: the mail must not be sent"},
	{"error_type", &field_choice, R, "why", .choices = error_names},
	{"error", &field_text, R, "in a sentence"},
	{0},
};

static const char *const verdicts[] = {"taken", "later", "refused", NULL};

static const struct field sent_fields[] = {
	{"type", &field_name, R, "sent: an event to a sink"},
	{"row", &field_integer, R, "of the outbox"},
	{"verdict", &field_choice, R, "what became of it", .choices = verdicts},
	{"sentence", &field_text, R, "how it went"},
	{"retry_after_seconds", &field_integer, R, "what the sink asked for; 0: nothing"},
	{0},
};

const struct frame_kind frame_kinds[FRAME_COUNT] = {
	[FRAME_JAIL] = {"jail", jail_fields, SMALL},
	[FRAME_INTENT] = {"intent", mail_fields, SMALL},
	[FRAME_STATE] = {"state", mail_fields, SMALL},
	[FRAME_RECALL] = {"recall", recall_fields, SMALL},
	[FRAME_SETTLE] = {"settle", mails_fields, 16 * SMALL},
	[FRAME_PROGRESS] = {"progress", progress_fields, SMALL},
	[FRAME_STEP] = {"step", step_fields, 4 * SMALL},
	[FRAME_RESULT] = {"result", result_fields, FRAME_MAX},
	[FRAME_TOKEN] = {"token", token_fields, SMALL},
	[FRAME_ACK] = {"ack", ack_fields, SMALL},
	[FRAME_RECALLED] = {"recalled", mails_fields, 2 * SMALL},
	[FRAME_REFUSAL] = {"refusal", refusal_fields, SMALL},
	[FRAME_SENT] = {"sent", sent_fields, SMALL},
};

/* --- writing --------------------------------------------------------------------------- */

int frame_write(struct text *out, enum frame_type type, json_t *body, struct failure *why)
{
	const struct frame_kind *kind = &frame_kinds[type];
	unsigned char header[FRAME_HEADER];
	size_t length;
	char *json;

	json_object_set_new(body, "type", json_string(kind->name));
	json = json_dumps(body, JSON_COMPACT);
	if (json == NULL)
		return failure_set(
			why, ERROR_WORKER_PROTOCOL, "a %s frame cannot be written", kind->name);
	length = strlen(json);
	if (length > kind->cap) {
		free(json);
		return failure_set(why, ERROR_WORKER_PROTOCOL,
			"a %s frame of %zu bytes is over its cap of %zu", kind->name, length,
			kind->cap);
	}
	for (size_t i = 0; i < FRAME_HEADER; i++)
		header[i] = (unsigned char)(length >> (24 - 8 * i));
	text_append(out, (const char *)header, FRAME_HEADER);
	text_append(out, json, length);
	free(json);
	return 0;
}

/* --- parsing --------------------------------------------------------------------------- */

/* Counts before anything is allocated: a few megabytes of "[[],[],..." would become hundreds. */
static int weigh(const char *bytes, size_t length, struct failure *why)
{
	size_t values = 1, depth = 0;
	bool quoted = false;

	for (size_t i = 0; i < length; i++) {
		char c = bytes[i];

		if (quoted) {
			i += c == '\\';
			quoted = c != '"';
			continue;
		}
		quoted = c == '"';
		values += c == ',' || c == '[' || c == '{';
		if (c == '[' || c == '{')
			depth++;
		else if ((c == ']' || c == '}') && depth > 0)
			depth--;
		if (depth > FRAME_DEPTH_MAX)
			return failure_set(why, ERROR_WORKER_PROTOCOL,
				"a frame is nested deeper than %d", FRAME_DEPTH_MAX);
		if (values > FRAME_VALUES_MAX)
			return failure_set(why, ERROR_WORKER_PROTOCOL,
				"a frame holds more than %d values", FRAME_VALUES_MAX);
	}
	return 0;
}

static int find_kind(const json_t *object, enum frame_type *type_r)
{
	const char *name = json_string_value(json_object_get(object, "type"));

	for (enum frame_type type = 0; name != NULL && type < FRAME_COUNT; type++) {
		if (strcmp(frame_kinds[type].name, name) == 0) {
			*type_r = type;
			return 0;
		}
	}
	return -1;
}

/* A worker that was taken over must not reach the terminal with what it says. */
static void make_printable(json_t *value)
{
	struct text text;
	const char *key;
	json_t *item;
	size_t index;

	switch (json_typeof(value)) {
	case JSON_OBJECT:
		json_object_foreach(value, key, item) make_printable(item);
		break;
	case JSON_ARRAY:
		json_array_foreach(value, index, item) make_printable(item);
		break;
	case JSON_STRING:
		text_init(&text, 2 * FRAME_MAX);
		text_printable(&text, json_string_value(value), json_string_length(value));
		if (text.bytes != NULL && strcmp(text.bytes, json_string_value(value)) != 0)
			json_string_setn(value, text.bytes, text.length);
		text_free(&text);
		break;
	case JSON_INTEGER:
	case JSON_REAL:
	case JSON_TRUE:
	case JSON_FALSE:
	case JSON_NULL:
		break;
	}
}

struct complaint_box {
	const char *what;
	struct failure *why;
};

static void complain(void *context, const struct field_complaint *complaint)
{
	struct complaint_box *box = context;
	char text[160];

	/* Of the worker's own making, as the pointer holds its keys. */
	text_printable_copy(text, sizeof(text), complaint->pointer, strlen(complaint->pointer));
	failure_set(
		box->why, ERROR_WORKER_PROTOCOL, "%s: %s %s", box->what, text, complaint->message);
}

static bool has_free_key(const json_t *value)
{
	const char *key;
	json_t *item;
	size_t index;

	json_object_foreach((json_t *)(uintptr_t)value, key, item) if (strncmp(key, "x-", 2) == 0 ||
		key[0] == '$' || has_free_key(item)) return true;
	json_array_foreach(value, index, item) if (has_free_key(item)) return true;
	return false;
}

int frame_check(const struct field *const tables[], const json_t *object, const char *what,
	struct failure *why)
{
	struct complaint_box box = {.what = what, .why = why};
	const struct field_check check = {.complain = complain, .context = &box};

	if (has_free_key(object))
		return failure_set(
			why, ERROR_WORKER_PROTOCOL, "%s: it has keys of its own invention", what);
	return fields_check(tables, object, "", &check) == 0 ? 0 : -1;
}

static json_t *check_frame(
	json_t *object, size_t length, enum frame_type *type_r, struct failure *why)
{
	const struct frame_kind *kind;

	if (find_kind(object, type_r) != 0) {
		failure_set(why, ERROR_WORKER_PROTOCOL, "a frame is of no known type");
		return NULL;
	}
	kind = &frame_kinds[*type_r];
	if (length > kind->cap) {
		failure_set(why, ERROR_WORKER_PROTOCOL,
			"a %s frame of %zu bytes is over its cap of %zu", kind->name, length,
			kind->cap);
		return NULL;
	}
	make_printable(object);
	if (frame_check((const struct field *const[]){kind->fields, NULL}, object, kind->name,
		    why) != 0)
		return NULL;
	return object;
}

json_t *frame_parse(const char *bytes, size_t length, enum frame_type *type_r, struct failure *why)
{
	json_error_t error;
	json_t *object, *checked;

	if (weigh(bytes, length, why) != 0)
		return NULL;
	object = json_loadb(bytes, length, JSON_REJECT_DUPLICATES, &error);
	if (object == NULL) {
		failure_set(why, ERROR_WORKER_PROTOCOL, "a frame is not JSON");
		return NULL;
	}
	checked = check_frame(object, length, type_r, why);
	if (checked == NULL)
		json_decref(object);
	return checked;
}

/* --- reading --------------------------------------------------------------------------- */

#define FILL_SIZE SMALL

void frame_reader_free(struct frame_reader *reader)
{
	free(reader->bytes);
	*reader = (struct frame_reader){0};
}

/* Room for FILL_SIZE more; what was taken makes way. */
static bool make_room(struct frame_reader *reader)
{
	size_t held = reader->end - reader->begin, want = held + FILL_SIZE, capacity;
	char *bytes;

	if (reader->begin > 0) {
		memmove(reader->bytes, reader->bytes + reader->begin, held);
		reader->begin = 0;
		reader->end = held;
	}
	/* A large frame's buffer is given back after it. */
	if (want <= reader->capacity && (reader->capacity <= 8 * FILL_SIZE || held > 0))
		return true;
	for (capacity = FILL_SIZE; capacity < want; capacity *= 2)
		;
	bytes = realloc(reader->bytes, capacity);
	if (bytes == NULL)
		return false;
	reader->bytes = bytes;
	reader->capacity = capacity;
	return true;
}

enum frame_fill frame_fill(struct frame_reader *reader, int fd)
{
	ssize_t got;

	if (!make_room(reader))
		return FRAME_END;
	do {
		got = recv(fd, reader->bytes + reader->end, FILL_SIZE, MSG_DONTWAIT);
	} while (got == -1 && errno == EINTR);
	if (got == -1)
		return errno == EAGAIN ? FRAME_NOTHING : FRAME_END;
	reader->end += (size_t)got;
	return got == 0 ? FRAME_END : FRAME_FILLED;
}

static size_t read_length(const char *at)
{
	size_t length = 0;

	for (size_t i = 0; i < FRAME_HEADER; i++)
		length = length << 8 | (unsigned char)at[i];
	return length;
}

int frame_next(
	struct frame_reader *reader, json_t **frame_r, enum frame_type *type_r, struct failure *why)
{
	size_t held = reader->end - reader->begin, length;
	const char *at;

	if (held < FRAME_HEADER)
		return 0;
	at = reader->bytes + reader->begin;
	length = read_length(at);
	if (length > FRAME_MAX)
		return failure_set(why, ERROR_WORKER_PROTOCOL,
			"a frame of %zu bytes is over the cap of %zu", length, FRAME_MAX);
	if (held - FRAME_HEADER < length)
		return 0;
	*frame_r = frame_parse(at + FRAME_HEADER, length, type_r, why);
	if (*frame_r == NULL)
		return -1;
	reader->begin += FRAME_HEADER + length;
	return 1;
}
