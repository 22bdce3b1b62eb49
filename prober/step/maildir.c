#include "maildir.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "text.h"

#include "ban.h"

#define PATH_SIZE 4200
/* Deliveries are made by a rename or a link; the rest tells that the watch has ended. */
#define WATCHED (IN_CREATE | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)
#define ENDED (IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT | IN_IGNORED)
#define SLICE (5 * NS_PER_MS) /* how exact the instant of the last quiet is */

const char *const maildir_folder_names[] = {"new", "cur", NULL};

struct maildir {
	char path[PATH_SIZE];
	DIR *folders[MAILDIR_FOLDERS];
	int watches[MAILDIR_FOLDERS];
	int notify;
};

/* --- opening --------------------------------------------------------------------------- */

/* By the descriptor, so that what is watched is what was opened. */
static int watch_folder(struct maildir *maildir, enum maildir_folder i, struct failure *why)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", dirfd(maildir->folders[i]));
	maildir->watches[i] = inotify_add_watch(maildir->notify, path, WATCHED);
	if (maildir->watches[i] != -1)
		return 0;
	return failure_set(why, errno == EACCES ? ERROR_CONFIG_FILE : ERROR_LOCAL_RESOURCE,
		"cannot watch %s/%s: %s", maildir->path, maildir_folder_names[i], strerror(errno));
}

static int open_folder(
	struct maildir *maildir, int base, enum maildir_folder i, struct failure *why)
{
	int fd = openat(
		base, maildir_folder_names[i], O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd != -1)
		maildir->folders[i] = fdopendir(fd);
	if (maildir->folders[i] != NULL)
		return watch_folder(maildir, i, why);
	failure_set(why, ERROR_CONFIG_FILE, "%s is no Maildir that can be read: %s: %s",
		maildir->path, maildir_folder_names[i], strerror(errno));
	if (fd != -1)
		close(fd);
	return -1;
}

static int open_all(struct maildir *maildir, struct folder_grant *grant, struct failure *why)
{
	int base = open(maildir->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), result = 0;

	if (base == -1)
		return failure_set(why, ERROR_CONFIG_FILE, "the Maildir %s cannot be opened: %s",
			maildir->path, strerror(errno));
	maildir->notify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (maildir->notify == -1)
		result = failure_set(why, ERROR_LOCAL_RESOURCE, "no inotify for the Maildir: %s",
			strerror(errno));
	for (int i = 0; i < MAILDIR_FOLDERS && result == 0; i++) {
		result = open_folder(maildir, base, (enum maildir_folder)i, why);
		if (result == 0)
			result = folder_grant_add(grant, dirfd(maildir->folders[i]), maildir->path, why);
	}
	close(base);
	return result;
}

struct maildir *maildir_open(const char *path, struct folder_grant *grant, struct failure *why)
{
	struct maildir *maildir = calloc(1, sizeof(*maildir));
	size_t count = grant->count;

	if (maildir == NULL) {
		failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory");
		return NULL;
	}
	text_copy(maildir->path, sizeof(maildir->path), path);
	maildir->notify = -1;
	if (open_all(maildir, grant, why) == 0)
		return maildir;
	/* Their descriptors are closed, and may soon be something else. */
	grant->count = count;
	maildir_close(&maildir);
	return NULL;
}

void maildir_close(struct maildir **maildir)
{
	struct maildir *gone = *maildir;

	if (gone == NULL)
		return;
	for (int i = 0; i < MAILDIR_FOLDERS; i++)
		if (gone->folders[i] != NULL)
			closedir(gone->folders[i]);
	if (gone->notify != -1)
		close(gone->notify);
	free(gone);
	*maildir = NULL;
}

/* --- news ------------------------------------------------------------------------------ */

struct hearing {
	struct maildir *maildir;
	maildir_visit *visit;
	void *context;
	bool lost; /* there was more than the kernel could keep */
};

static int taken_away(const struct maildir *maildir, enum maildir_folder i, struct failure *why)
{
	return failure_set(why, ERROR_CONFIG_FILE,
		"the folder %s of the Maildir %s was taken away while it was watched",
		maildir_folder_names[i], maildir->path);
}

static int hear(struct hearing *hearing, const struct inotify_event *event, struct failure *why)
{
	if ((event->mask & IN_Q_OVERFLOW) != 0)
		hearing->lost = true;
	for (int i = 0; i < MAILDIR_FOLDERS; i++) {
		if (event->wd != hearing->maildir->watches[i])
			continue;
		if ((event->mask & ENDED) != 0)
			return taken_away(hearing->maildir, (enum maildir_folder)i, why);
		if (event->len > 0 && (event->mask & IN_ISDIR) == 0)
			hearing->visit(hearing->context, (enum maildir_folder)i, event->name);
	}
	return 0;
}

