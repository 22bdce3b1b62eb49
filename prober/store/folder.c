#include "folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "field.h"
#include "text.h"

#include "ban.h"

#define DIRECTORY_FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC)
#define LOCK_PATIENCE (5 * NS_PER_SECOND)
#define LOCK_PAUSE (2 * NS_PER_MS)

int storage_failure(struct failure *why, const char *verb, const char *path)
{
	return failure_set(
		why, ERROR_LOCAL_STORAGE, "cannot %s %s: %s", verb, path, strerror(errno));
}

int folder_sync_one(int fd, const char *path, struct failure *why)
{
	if (fsync(fd) < 0)
		return storage_failure(why, "sync the directory", path);
	return 0;
}

/* The path of the directory that `path` lies in. */
static void parent_of(const char *path, char parent[static PATH_MAX])
{
	size_t length = strlen(path);

	while (length > 1 && path[length - 1] == '/')
		length--;
	while (length > 0 && path[length - 1] != '/')
		length--;
	while (length > 1 && path[length - 1] == '/')
		length--;
	snprintf(parent, PATH_MAX, "%.*s", length > 0 ? (int)length : 1, length > 0 ? path : ".");
}

static int sync_path(const char *path, struct failure *why)
{
	int fd = open(path, DIRECTORY_FLAGS);
	int result;

	if (fd < 0)
		return storage_failure(why, "open the directory", path);
	result = folder_sync_one(fd, path, why);
	close(fd);
	return result;
}

static int make_missing(const char *path, struct failure *why)
{
	char parent[PATH_MAX];

	if (mkdir(path, 0755) < 0) {
		if (errno == EEXIST)
			return 0;
		parent_of(path, parent);
		if (errno != ENOENT || strcmp(parent, path) == 0)
			return storage_failure(why, "make the directory", path);
		if (make_missing(parent, why) < 0)
			return -1;
		if (mkdir(path, 0755) < 0 && errno != EEXIST)
			return storage_failure(why, "make the directory", path);
	}
	parent_of(path, parent);
	return sync_path(parent, why);
}

int folder_make(const char *path, struct failure *why)
{
	int fd = open(path, DIRECTORY_FLAGS);

	if (fd < 0 && errno == ENOENT && path[0] != '\0') {
		if (strlen(path) >= PATH_MAX / 2)
			errno = ENAMETOOLONG;
		else if (make_missing(path, why) < 0)
			return -1;
		else
			fd = open(path, DIRECTORY_FLAGS);
	}
	if (fd < 0)
		storage_failure(why, "open the directory", path);
	return fd;
}

/* One level below an open directory; a descriptor, or -1. */
static int enter(int above, const char *name, const char *path, struct failure *why)
{
	int fd;

	/* Names were checked when the scenario was loaded; a second look costs nothing and keeps
	 * ".." out whoever calls. */
	if (!field_is_name(name)) {
		failure_set(
			why, ERROR_LOCAL_STORAGE, "\"%.64s\" cannot be the name of a folder", name);
		return -1;
	}
	if (mkdirat(above, name, 0755) == 0) {
		if (folder_sync_one(above, path, why) < 0)
			return -1;
	} else if (errno != EEXIST) {
		return storage_failure(why, "make the directory", path);
	}
	fd = openat(above, name, DIRECTORY_FLAGS | O_NOFOLLOW);
	if (fd < 0)
		storage_failure(why, "open the directory", path);
	return fd;
}

int folder_open(struct folder *folder, const char *results_dir, const char *customer,
	const char *scenario, struct failure *why)
{
	*folder = (struct folder){.results = -1, .customer = -1, .scenario = -1};
	if ((size_t)snprintf(folder->path, sizeof(folder->path), "%s/%s/%s", results_dir, customer,
		    scenario) >= sizeof(folder->path)) {
		errno = ENAMETOOLONG;
		return storage_failure(why, "use the directory", results_dir);
	}
	folder->results = folder_make(results_dir, why);
	if (folder->results >= 0)
		folder->customer = enter(folder->results, customer, folder->path, why);
	if (folder->customer >= 0)
		folder->scenario = enter(folder->customer, scenario, folder->path, why);
	if (folder->scenario >= 0)
		return 0;
	folder_close(folder);
	return -1;
}

void folder_close(struct folder *folder)
{
	int *const levels[] = {&folder->scenario, &folder->customer, &folder->results};

	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		if (*levels[i] >= 0)
			close(*levels[i]);
		*levels[i] = -1;
	}
}

int folder_sync(const struct folder *folder, struct failure *why)
{
	const int levels[] = {folder->scenario, folder->customer, folder->results};

	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		if (levels[i] >= 0 && folder_sync_one(levels[i], folder->path, why) < 0)
			return -1;
	return 0;
}

int folder_lock_file(int fd, const char *path, struct failure *why)
{
	struct deadline patience = deadline_in(LOCK_PATIENCE);

	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return storage_failure(why, "lock", path);
		if (deadline_passed(patience))
			return failure_set(why, ERROR_LOCAL_STORAGE,
				"another process has kept %s locked for 5 s", path);
		clock_sleep_until(deadline_in(LOCK_PAUSE));
	}
	return 0;
}
