#include "doctor.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "outbox.h"
#include "state.h"

#include "ban.h"

/* A receiver that is restarted is back by then. */
#define PATIENCE (INT64_C(3600) * NS_PER_SECOND)

static const char *member(const json_t *row, const char *key)
{
	const char *text = json_string_value(json_object_get(row, key));

	return text != NULL ? text : "";
}

/* The first of a sink says what is the matter; the others are alike. */
static void say(const json_t *row, size_t count, enum finding_level level, const char *what,
	struct findings *findings)
{
	const char *outcome = member(row, "outcome");

	finding_say(findings, level, "outbox",
		"mailprobe outbox shows them; once the receiver is well: mailprobe outbox retry",
		"%zu event%s for sink %s %s: %s", count, count == 1 ? "" : "s", member(row, "sink"),
		what, outcome[0] != '\0' ? outcome : "not tried yet");
}

static bool is_dead(const json_t *row)
{
	return strcmp(member(row, "state"), outbox_states[OUTBOX_DEAD]) == 0;
}

static bool is_overdue(const json_t *row)
{
	int64_t queued_ns = json_integer_value(json_object_get(row, "queued_ns"));

	return !is_dead(row) && clock_wall() - queued_ns > PATIENCE;
}

/* Those of each sink together. */
static size_t say_each(const json_t *rows, bool (*wanted)(const json_t *row),
	enum finding_level level, const char *what, struct findings *findings)
{
	size_t said = 0;

	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);
		size_t count = 0, before = 0;

		for (size_t j = 0; j < json_array_size(rows); j++) {
			const json_t *other = json_array_get(rows, j);
			bool same = wanted(other) &&
				strcmp(member(other, "sink"), member(row, "sink")) == 0;

			count += same;
			before += same && j < i;
		}
		if (!wanted(row) || before > 0)
			continue;
		say(row, count, level, what, findings);
		said++;
	}
	return said;
}

void doctor_outbox(const char *results_dir, struct findings *findings)
{
	struct failure why = {0};
	char path[PATH_MAX];
	struct state *state;
	json_t *rows;

	snprintf(path, sizeof(path), "%s/state.db", results_dir);
	if (access(path, F_OK) < 0)
		return;
	state = state_open_to_read(results_dir, &why);
	rows = state != NULL ? outbox_list(state, false, &why) : NULL;
	if (rows == NULL)
		finding_say(findings, FINDING_UNKNOWN, "outbox", NULL, "%s", why.text);
	else if (say_each(rows, is_dead, FINDING_BAD, "never arrived", findings) +
			say_each(rows, is_overdue, FINDING_WARN, "wait for over an hour",
				findings) ==
		0)
		finding_say(findings, FINDING_OK, "outbox", NULL,
			"every event has reached its sinks, or is on its way");
	json_decref(rows);
	state_close(&state);
}
