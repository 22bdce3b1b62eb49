#include "archive.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "field.h"
#include "folder.h"
#include "text.h"

#include "ban.h"

#define SUFFIX ".jsonl"

int archive_day(const char *text, char day[static ARCHIVE_DAY_SIZE])
{
	static const char shape[] = "dddd-dd-dd";

	for (size_t i = 0; shape[i] != '\0'; i++)
		if (shape[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != shape[i])
			return -1;
	snprintf(day, ARCHIVE_DAY_SIZE, "%.10s", text);
	return 0;
}

void archive_path(const struct archive_series *series, const char *day, char path[static PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/%s/%s/%s" SUFFIX, series->results_dir, series->customer,
		series->scenario, day);
}

/* --- folders --------------------------------------------------------------------------- */

static int is_name(const struct dirent *entry)
{
	return field_is_name(entry->d_name);
}

static int is_day_file(const struct dirent *entry)
{
	char day[ARCHIVE_DAY_SIZE];

	return archive_day(entry->d_name, day) == 0 &&
	       strcmp(entry->d_name + ARCHIVE_DAY_SIZE - 1, SUFFIX) == 0;
}

/* As scandir(3), in the order of bytes; what is no folder has nothing in it. */
static int list(const char *path, int (*filter)(const struct dirent *), struct dirent ***entries_r,
	struct failure *why)
{
	int count = scandir(path, entries_r, filter, NULL);

	if (count >= 0)
		return count;
	*entries_r = NULL;
	return errno == ENOTDIR || errno == ENOENT ? 0 : storage_failure(why, "read the folder", path);
}

static int by_name(const void *a, const void *b)
{
	const struct dirent *const *left = a, *const *right = b;

	return strcmp((*left)->d_name, (*right)->d_name);
}

static void free_list(struct dirent **entries, int count)
{
	for (int i = 0; i < count; i++)
		free(entries[i]);
	free(entries);
}

/* --- walking --------------------------------------------------------------------------- */

struct walk {
	const char *results_dir, *customer, *scenario;
	int (*each)(void *context, const struct archive_series *series, struct failure *why);
	void *context;
	struct failure *why;
};

static int visit_scenario(struct walk *walk, const char *customer, const char *scenario)
{
	struct archive_series series = {walk->results_dir, customer, scenario, NULL, 0};
	struct dirent **entries;
	char path[PATH_MAX];
	int count, result = 0;

	snprintf(path, sizeof(path), "%s/%s/%s", walk->results_dir, customer, scenario);
	count = list(path, is_day_file, &entries, walk->why);
	if (count < 0)
		return -1;
	if (count > 0) {
		qsort(entries, (size_t)count, sizeof(*entries), by_name);
		series.days = calloc((size_t)count, sizeof(*series.days));
		if (series.days == NULL)
			result = failure_set(walk->why, ERROR_LOCAL_RESOURCE, "out of memory");
	}
	for (int i = 0; i < count && result == 0; i++)
		archive_day(entries[i]->d_name, series.days[series.day_count++]);
	free_list(entries, count);
	if (result == 0 && series.day_count > 0)
		result = walk->each(walk->context, &series, walk->why);
	free(series.days);
	return result;
}

/* The folders in `path`, or the one that is wanted. */
static int visit_each(struct walk *walk, const char *path, const char *only, const char *above,
	int (*visit)(struct walk *walk, const char *above, const char *name))
{
	struct dirent **entries;
	int count, result = 0;

	if (only != NULL)
		return visit(walk, above, only);
	count = list(path, is_name, &entries, walk->why);
	if (count < 0)
		return -1;
	if (count > 0)
		qsort(entries, (size_t)count, sizeof(*entries), by_name);
	for (int i = 0; i < count && result == 0; i++)
		result = visit(walk, above, entries[i]->d_name);
	free_list(entries, count);
	return result;
}

static int visit_customer(struct walk *walk, const char *above, const char *customer)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", above, customer);
	return visit_each(walk, path, walk->scenario, customer, visit_scenario);
}

int archive_walk(const char *results_dir, const char *customer, const char *scenario,
	int (*each)(void *context, const struct archive_series *series, struct failure *why),
	void *context, struct failure *why)
{
	struct walk walk = {results_dir, customer, scenario, each, context, why};
	struct stat info;

	if (stat(results_dir, &info) < 0)
		return storage_failure(why, "read the folder", results_dir);
	return visit_each(&walk, results_dir, customer, results_dir, visit_customer);
}
