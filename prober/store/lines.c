#include "lines.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "checksum.h"
#include "folder.h"
#include "lines_private.h"
#include "text.h"

#include "ban.h"

/* 15 digits bring back every decimal that we write, without the noise of 17. Escaped non-ASCII
 * keeps U+2028 and the like from breaking lines in other people's readers. */
#define NUMBERS_AND_ESCAPES (JSON_REAL_PRECISION(15) | JSON_ENSURE_ASCII)
/* A file is rewritten once a day, if at all. */
#define REPLACED_MAX 100

/* --- one line -------------------------------------------------------------------------- */

char *lines_format(const json_t *record, size_t *length_r)
{
	char *body, *line = NULL;
	size_t length;
	int formatted;

	if (!json_is_object(record) || json_object_size(record) == 0)
		return NULL;
	body = json_dumps(record, JSON_COMPACT | NUMBERS_AND_ESCAPES);
	if (body == NULL)
		return NULL;
	length = strlen(body) - 1; /* without the brace that closes it */
	formatted = asprintf(&line, "%.*s" SUM_KEY "%08x\"}\n", (int)length, body,
		(unsigned int)checksum_crc32(body, length));
	free(body);
	if (formatted < 0)
		return NULL;
	*length_r = (size_t)formatted;
	return line;
}

/* --- a torn tail ----------------------------------------------------------------------- */

struct file {
	int folder;
	const char *name;
	const char *path; /* for sentences */
	int fd;
	off_t size;
};

int lines_write_all(int fd, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t written = write(fd, bytes, length);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return -1;
		bytes += written;
		length -= (size_t)written;
	}
	return 0;
}

/* The end of the last whole line. */
static int find_whole(const struct file *file, off_t *end_r)
{
	char block[4096];
	off_t end = file->size;

	while (end > 0) {
		size_t size = end < (off_t)sizeof(block) ? (size_t)end : sizeof(block);
		const char *newline;

		if (pread(file->fd, block, size, end - (off_t)size) != (ssize_t)size)
			return -1;
		newline = memrchr(block, '\n', size);
		end -= (off_t)size;
		if (newline != NULL) {
			*end_r = end + (newline - block) + 1;
			return 0;
		}
	}
	*end_r = 0;
	return 0;
}

static int copy_tail(const struct file *file, off_t from, int to)
{
	char block[4096];

	while (from < file->size) {
		ssize_t got = pread(file->fd, block, sizeof(block), from);

		if (got <= 0 || lines_write_all(to, block, (size_t)got) < 0)
			return -1;
		from += got;
	}
	return lines_write_all(to, "\n", 1);
}

static int save_tail(const struct file *file, off_t from, struct failure *why)
{
	char name[NAME_MAX + 1];
	int result = 0, to;

	snprintf(name, sizeof(name), "%s.torn", file->name);
	to = openat(file->folder, name,
		O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0644);
	if (to < 0 || copy_tail(file, from, to) < 0 || fsync(to) < 0)
		result = storage_failure(why, "set the torn end aside of", file->path);
	if (to >= 0)
		close(to);
	return result < 0 ? -1 : folder_sync_one(file->folder, file->path, why);
}

/* What a crash left of a line goes to <file>.torn, and is on disk there before it is cut off
 * here. */
static int quarantine(struct file *file, struct failure *why)
{
	off_t whole;

	if (find_whole(file, &whole) < 0)
		return storage_failure(why, "read", file->path);
	if (whole == file->size)
		return 0;
	if (save_tail(file, whole, why) < 0)
		return -1;
	if (ftruncate(file->fd, whole) < 0)
		return storage_failure(why, "cut the torn end off", file->path);
	file->size = whole;
	return 0;
}

/* --- appending ------------------------------------------------------------------------- */

/* One write(2). Where a full disk cuts it short, a second one tells why, and what came through
 * is taken back. */
static int write_line(const struct file *file, const char *line, size_t length, struct failure *why)
{
	if (lines_write_all(file->fd, line, length) < 0) {
		storage_failure(why, "append to", file->path);
		/* If even this fails, the next run finds a torn line. */
		(void)!ftruncate(file->fd, file->size);
		return -1;
	}
	if (fsync(file->fd) < 0)
		return storage_failure(why, "sync", file->path);
	return 0;
}

static int append_locked(struct file *file, const struct folder *folder, const char *line,
	size_t length, struct failure *why)
{
	struct stat info;

	if (fstat(file->fd, &info) < 0 || !S_ISREG(info.st_mode))
		return failure_set(
			why, ERROR_LOCAL_STORAGE, "%s is not a regular file", file->path);
	file->size = info.st_size;
	/* Empty: new, or made by a run that was killed before it got any further. */
	if (file->size == 0 && folder_sync(folder, why) < 0)
		return -1;
	if (quarantine(file, why) < 0)
		return -1;
	return write_line(file, line, length, why);
}

