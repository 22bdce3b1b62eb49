#include "retention.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "folder.h"
#include "history.h"
#include "lines_private.h"
#include "statement.h"

#include "ban.h"

#define DAY (86400 * NS_PER_SECOND)
#define PASSED_DAYS 100
#define OTHERS_DAYS 400

/* "2026-10-18 2026-10-17\n": lines before the first day may be missing; those before the second have
 * been gone through. They differ while it is done, and after a crash. */
#define MARK ".retention"
#define MARK_NEW ".retention.new"
#define MARK_SIZE (2 * ARCHIVE_DAY_SIZE + 1)

struct mark {
	char missing[ARCHIVE_DAY_SIZE], done[ARCHIVE_DAY_SIZE];
};

static const struct mark no_mark = {"0000-00-00", "0000-00-00"};

struct sifting {
	struct state *state;
	int folder; /* of the scenario */
	const char *path;
	struct mark mark;
	char passed[ARCHIVE_DAY_SIZE], others[ARCHIVE_DAY_SIZE]; /* files of days before go */
	bool any_due;
	bool all; /* of this file all lines are old enough, not only those of runs that passed */
	bool failed;
	struct failure *why;
};

static int64_t otherwise(int64_t given_ns, int64_t days)
{
	return given_ns > 0 ? given_ns : days * DAY;
}

struct retention retention_of(const struct retention *keep)
{
	return (struct retention){
		.passed_ns = otherwise(keep->passed_ns, PASSED_DAYS),
		.others_ns = otherwise(keep->others_ns, OTHERS_DAYS),
		.values_ns = otherwise(keep->values_ns, HISTORY_DAYS),
		.rollups_ns = otherwise(keep->rollups_ns, HISTORY_ROLLUP_DAYS),
	};
}

/* --- the mark -------------------------------------------------------------------------- */

/* One that cannot be read is none: then all is gone through once more. */
static int read_mark(int folder, const char *path, struct mark *mark_r, struct failure *why)
{
	char text[MARK_SIZE] = "";
	int fd = openat(folder, MARK, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	ssize_t size;

	*mark_r = no_mark;
	if (fd < 0)
		return errno == ENOENT ? 0
				       : storage_failure(why, "open the file " MARK " in", path);
	size = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (size < 0)
		return storage_failure(why, "read the file " MARK " in", path);
	if (archive_day(text, mark_r->missing) < 0 ||
		archive_day(text + ARCHIVE_DAY_SIZE, mark_r->done) < 0)
		*mark_r = no_mark;
	return 0;
}

static int write_mark(const struct sifting *sifting, struct failure *why)
{
	char text[MARK_SIZE + 1];
	int length =
		snprintf(text, sizeof(text), "%s %s\n", sifting->mark.missing, sifting->mark.done);
	int fd = openat(sifting->folder, MARK_NEW,
		O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0644);
	bool written;

	if (fd < 0)
		return storage_failure(why, "write the file " MARK " in", sifting->path);
	written = lines_write_all(fd, text, (size_t)length) == 0 && fsync(fd) == 0;
	close(fd);
	if (!written || renameat(sifting->folder, MARK_NEW, sifting->folder, MARK) < 0)
		return storage_failure(why, "write the file " MARK " in", sifting->path);
	return folder_sync_one(sifting->folder, sifting->path, why);
}

int retention_complete_from(const char *results_dir, const char *customer, const char *scenario,
	char day[static ARCHIVE_DAY_SIZE], struct failure *why)
{
	struct mark mark = no_mark;
	char path[PATH_MAX];
	int result = 0, folder;

	snprintf(path, sizeof(path), "%s/%s/%s", results_dir, customer, scenario);
	folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0 && errno != ENOENT)
		return storage_failure(why, "open the folder", path);
	if (folder >= 0) {
		result = read_mark(folder, path, &mark, why);
		close(folder);
	}
	memcpy(day, mark.missing, ARCHIVE_DAY_SIZE);
	return result;
}

/* --- one line -------------------------------------------------------------------------- */

static const char *member(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value != NULL ? value : "";
}

static bool is_odd(const json_t *step)
{
	return json_object_get(step, "slow") != NULL || json_object_get(step, "transcript") != NULL;
}

/* Nobody asks for a run that passed as ever, once its values are rolled up. */
static bool is_plain(const json_t *record)
{
	size_t index;
	json_t *step;

	if (strcmp(member(record, "outcome"), "pass") != 0 ||
		json_object_get(record, "attribution") != NULL ||
		json_object_get(record, "settled") != NULL)
		return false;
	json_array_foreach(json_object_get(record, "steps"), index, step)
	{
		if (is_odd(step))
			return false;
	}
	return true;
}

