/* folder - directories and files of the results, made so that a power cut does not lose them.
 *
 * A file is only as durable as the entry in its directory, and that one as the directory's own
 * entry one level up: whoever makes a file syncs all of them.
 */
#ifndef MAILPROBE_FOLDER_H
#define MAILPROBE_FOLDER_H

#include <limits.h>

#include "failure.h"

/* local.storage, "cannot <verb> <path>: <errno's text>". Always returns -1. */
int storage_failure(struct failure *why, const char *verb, const char *path);

/* Opens a directory; it and what is missing above it are made (0755) and synced into their
 * parents. A descriptor, or -1. */
int folder_make(const char *path, struct failure *why);

/* <results>/<customer>/<scenario>, and each level on the way. A level is never entered through a
 * symbolic link, so that nothing is written elsewhere. */
struct folder {
	int results, customer, scenario; /* descriptors; -1: not open */
	char path[PATH_MAX];
};

int folder_open(struct folder *folder, const char *results_dir, const char *customer,
	const char *scenario, struct failure *why);
void folder_close(struct folder *folder);

/* Syncs all levels, so that a file just made can be found again. */
int folder_sync(const struct folder *folder, struct failure *why);

/* Syncs one directory; `path` is for the sentence. */
int folder_sync_one(int fd, const char *path, struct failure *why);

/* Waits for an exclusive flock(2), up to 5 s: a writer that is stopped in the middle must not
 * stop every other one for good. */
int folder_lock_file(int fd, const char *path, struct failure *why);

#endif
