#include "folder_grant.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ban.h"

/* Root gives up its rights before it looks into anything, so somebody must have them instead. */
static int take_owner(
	struct folder_grant *grant, const struct stat *stat, const char *name, struct failure *why)
{
	if (stat->st_uid == 0)
		return failure_set(why, ERROR_CONFIG_FILE,
			"%s belongs to root, whose rights are given up before mail is read: it "
			"must "
			"belong to a user",
			name);
	if (grant->count > 0 && stat->st_uid != grant->owner)
		return failure_set(why, ERROR_CONFIG_FILE,
			"%s belongs to another user than the folders of earlier steps: only one of "
			"them can be read in one run",
			name);
	if (grant->count == 0) {
		grant->owner = stat->st_uid;
		grant->group = stat->st_gid;
	}
	return 0;
}

int folder_grant_add(struct folder_grant *grant, int folder, const char *name, struct failure *why)
{
	struct stat stat;

	if (grant->count == GRANT_MAX)
		return failure_set(why, ERROR_CONFIG_FILE,
			"%s is one folder more than the %d that a run may look into", name,
			GRANT_MAX);
	if (fstat(folder, &stat) == -1)
		return failure_set(why, ERROR_CONFIG_FILE, "%s: %s", name, strerror(errno));
	if (geteuid() == 0 && take_owner(grant, &stat, name, why) == -1)
		return -1;
	grant->folders[grant->count++] = folder;
	return 0;
}