/* Whether the open file is still the one of that name. */
static bool is_in_place(int folder, const char *name, int fd)
{
	struct stat opened, named;

	return fstat(fd, &opened) == 0 &&
	       fstatat(folder, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	       opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

int lines_open_locked(
	int folder, const char *name, int flags, const char *path, struct failure *why)
{
	for (int tries = 0; tries < REPLACED_MAX; tries++) {
		int fd = openat(folder, name, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0644);

		int locked;

		if (fd < 0)
			return storage_failure(why, "open", path);
		locked = folder_lock_file(fd, path, why);
		if (locked == 0 && is_in_place(folder, name, fd))
			return fd;
		close(fd);
		if (locked < 0)
			return -1;
	}
	return failure_set(why, ERROR_LOCAL_STORAGE, "%s is replaced all the time", path);
}

static int append(const struct folder *folder, int in, const char *name, const json_t *record,
	struct failure *why)
{
	char path[PATH_MAX + NAME_MAX + 2];
	struct file file = {.folder = in, .name = name, .path = path};
	size_t length = 0;
	char *line = lines_format(record, &length);
	int result = -1;

	snprintf(path, sizeof(path), "%s/%s", folder->path, name);
	if (line == NULL)
		return failure_set(why, ERROR_LOCAL_RESOURCE, "a record could not be formatted");
	file.fd = lines_open_locked(in, name, O_RDWR | O_CREAT | O_APPEND, path, why);
	if (file.fd >= 0)
		result = append_locked(&file, folder, line, length, why);
	/* Closing unlocks; everything is on disk by now, so that its result says nothing. */
	if (file.fd >= 0)
		close(file.fd);
	free(line);
	return result;
}

static const char *member(const json_t *record, const char *key)
{
	const char *value = json_string_value(json_object_get(record, key));

	return value != NULL ? value : "";
}

/* "2026-01-31.jsonl" of "2026-01-31T..."; -1 if that is no date. */
static int day_file(const char *started_at, char name[static 20])
{
	static const char shape[] = "dddd-dd-ddT";

	for (size_t i = 0; shape[i] != '\0'; i++)
		if (shape[i] == 'd' ? started_at[i] < '0' || started_at[i] > '9'
				    : started_at[i] != shape[i])
			return -1;
	snprintf(name, 20, "%.10s.jsonl", started_at);
	return 0;
}

int lines_append_result(const char *results_dir, const json_t *record, struct failure *why)
{
	struct folder folder;
	char name[20];
	int result;

	if (day_file(member(record, "started_at"), name) < 0)
		return failure_set(why, ERROR_LOCAL_STORAGE,
			"a result without the time of its start cannot be stored");
	if (folder_open(&folder, results_dir, member(record, "customer"),
		    member(record, "scenario"), why) < 0)
		return -1;
	result = append(&folder, folder.scenario, name, record, why);
	folder_close(&folder);
	return result;
}

int lines_append_event(const char *results_dir, const json_t *event, struct failure *why)
{
	struct folder folder = {.results = -1, .customer = -1, .scenario = -1};
	int result;

	text_copy(folder.path, sizeof(folder.path), results_dir);
	folder.results = folder_make(results_dir, why);
	if (folder.results < 0)
		return -1;
	result = append(&folder, folder.results, "events.jsonl", event, why);
	folder_close(&folder);
	return result;
}

/* --- replacing ------------------------------------------------------------------------- */

#define TREND_NEW ".trend.json.new"

static int write_new(const struct folder *folder, const char *bytes, struct failure *why)
{
	int fd = openat(folder->scenario, TREND_NEW,
		O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0644);
	int result = 0;

	if (fd < 0)
		return storage_failure(why, "write trend.json in", folder->path);
	if (lines_write_all(fd, bytes, strlen(bytes)) < 0 || lines_write_all(fd, "\n", 1) < 0 || fsync(fd) < 0)
		result = storage_failure(why, "write trend.json in", folder->path);
	close(fd);
	if (result < 0)
		unlinkat(folder->scenario, TREND_NEW, 0);
	return result;
}

/* A run that is skipped since another one goes on writes a trend too, without the scenario's lock:
 * one of its own keeps them off each other's temporary file. */
static int replace_trend(const struct folder *folder, const char *bytes, struct failure *why)
{
	if (folder_lock_file(folder->scenario, folder->path, why) < 0 ||
		write_new(folder, bytes, why) < 0)
		return -1;
	if (renameat(folder->scenario, TREND_NEW, folder->scenario, "trend.json") < 0)
		return storage_failure(why, "replace trend.json in", folder->path);
	return folder_sync_one(folder->scenario, folder->path, why);
}

int lines_replace_trend(const char *results_dir, const json_t *trend, struct failure *why)
{
	char *bytes = json_dumps(trend, JSON_COMPACT | NUMBERS_AND_ESCAPES);
	struct folder folder;
	int result = -1;

	if (bytes == NULL)
		return failure_set(why, ERROR_LOCAL_RESOURCE, "the trend could not be formatted");
	if (folder_open(&folder, results_dir, member(trend, "customer"), member(trend, "scenario"),
		    why) == 0) {
		result = replace_trend(&folder, bytes, why);
		folder_close(&folder);
	}
	free(bytes);
	return result;
}
