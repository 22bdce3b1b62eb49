/* The rewriting part of lines.h. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include "folder.h"
#include "lines_private.h"

#include "ban.h"

struct sift {
	int folder;
	const char *name;
	const char *path; /* for sentences */
	enum line_fate (*judge)(void *context, const struct line *line);
	void *context;
	char temporary[NAME_MAX + 1];
	int to;    /* the new file; -1 while only counting */
	size_t stay, go;
	bool failed;
	struct failure *why;
};

/* --- going through --------------------------------------------------------------------- */

static void count_line(void *context, const struct line *line)
{
	struct sift *sift = context;

	if (sift->judge(sift->context, line) == LINE_STAYS)
		sift->stay++;
	else
		sift->go++;
}

static void fail(struct sift *sift, const char *verb)
{
	sift->failed = true;
	storage_failure(sift->why, verb, sift->path);
}

/* On disk before it is gone from its file. */
static void set_aside(struct sift *sift, const struct line *line)
{
	bool torn = line->verdict == LINE_TORN;
	char name[NAME_MAX + 1];
	int fd;

	snprintf(name, sizeof(name), "%s.%s", sift->name, torn ? "torn" : "damaged");
	fd = openat(sift->folder, name,
		O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0644);
	if (fd < 0 || lines_write_all(fd, line->bytes, line->length) < 0 ||
		(torn && lines_write_all(fd, "\n", 1) < 0) || fsync(fd) < 0)
		fail(sift, "set a line aside of");
	if (fd >= 0)
		close(fd);
}

static void move_line(void *context, const struct line *line)
{
	struct sift *sift = context;

	if (sift->failed)
		return;
	switch (sift->judge(sift->context, line)) {
	case LINE_STAYS:
		if (lines_write_all(sift->to, line->bytes, line->length) < 0)
			fail(sift, "rewrite");
		break;
	case LINE_ASIDE:
		set_aside(sift, line);
		break;
	case LINE_GOES:
		break;
	}
}

/* Reads the file from its beginning by a descriptor of its own: ours holds the lock. */
static int go_through(
	struct sift *sift, void (*each)(void *context, const struct line *line), struct failure *why)
{
	int fd = openat(sift->folder, sift->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return storage_failure(why, "open", sift->path);
	return lines_read_open(fd, sift->path, each, sift, why);
}

/* --- replacing ------------------------------------------------------------------------- */

static int write_rest(struct sift *sift, struct failure *why)
{
	int result;

	sift->to = openat(sift->folder, sift->temporary,
		O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0644);
	if (sift->to < 0)
		return storage_failure(why, "rewrite", sift->path);
	result = go_through(sift, move_line, why);
	if (sift->failed)
		result = -1;
	if (result == 0 && fsync(sift->to) < 0)
		result = storage_failure(why, "sync", sift->path);
	close(sift->to);
	return result;
}

/* What went aside has to be found again before the file without it can be. */
static int put_in_place(struct sift *sift, struct failure *why)
{
	int result;

	if (folder_sync_one(sift->folder, sift->path, why) < 0)
		return -1;
	if (sift->stay > 0)
		result = renameat(sift->folder, sift->temporary, sift->folder, sift->name);
	else
		result = unlinkat(sift->folder, sift->name, 0);
	if (result < 0)
		return storage_failure(why, "replace", sift->path);
	if (sift->stay == 0)
		unlinkat(sift->folder, sift->temporary, 0);
	return folder_sync_one(sift->folder, sift->path, why);
}

static int sift_locked(struct sift *sift, struct failure *why)
{
	int result;

	if (go_through(sift, count_line, why) < 0)
		return -1;
	if (sift->go == 0)
		return 0;
	result = write_rest(sift, why);
	if (result == 0)
		result = put_in_place(sift, why);
	if (result < 0)
		unlinkat(sift->folder, sift->temporary, 0);
	return result;
}

int lines_sift(int folder, const char *folder_path, const char *name,
	enum line_fate (*judge)(void *context, const struct line *line), void *context,
	struct failure *why)
{
	char path[PATH_MAX + NAME_MAX + 2];
	struct sift sift = {.folder = folder, .name = name, .path = path, .judge = judge,
		.context = context, .why = why};
	int result, lock;

	snprintf(path, sizeof(path), "%s/%s", folder_path, name);
	snprintf(sift.temporary, sizeof(sift.temporary), ".%.200s.new", name);
	lock = lines_open_locked(folder, name, O_RDONLY, path, why);
	if (lock < 0)
		return -1;
	result = sift_locked(&sift, why);
	close(lock);
	return result;
}
