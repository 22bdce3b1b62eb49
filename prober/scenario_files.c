#include "scenario_files.h"

#include <errno.h>
#include <fts.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scenario.h"
#include "text.h"

#include "ban.h"

static const char *const endings[] = {".yaml", ".yml", ".json", NULL};

static bool is_scenario_name(const char *name)
{
	const char *dot = strrchr(name, '.');

	if (name[0] == '_' || name[0] == '.' || strcmp(name, "schema.json") == 0)
		return false;
	for (size_t i = 0; dot != NULL && endings[i] != NULL; i++)
		if (strcmp(dot, endings[i]) == 0)
			return true;
	return false;
}

static void cannot_read(const char *path, int error, struct complaints *complaints)
{
	char message[256];

	snprintf(message, sizeof(message), "it cannot be read: %s", strerror(error));
	complaints_add_file(complaints, path, "file", message, NULL);
}

/* Each once, whatever the command line repeats: the object's keys. */
static void add_file(json_t *found, const char *path, struct complaints *complaints)
{
	if (json_object_set_new(found, path, json_true()) != 0)
		complaints_add_file(complaints, path, "file",
			"the name of the file is not valid UTF-8", NULL);
}

static void take_entry(
	FTS *walk, FTSENT *entry, json_t *found, struct complaints *complaints)
{
	switch (entry->fts_info) {
	case FTS_D:
		if (entry->fts_level > 0 &&
			(entry->fts_name[0] == '_' || entry->fts_name[0] == '.'))
			fts_set(walk, entry, FTS_SKIP);
		break;
	case FTS_F:
		if (is_scenario_name(entry->fts_name))
			add_file(found, entry->fts_path, complaints);
		break;
	case FTS_DNR:
	case FTS_ERR:
	case FTS_NS:
		cannot_read(entry->fts_path, entry->fts_errno, complaints);
		break;
	case FTS_SLNONE:
		if (is_scenario_name(entry->fts_name))
			cannot_read(entry->fts_path, ENOENT, complaints);
		break;
	default:
		break; /* the second visit of a directory, sockets and the like */
	}
}

static void walk_directory(const char *path, json_t *found, struct complaints *complaints)
{
	char *root = strdup(path);
	size_t length = root != NULL ? strlen(root) : 0;
	char *roots[] = {root, NULL};
	FTS *walk;
	FTSENT *entry;

	while (length > 1 && root[length - 1] == '/')
		root[--length] = '\0';
	walk = root != NULL ? fts_open(roots, FTS_LOGICAL | FTS_NOCHDIR, NULL) : NULL;
	if (walk == NULL)
		cannot_read(path, errno, complaints);
	while (walk != NULL && (entry = fts_read(walk)) != NULL)
		take_entry(walk, entry, found, complaints);
	if (walk != NULL)
		fts_close(walk);
	free(root);
}

/* "acme/mail" for scenarios/acme/mail.yaml, and "acme" for scenarios/acme. */
static bool take_short_name(const char *name, json_t *found, struct complaints *complaints)
{
	struct text path;
	struct stat status;
	bool taken = false;

	text_init(&path, 4096);
	text_printf(&path, "%s/%s", SCENARIO_FILES_DEFAULT, name);
	if (stat(path.bytes, &status) == 0 && S_ISDIR(status.st_mode)) {
		walk_directory(path.bytes, found, complaints);
		taken = true;
	}
	for (size_t i = 0; endings[i] != NULL && !taken; i++) {
		text_clear(&path);
		text_printf(&path, "%s/%s%s", SCENARIO_FILES_DEFAULT, name, endings[i]);
		taken = access(path.bytes, F_OK) == 0;
		if (taken)
			add_file(found, path.bytes, complaints);
	}
	text_free(&path);
	return taken;
}

static void take_path(const char *path, json_t *found, struct complaints *complaints)
{
	struct stat status;
	int error;

	if (stat(path, &status) == 0) {
		if (S_ISDIR(status.st_mode))
			walk_directory(path, found, complaints);
		else
			add_file(found, path, complaints);
		return;
	}
	error = errno;
	if (path[0] == '/' || path[0] == '.' || !take_short_name(path, found, complaints))
		cannot_read(path, error, complaints);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static json_t *sorted_keys(const json_t *found)
{
	size_t count = 0;
	const char **names = calloc(json_object_size(found) + 1, sizeof(*names));
	json_t *list = json_array(), *value;
	const char *key;

	if (names == NULL)
		return list;
	json_object_foreach((json_t *)(uintptr_t)found, key, value)
		names[count++] = key;
	qsort(names, count, sizeof(*names), by_name);
	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, json_string(names[i]));
	free(names);
	return list;
}

json_t *scenario_files(char *const paths[], size_t count, struct complaints *complaints)
{
	json_t *found = json_object();
	size_t errors = complaints->errors;
	json_t *list;

	for (size_t i = 0; i < count; i++)
		take_path(paths[i], found, complaints);
	if (count == 0)
		take_path(SCENARIO_FILES_DEFAULT, found, complaints);
	if (json_object_size(found) == 0 && complaints->errors == errors)
		complaints_add_file(complaints, count > 0 ? paths[0] : SCENARIO_FILES_DEFAULT,
			"no-scenario", "no scenario was found here",
			"scenarios are *.yaml, *.yml and *.json, but not schema.json and what begins "
			"with \"_\" or \".\"");
	list = sorted_keys(found);
	json_decref(found);
	return list;
}

static bool is_twin(const struct scenario *a, const struct scenario *b)
{
	return strcmp(a->journey.customer, b->journey.customer) == 0 &&
	       strcmp(a->journey.scenario, b->journey.scenario) == 0;
}

static void refuse_twins(const struct scenario_set *set, struct complaints *complaints)
{
	for (size_t i = 0; i < set->count; i++) {
		for (size_t j = 0; j < i; j++) {
			const struct scenario *a = set->scenarios[j], *b = set->scenarios[i];
			char message[512];

			if (!is_twin(a, b))
				continue;
			snprintf(message, sizeof(message), "this is %s/%s, as is %s",
				b->journey.customer, b->journey.scenario, a->file);
			complaints_add_file(complaints, b->file, "same-scenario", message,
				"give each scenario of a customer a name of its own");
			break;
		}
	}
}

struct scenario_set scenario_set_load(
	char *const paths[], size_t count, struct complaints *complaints)
{
	json_t *files = scenario_files(paths, count, complaints);
	struct scenario_set set = {.scenarios = calloc(
					   json_array_size(files) + 1, sizeof(set.scenarios[0]))};
	json_t *file;
	size_t index;

	if (set.scenarios == NULL)
		abort();
	json_array_foreach(files, index, file) {
		struct scenario *scenario = scenario_load(json_string_value(file), complaints);

		if (scenario != NULL)
			set.scenarios[set.count++] = scenario;
		else
			set.refused++;
	}
	json_decref(files);
	refuse_twins(&set, complaints);
	return set;
}

void scenario_set_free(struct scenario_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		scenario_free(&set->scenarios[i]);
	free(set->scenarios);
	*set = (struct scenario_set){.scenarios = NULL};
}
