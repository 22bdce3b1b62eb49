/* Checks what no table can know of a draft's maintenance: that each has one form of time. */
#include <stdio.h>
#include <string.h>

#include "calendar.h"
#include "draft.h"
#include "error_type.h"
#include "text.h"

#include "ban.h"

struct look {
	const struct draft *draft;
	const json_t *maintenance;
	size_t index;
};

static void complain(const struct look *look, const char *key, const char *code,
	const char *message, const char *hint)
{
	char pointer[128];
	const struct remark remark = {
		.pointer = pointer, .spot = FIELD_AT_VALUE, .code = code, .hint = hint};

	snprintf(pointer, sizeof(pointer), "/maintenance/%zu%s%s", look->index,
		key[0] != '\0' ? "/" : "", key);
	draft_complain(look->draft, &remark, "%s", message);
}

static bool has(const struct look *look, const char *key)
{
	return json_object_get(look->maintenance, key) != NULL;
}

static const char *string(const struct look *look, const char *key)
{
	return json_string_value(json_object_get(look->maintenance, key));
}

void draft_calendar_hint(
	const struct draft *draft, const char *wrong, char hint[static FIELD_MESSAGE_SIZE])
{
	const char *names[128], *nearest, *name;
	size_t count = 0;
	json_t *calendar;

	json_object_foreach(json_object_get(draft->tree, "calendars"), name, calendar)
		if (count < 127)
			names[count++] = name;
	names[count] = NULL;
	nearest = text_nearest(wrong, names);
	if (nearest != NULL)
		snprintf(hint, FIELD_MESSAGE_SIZE, "did you mean \"%s\"?", nearest);
	else
		text_copy(hint, FIELD_MESSAGE_SIZE, "it is one of \"calendars\"");
}

bool draft_has_calendar(const struct draft *draft, const char *name)
{
	return json_object_get(json_object_get(draft->tree, "calendars"), name) != NULL;
}

static void check_calendar(const struct look *look)
{
	const char *name = string(look, "calendar");
	char hint[FIELD_MESSAGE_SIZE];

	if (name == NULL || draft_has_calendar(look->draft, name))
		return;
	draft_calendar_hint(look->draft, name, hint);
	complain(look, "calendar", "unknown-calendar", "there is no calendar of this name", hint);
}

static void check_times(const struct look *look)
{
	int64_t from, to;

	if (has(look, "from") != has(look, "to")) {
		complain(look, has(look, "from") ? "from" : "to", "maintenance",
			"a time that comes once has both an end and a beginning",
			"add \"to\", or \"from\"");
		return;
	}
	if (has(look, "from") && string(look, "from") != NULL && string(look, "to") != NULL &&
		moment_parse(string(look, "from"), &from) && moment_parse(string(look, "to"), &to) &&
		from >= to)
		complain(look, "to", "maintenance", "it ends before it has begun", NULL);
}

static void check_maintenance(const struct look *look)
{
	bool once = has(look, "from") || has(look, "to");
	int forms = once + has(look, "weekly") + has(look, "calendar");

	if (forms != 1) {
		complain(look, "", "maintenance",
			forms == 0 ? "this maintenance has no time" : "this maintenance has several times",
			"\"from\" and \"to\", or \"weekly\", or \"calendar\"");
		return;
	}
	if (has(look, "calendar") && has(look, "zone"))
		complain(look, "zone", "maintenance", "a calendar has its own zone", NULL);
	if (!has(look, "calendar") && !has(look, "zone"))
		complain(look, "", "maintenance", "it is not known whose clocks these times are of",
			"add \"zone\", such as zone: Europe/Berlin");
	check_calendar(look);
	check_times(look);
}

void draft_check_plan(const struct draft *draft)
{
	const json_t *windows = json_object_get(draft->tree, "maintenance");
	json_t *item;
	size_t index;

	json_array_foreach(windows, index, item)
	{
		const struct look look = {draft, item, index};

		if (json_is_object(item))
			check_maintenance(&look);
	}
}
