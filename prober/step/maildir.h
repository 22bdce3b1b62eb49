/* maildir - a Maildir of this machine: its folders `new` and `cur`, watched and searched.
 *
 * Opened before the jail; from inside it, only files beneath these two folders can be read and
 * removed (grant.h). What lies in them was put there by anybody: nothing but regular files is
 * read, no symbolic link is followed, and nothing blocks.
 */
#ifndef MAILPROBE_MAILDIR_H
#define MAILPROBE_MAILDIR_H

#include "clock.h"
#include "failure.h"
#include "folder_grant.h"

struct maildir;

enum maildir_folder { MAILDIR_NEW, MAILDIR_CUR, MAILDIR_FOLDERS };
extern const char *const maildir_folder_names[]; /* "new", "cur" */

/* Opens the folders, watches them (inotify) from now on and puts them into reach. NULL on failure:
 * config.file, or local.resource if this machine has no more watches. */
struct maildir *maildir_open(const char *path, struct folder_grant *grant, struct failure *why);
void maildir_close(struct maildir **maildir);

/* A file may be new there, under that name, or may have gone again. */
typedef void maildir_visit(void *context, enum maildir_folder folder, const char *name);

/* Waits until the deadline, or for what has come since the last call: 1 if there was news, of which
 * `visit` has been told each; 0 without; -1 failed (config.file if a folder was taken away). If
 * news were lost, all files are visited. *quiet_ns_r is set to the last instant at which it was
 * seen that there was none, if there was such an instant. */
int maildir_wait(struct maildir *maildir, struct deadline deadline, maildir_visit *visit,
	void *context, int64_t *quiet_ns_r, struct failure *why);

/* Visits all files, as they are now. A mail that is moved from new to cur meanwhile is not missed.
 * Fails with local.resource if it cannot be done by the deadline. */
int maildir_scan(struct maildir *maildir, struct deadline deadline, maildir_visit *visit,
	void *context, struct failure *why);

enum maildir_read {
	MAILDIR_READ,
	MAILDIR_PASSED_OVER, /* no regular file, larger than `most` bytes, or not changed `since` */
	MAILDIR_GONE,
	MAILDIR_UNREADABLE,
};

struct maildir_limits {
	size_t most;
	int64_t since_ns; /* wall clock; by the date on which the file was last changed (ctime) */
};

/* Reads a file whole; the text is the caller's to free, and not ended by a null byte. */
enum maildir_read maildir_read(struct maildir *maildir, enum maildir_folder folder,
	const char *name, const struct maildir_limits *limits, char **text_r, size_t *length_r);

/* 0, or -1 with errno. */
int maildir_remove(struct maildir *maildir, enum maildir_folder folder, const char *name);

#endif
