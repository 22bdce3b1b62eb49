#include "incident.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lines.h"
#include "rules.h"
#include "sink.h"
#include "text.h"

#include "ban.h"

#define PREFIX "evt_"

static bool is_chosen(const struct incident_choice *choice, const json_t *event)
{
	return (choice->customer == NULL ||
		       strcmp(event_string(event, "customer"), choice->customer) == 0) &&
		(choice->scenario == NULL ||
			strcmp(event_string(event, "scenario"), choice->scenario) == 0);
}

/* --- what is open ---------------------------------------------------------------------- */

struct gathering {
	const struct incident_choice *choice;
	json_t *events;  /* in order */
	json_t *indices; /* by id */
};

static void take_open(void *context, const struct rule_key *key, const json_t *event)
{
	struct gathering *gathering = context;

	(void)key;
	if (is_chosen(gathering->choice, event))
		json_array_append_new(gathering->events, json_deep_copy(event));
}

json_t *incidents_open(
	struct state *state, const struct incident_choice *choice, struct failure *why)
{
	struct gathering gathering = {.choice = choice, .events = json_array()};

	if (rules_each_open(state, take_open, &gathering, why) == 0)
		return gathering.events;
	json_decref(gathering.events);
	return NULL;
}

/* --- what is in the lines -------------------------------------------------------------- */

int incidents_read(const char *results_dir, void (*each)(void *context, const json_t *event),
	void *context, size_t *unreadable_r, struct failure *why)
{
	struct lines *lines;
	struct line line;
	char path[PATH_MAX];
	int got;

	*unreadable_r = 0;
	snprintf(path, sizeof(path), "%s/events.jsonl", results_dir);
	if (access(path, F_OK) < 0)
		return 0;
	lines = lines_open(path, why);
	if (lines == NULL)
		return -1;
	while ((got = lines_next(lines, &line, why)) == 1) {
		if (line.verdict == LINE_GOOD)
			each(context, line.record);
		else
			++*unreadable_r;
	}
	lines_close(&lines);
	return got;
}

static void take_line(void *context, const json_t *event)
{
	struct gathering *gathering = context;
	const char *id = event_string(event, "event_id");
	const json_t *index = json_object_get(gathering->indices, id);

	if (!is_chosen(gathering->choice, event))
		return;
	if (index != NULL) {
		json_array_set_new(gathering->events, (size_t)json_integer_value(index),
			json_deep_copy(event));
		return;
	}
	json_object_set_new(gathering->indices, id,
		json_integer((json_int_t)json_array_size(gathering->events)));
	json_array_append_new(gathering->events, json_deep_copy(event));
}

json_t *incidents_all(const char *results_dir, const struct incident_choice *choice,
	size_t *unreadable_r, struct failure *why)
{
	struct gathering gathering = {
		.choice = choice, .events = json_array(), .indices = json_object()};
	int result = incidents_read(results_dir, take_line, &gathering, unreadable_r, why);

	json_decref(gathering.indices);
	if (result == 0)
		return gathering.events;
	json_decref(gathering.events);
	return NULL;
}

/* --- the one that is meant ------------------------------------------------------------- */

struct search {
	const char *name;
	struct incident *incident;
	char id[INCIDENT_ID_SIZE]; /* of what was found; "" while nothing is */
	bool several;
	json_t *keys; /* dedup_keys that there are, for who mistypes */
};

static bool begins_with_name(const char *id, const char *name)
{
	if (strncmp(name, PREFIX, strlen(PREFIX)) == 0)
		name += strlen(PREFIX);
	return *name != '\0' && strncmp(id, PREFIX, strlen(PREFIX)) == 0 &&
		strncmp(id + strlen(PREFIX), name, strlen(name)) == 0;
}

/* A key means the newest of its events, and an open one before any line. */
static bool is_meant(struct search *search, const json_t *event)
{
	const char *id = event_string(event, "event_id"), *key = event_string(event, "dedup_key");

	json_object_set_new(search->keys, key, json_true());
	if (strcmp(key, search->name) == 0) {
		if (search->incident->open == NULL)
			text_copy(search->id, sizeof(search->id), id);
	} else if (begins_with_name(id, search->name)) {
		search->several =
			search->several || (search->id[0] != '\0' && strcmp(search->id, id) != 0);
		text_copy(search->id, sizeof(search->id), id);
	}
	return strcmp(search->id, id) == 0;
}

static void search_open(void *context, const struct rule_key *key, const json_t *event)
{
	struct search *search = context;

	if (!is_meant(search, event))
		return;
	json_decref(search->incident->open);
	search->incident->open = json_deep_copy(event);
	text_copy(search->incident->rule, sizeof(search->incident->rule), key->rule);
}

static void search_line(void *context, const json_t *event)
{
	is_meant(context, event);
}

static void take_revision(void *context, const json_t *event)
{
	struct search *search = context;

	if (strcmp(event_string(event, "event_id"), search->id) == 0)
		json_array_append_new(search->incident->revisions, json_deep_copy(event));
}

static void tell_missing(const struct search *search, char sentence[static 256])
{
	const char *names[64 + 1], *key, *nearest;
	size_t count = 0;
	json_t *value;

	if (search->several) {
		snprintf(sentence, 256, "several events begin with \"%.64s\": give more of the id",
			search->name);
		return;
	}
	json_object_foreach(search->keys, key, value)
	{
		if (count < sizeof(names) / sizeof(names[0]) - 1)
			names[count++] = key;
	}
	names[count] = NULL;
	nearest = text_nearest(search->name, names);
	snprintf(sentence, 256, "there is no event \"%.64s\"%s%.128s%s", search->name,
		nearest != NULL ? "; did you mean \"" : " (mailprobe events --all lists them)",
		nearest != NULL ? nearest : "", nearest != NULL ? "\"?" : "");
}

const json_t *incident_newest(const struct incident *incident)
{
	if (incident->open != NULL)
		return incident->open;
	return json_array_get(incident->revisions, json_array_size(incident->revisions) - 1);
}

/* Without a database the lines are all that is known. */
static void open_by_lines(struct incident *incident)
{
	const json_t *newest = incident_newest(incident);
	const char *key = event_string(newest, "dedup_key"), *slash = strrchr(key, '/');

	if (strcmp(event_string(newest, "state"), "resolved") == 0)
		return;
	incident->open = json_deep_copy(newest);
	text_copy(incident->rule, sizeof(incident->rule), slash != NULL ? slash + 1 : "");
}

int incident_find(const char *results_dir, struct state *state, const char *name,
	struct incident *incident_r, char sentence[static 256], struct failure *why)
{
	struct search search = {.name = name, .incident = incident_r, .keys = json_object()};
	size_t unreadable;
	int result;

	*incident_r = (struct incident){.revisions = json_array()};
	result = state != NULL ? rules_each_open(state, search_open, &search, why) : 0;
	if (result == 0)
		result = incidents_read(results_dir, search_line, &search, &unreadable, why);
	if (result == 0 && (search.id[0] == '\0' || search.several)) {
		tell_missing(&search, sentence);
		result = 1;
	}
	if (result == 0)
		result = incidents_read(results_dir, take_revision, &search, &unreadable, why);
	if (result == 0 && state == NULL)
		open_by_lines(incident_r);
	json_decref(search.keys);
	return result;
}

void incident_free(struct incident *incident)
{
	json_decref(incident->revisions);
	json_decref(incident->open);
	*incident = (struct incident){0};
}
