#include "find_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive.h"
#include "clock.h"
#include "field.h"
#include "text.h"

#include "ban.h"

/* The time in a UUIDv7: 48 bits of milliseconds. */
#define TIME_DIGITS 12
#define FIELD_NAME_SIZE 65

struct search {
	const char *prefix; /* of a run id; NULL: the newest */
	char first_day[ARCHIVE_DAY_SIZE], last_day[ARCHIVE_DAY_SIZE]; /* where it can be */
	const char *path;
	void (*damage)(void *context, const char *path, const struct line *line);
	void *context;
	struct found_run *found;
	bool in_file; /* the file that is being read had a run */
};

static const char *member(const json_t *record, const char *key)
{
	const char *value = json_string_value(json_object_get(record, key));

	return value != NULL ? value : "";
}

/* --- what is looked for ---------------------------------------------------------------- */

/* The day of the earliest ('0') or latest ('f') run whose id begins like that. */
static void day_of_prefix(const char *prefix, char fill, char day[static ARCHIVE_DAY_SIZE])
{
	char digits[TIME_DIGITS + 1], text[CLOCK_TIMESTAMP_SIZE];
	int64_t most = INT64_MAX / NS_PER_MS, ms;
	size_t used = 0;

	for (; *prefix != '\0' && used < TIME_DIGITS; prefix++)
		if (*prefix != '-')
			digits[used++] = *prefix;
	while (used < TIME_DIGITS)
		digits[used++] = fill;
	digits[used] = '\0';
	ms = strtoll(digits, NULL, 16);
	clock_format((ms < most ? ms : most) * NS_PER_MS, text);
	archive_day(text, day);
}

static bool is_run_id(const char *name)
{
	return name[0] != '\0' && strlen(name) <= 36 &&
	       strspn(name, "0123456789abcdef-") == strlen(name);
}

/* --- going through --------------------------------------------------------------------- */

static void keep(struct search *search, const struct line *line)
{
	struct found_run *found = search->found;

	json_decref(found->record);
	free(found->line);
	found->record = json_incref((json_t *)(uintptr_t)line->record);
	found->line = strndup(line->bytes, line->length);
}

static void look_at(void *context, const struct line *line)
{
	struct search *search = context;
	const char *run_id = member(line->record, "run_id");

	if (line->verdict != LINE_GOOD) {
		search->found->damaged++;
		search->damage(search->context, search->path, line);
		return;
	}
	search->in_file = true;
	if (search->prefix == NULL) {
		/* Ids of runs sort by their time. */
		if (strcmp(run_id, member(search->found->record, "run_id")) > 0)
			keep(search, line);
		search->found->matches = 1;
	} else if (strncmp(run_id, search->prefix, strlen(search->prefix)) == 0) {
		/* A line that was written twice is one run. */
		if (strcmp(run_id, member(search->found->record, "run_id")) == 0)
			return;
		search->found->matches++;
		keep(search, line);
	}
}

static int look_into(struct search *search, const struct archive_series *series, const char *day,
	struct failure *why)
{
	char path[PATH_MAX];

	archive_path(series, day, path);
	search->path = path;
	search->found->files++;
	return lines_read(path, look_at, search, why);
}

/* The newest run lies in the newest file that has any. */
static int look_newest(struct search *search, const struct archive_series *series, struct failure *why)
{
	search->in_file = false;
	for (size_t i = series->day_count; i > 0 && !search->in_file; i--)
		if (look_into(search, series, series->days[i - 1], why) < 0)
			return -1;
	return 0;
}

static int look_in_series(void *context, const struct archive_series *series, struct failure *why)
{
	struct search *search = context;

	if (search->prefix == NULL)
		return look_newest(search, series, why);
	for (size_t i = 0; i < series->day_count; i++)
		if (strcmp(series->days[i], search->first_day) >= 0 &&
			strcmp(series->days[i], search->last_day) <= 0 &&
			look_into(search, series, series->days[i], why) < 0)
			return -1;
	return 0;
}

/* --- the whole ------------------------------------------------------------------------- */

static int find_by_id(struct search *search, const char *results_dir, const char *prefix,
	struct failure *why)
{
	search->prefix = prefix;
	day_of_prefix(prefix, '0', search->first_day);
	day_of_prefix(prefix, 'f', search->last_day);
	return archive_walk(results_dir, NULL, NULL, look_in_series, search, why);
}

static int find_newest(
	struct search *search, const char *results_dir, const char *name, struct failure *why)
{
	const char *slash = strchr(name, '/');
	char customer[FIELD_NAME_SIZE];

	snprintf(customer, sizeof(customer), "%.*s", (int)(slash - name), name);
	return archive_walk(results_dir, customer, slash + 1, look_in_series, search, why);
}

static bool is_series(const char *name)
{
	const char *slash = strchr(name, '/');
	char customer[FIELD_NAME_SIZE];

	if (slash == NULL || slash - name >= FIELD_NAME_SIZE)
		return false;
	snprintf(customer, sizeof(customer), "%.*s", (int)(slash - name), name);
	return field_is_name(customer) && field_is_name(slash + 1);
}

bool find_run_is_name(const char *name)
{
	return strcmp(name, "last") == 0 || is_run_id(name) || is_series(name);
}

int find_run(const char *results_dir, const char *name,
	void (*damage)(void *context, const char *path, const struct line *line), void *context,
	struct found_run *found_r, struct failure *why)
{
	struct search search = {.damage = damage, .context = context, .found = found_r};

	*found_r = (struct found_run){0};
	if (strcmp(name, "last") == 0)
		return archive_walk(results_dir, NULL, NULL, look_in_series, &search, why);
	if (is_run_id(name))
		return find_by_id(&search, results_dir, name, why);
	return find_newest(&search, results_dir, name, why);
}

void found_run_free(struct found_run *found)
{
	json_decref(found->record);
	free(found->line);
	*found = (struct found_run){0};
}