/* What cannot be looked up counts as known. */
static bool is_known(struct sifting *sifting, const char *sql, const char *id)
{
	struct statement query;
	bool known;

	statement_begin(&query, sifting->state, sql);
	statement_bind_text(&query, id);
	known = statement_row(&query);
	if (statement_end(&query, sifting->why) == 0)
		return known;
	sifting->failed = true;
	return true;
}

static bool any_mail_known(struct sifting *sifting, const json_t *mails)
{
	size_t index;
	json_t *mail;

	json_array_foreach(mails, index, mail)
	{
		if (is_known(sifting, "SELECT 1 FROM mails WHERE mail = ?", member(mail, "mail")))
			return true;
	}
	return false;
}

static enum line_fate judge(void *context, const struct line *line)
{
	struct sifting *sifting = context;
	const json_t *record = line->record;

	/* doctor tells of damage, and people decide. */
	if (line->verdict != LINE_GOOD || (!sifting->all && !is_plain(record)))
		return LINE_STAYS;
	if (is_known(sifting, "SELECT 1 FROM runs WHERE run_id = ?", member(record, "run_id")) ||
		any_mail_known(sifting, json_object_get(record, "mails")) ||
		any_mail_known(sifting, json_object_get(record, "settled")))
		return LINE_STAYS;
	return LINE_GOES;
}

/* --- the files ------------------------------------------------------------------------- */

/* Those that no earlier pass has gone through, and those of which all lines are old by now. */
static bool is_due(const struct sifting *sifting, const char *day)
{
	return strcmp(day, sifting->others) < 0 ||
		(strcmp(day, sifting->passed) < 0 && strcmp(day, sifting->mark.done) >= 0);
}

static int look_for_due(void *context, const struct archive_series *series, struct failure *why)
{
	struct sifting *sifting = context;

	(void)why;
	for (size_t i = 0; i < series->day_count; i++)
		sifting->any_due = sifting->any_due || is_due(sifting, series->days[i]);
	return 0;
}

static int sift_file(struct sifting *sifting, const char *day, struct failure *why)
{
	char name[ARCHIVE_DAY_SIZE + sizeof(".jsonl")];

	sifting->all = strcmp(day, sifting->others) < 0;
	snprintf(name, sizeof(name), "%s.jsonl", day);
	if (lines_sift(sifting->folder, sifting->path, name, judge, sifting, why) < 0)
		return -1;
	return sifting->failed ? -1 : 0;
}

static int sift_files(void *context, const struct archive_series *series, struct failure *why)
{
	struct sifting *sifting = context;

	for (size_t i = 0; i < series->day_count; i++)
		if (is_due(sifting, series->days[i]) &&
			sift_file(sifting, series->days[i], why) < 0)
			return -1;
	return 0;
}

static void day_before(int64_t now_ns, int64_t age_ns, char day[static ARCHIVE_DAY_SIZE])
{
	char text[CLOCK_TIMESTAMP_SIZE];

	clock_format(now_ns - age_ns, text);
	archive_day(text, day);
}

/* It is on disk that lines may be missing before any is. */
static int sift_due(struct sifting *sifting, const char *results_dir, const char *customer,
	const char *scenario, struct failure *why)
{
	struct mark *mark = &sifting->mark;

	if (strcmp(mark->missing, sifting->passed) < 0)
		memcpy(mark->missing, sifting->passed, ARCHIVE_DAY_SIZE);
	if (write_mark(sifting, why) < 0)
		return -1;
	return archive_walk(results_dir, customer, scenario, sift_files, sifting, why);
}

static int sift(struct sifting *sifting, const char *results_dir, const char *customer,
	const char *scenario, struct failure *why)
{
	if (strcmp(sifting->mark.done, sifting->passed) >= 0)
		return 0;
	if (archive_walk(results_dir, customer, scenario, look_for_due, sifting, why) < 0)
		return -1;
	if (sifting->any_due && sift_due(sifting, results_dir, customer, scenario, why) < 0)
		return -1;
	memcpy(sifting->mark.done, sifting->passed, ARCHIVE_DAY_SIZE);
	return write_mark(sifting, why);
}

int retention_apply(struct state *state, const char *results_dir, const char *customer,
	const char *scenario, const struct retention *keep, int64_t now_ns, struct failure *why)
{
	const struct retention full = retention_of(keep);
	struct sifting sifting = {.state = state, .why = why};
	struct folder folder;
	int result;

	if (folder_open(&folder, results_dir, customer, scenario, why) < 0)
		return -1;
	sifting.folder = folder.scenario;
	sifting.path = folder.path;
	day_before(now_ns, full.passed_ns, sifting.passed);
	day_before(now_ns, full.others_ns, sifting.others);
	result = read_mark(folder.scenario, folder.path, &sifting.mark, why);
	if (result == 0)
		result = sift(&sifting, results_dir, customer, scenario, why);
	folder_close(&folder);
	return result;
}
