/* command - the auto-healing hook: a program of yours gets the event as data. hook.h runs it. */
#include "sink.h"

#include "ban.h"

static const char *const states[] = {"open", "update", "ack", "resolved", NULL};

static const struct field fields[] = {
	{"run", &field_list, FIELD_REQUIRED,
		"the program, by its absolute path, and its arguments; no shell",
		.item = &field_text},
	{"on", &field_list, 0, "states of the event that it is run for: open, update, ack, resolved",
		"[\"open\"]", .item = &field_choice, .choices = states},
	{"cool_down", &field_duration, 0, "not again within this time", "\"15m\""},
	{"per_day", &field_integer, 0, "not more often in any 24 hours", "4"},
	{0},
};

const struct sink_type sink_command = {
	.name = "command",
	.summary = "runs a program, such as one that heals, with the event on its standard input",
	.fields = fields,
};
