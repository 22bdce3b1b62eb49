/* folder_grant - the folders of this machine that steps may look into from inside the jail.
 *
 * A step type opens them before the jail (step_type.open); whoever confines the process gives back
 * beneath exactly these the reading and removing of files, and nothing else.
 */
#ifndef MAILPROBE_FOLDER_GRANT_H
#define MAILPROBE_FOLDER_GRANT_H

#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "failure.h"

#define GRANT_MAX 64

/* The flags by which a file beneath such a folder may be opened: these and no others. */
#define GRANT_OPEN (O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)

struct folder_grant {
	int folders[GRANT_MAX]; /* descriptors; whoever added them closes them */
	size_t count;
	/* Of all folders, if this process is root's: it becomes this user instead of nobody. */
	uid_t owner;
	gid_t group;
	bool denied; /* the jail could not be made so, and has given nothing back */
};

/* Puts an open folder into grant; `name` is what to call it. Fails with config.file if this is a
 * process of root and the folder is root's own, or another user's than those before it. */
int folder_grant_add(struct folder_grant *grant, int folder, const char *name, struct failure *why);

#endif