/* All that is there now. */
static int hear_all(struct hearing *hearing, struct failure *why)
{
	_Alignas(struct inotify_event) char buffer[16384];
	ssize_t got;

	while ((got = read(hearing->maildir->notify, buffer, sizeof(buffer))) > 0) {
		const struct inotify_event *event;

		for (char *at = buffer; at < buffer + got; at += sizeof(*event) + event->len) {
			event = (const struct inotify_event *)(const void *)at;
			if (hear(hearing, event, why) == -1)
				return -1;
		}
	}
	return 0;
}

static bool has_news(const struct maildir *maildir, int milliseconds)
{
	struct pollfd poll_fd = {.fd = maildir->notify, .events = POLLIN};

	return poll(&poll_fd, 1, milliseconds) == 1;
}

int maildir_wait(struct maildir *maildir, struct deadline deadline, maildir_visit *visit,
	void *context, int64_t *quiet_ns_r, struct failure *why)
{
	struct hearing hearing = {.maildir = maildir, .visit = visit, .context = context};
	int64_t asked = clock_now();

	while (!has_news(maildir, 0)) {
		*quiet_ns_r = asked;
		if (deadline_passed(deadline))
			return 0;
		(void)has_news(
			maildir, deadline_left_ms(deadline_earlier(deadline, deadline_in(SLICE))));
		asked = clock_now();
	}
	if (hear_all(&hearing, why) == -1 ||
		(hearing.lost &&
			maildir_scan(maildir, deadline_in(NS_PER_SECOND), visit, context, why) ==
				-1))
		return -1;
	return 1;
}

int maildir_scan(struct maildir *maildir, struct deadline deadline, maildir_visit *visit,
	void *context, struct failure *why)
{
	for (int i = 0; i < MAILDIR_FOLDERS; i++) {
		const struct dirent *entry;

		rewinddir(maildir->folders[i]);
		while ((errno = 0, entry = readdir(maildir->folders[i])) != NULL) {
			if (deadline_passed(deadline))
				return failure_set(why, ERROR_LOCAL_RESOURCE,
					"the Maildir %s could not be searched in time",
					maildir->path);
			if (entry->d_name[0] != '.' && entry->d_type != DT_DIR)
				visit(context, (enum maildir_folder)i, entry->d_name);
		}
		if (errno != 0)
			return failure_set(why, ERROR_CONFIG_FILE,
				"the folder %s of the Maildir %s cannot be listed: %s",
				maildir_folder_names[i], maildir->path, strerror(errno));
	}
	return 0;
}

/* --- files ----------------------------------------------------------------------------- */

/* It is whole when it gets there, so that its size is known. */
static enum maildir_read read_whole(int fd, size_t size, char **text_r, size_t *length_r)
{
	char *text = malloc(size > 0 ? size : 1);
	size_t length = 0;
	ssize_t got = 1;

	if (text == NULL)
		return MAILDIR_UNREADABLE;
	while (length < size && (got = read(fd, text + length, size - length)) > 0)
		length += (size_t)got;
	if (got == -1) {
		free(text);
		return MAILDIR_UNREADABLE;
	}
	*text_r = text;
	*length_r = length;
	return MAILDIR_READ;
}

/* The call itself: the C library may ask by a path instead, an empty one, and no call that takes a
 * path of any kind may be made in the jail. */
static int stat_of(int fd, struct stat *stat_r)
{
	return (int)syscall(SYS_fstat, fd, stat_r);
}

static bool is_candidate(const struct stat *stat, const struct maildir_limits *limits)
{
	int64_t changed_ns = stat->st_ctim.tv_sec * NS_PER_SECOND + stat->st_ctim.tv_nsec;

	return S_ISREG(stat->st_mode) && (size_t)stat->st_size <= limits->most &&
		changed_ns >= limits->since_ns;
}

enum maildir_read maildir_read(struct maildir *maildir, enum maildir_folder folder,
	const char *name, const struct maildir_limits *limits, char **text_r, size_t *length_r)
{
	int fd = openat(dirfd(maildir->folders[folder]), name, GRANT_OPEN);
	enum maildir_read result = MAILDIR_PASSED_OVER;
	struct stat stat;

	/* ELOOP: a symbolic link; ENXIO: a socket. */
	if (fd == -1)
		return errno == ENOENT                     ? MAILDIR_GONE
			: errno == ELOOP || errno == ENXIO ? MAILDIR_PASSED_OVER
							   : MAILDIR_UNREADABLE;
	if (stat_of(fd, &stat) == -1)
		result = MAILDIR_UNREADABLE;
	else if (is_candidate(&stat, limits))
		result = read_whole(fd, (size_t)stat.st_size, text_r, length_r);
	close(fd);
	return result;
}

int maildir_remove(struct maildir *maildir, enum maildir_folder folder, const char *name)
{
	return unlinkat(dirfd(maildir->folders[folder]), name, 0);
}
