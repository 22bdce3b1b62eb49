#include "lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "clock.h"
#include "folder.h"

#include "ban.h"

#define RULES_LOCK ".rules.lock"
#define PATIENCE (5 * NS_PER_SECOND)
#define PAUSE (5 * NS_PER_MS)

/* Who holds the lock and since when, for the sentence of whoever comes too early: "PID TIME\n".
 * Only a courtesy, so that a full disk does not matter here: the lock itself needs no space. */
static void sign(int fd)
{
	char line[64], now[CLOCK_TIMESTAMP_SIZE];
	int length;

	clock_format(clock_wall(), now);
	length = snprintf(line, sizeof(line), "%ld %s\n", (long)getpid(), now);
	if (ftruncate(fd, 0) == 0 && pwrite(fd, line, (size_t)length, 0) < length)
		(void)!ftruncate(fd, 0);
}

static int overlap_failure(int fd, const char *customer, const char *scenario, struct failure *why)
{
	char line[64] = "", *rest = line;
	ssize_t length = pread(fd, line, sizeof(line) - 1, 0);
	int64_t since = 0;
	long pid = strtol(line, &rest, 10);
	int64_t age;

	if (length > 0 && line[length - 1] == '\n')
		line[length - 1] = '\0';
	if (pid <= 0 || *rest != ' ' || clock_parse(rest + 1, &since) < 0)
		return failure_set(why, ERROR_LOCAL_OVERLAP,
			"an earlier run of %s/%s is still going on", customer, scenario);
	age = clock_wall() - since;
	return failure_set(why, ERROR_LOCAL_OVERLAP,
		"an earlier run of %s/%s is still going on (process %ld, for %lld s)", customer,
		scenario, pid, (long long)(age > 0 ? age / NS_PER_SECOND : 0));
}

static int take(const struct folder *folder, const char *customer, const char *scenario,
	struct failure *why)
{
	int fd = openat(folder->scenario, ".lock",
		O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0644);

	if (fd < 0)
		return storage_failure(why, "make the file .lock in", folder->path);
	if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
		sign(fd);
		return fd;
	}
	if (errno == EWOULDBLOCK)
		overlap_failure(fd, customer, scenario, why);
	else
		storage_failure(why, "lock the file .lock in", folder->path);
	close(fd);
	return -1;
}

int lock_take(
	const char *results_dir, const char *customer, const char *scenario, struct failure *why)
{
	struct folder folder;
	int fd;

	if (folder_open(&folder, results_dir, customer, scenario, why) < 0)
		return -1;
	fd = take(&folder, customer, scenario, why);
	folder_close(&folder);
	return fd;
}

static int wait_for(int fd, struct failure *why)
{
	struct deadline patience = deadline_in(PATIENCE);

	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return storage_failure(why, "lock the file", RULES_LOCK);
		if (deadline_passed(patience))
			return failure_set(why, ERROR_LOCAL_OVERLAP,
				"another process has kept " RULES_LOCK " locked for 5 s");
		clock_sleep_until(deadline_in(PAUSE));
	}
	return 0;
}

int lock_take_rules(const char *results_dir, struct failure *why)
{
	int folder = folder_make(results_dir, why), fd;

	if (folder < 0)
		return -1;
	fd = openat(folder, RULES_LOCK, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
		0644);
	close(folder);
	if (fd < 0)
		return storage_failure(why, "make the file " RULES_LOCK " in", results_dir);
	if (wait_for(fd, why) == 0)
		return fd;
	close(fd);
	return -1;
}

void lock_release(int fd)
{
	if (fd < 0)
		return;
	/* A child that was forked meanwhile shares the open file: closing alone would leave the
	 * lock with it. */
	flock(fd, LOCK_UN);
	close(fd);
}
