/* Acts by way of a folder whose files may be read and removed: out of it, and against it. */
#include "evil_acts.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "folder_grant.h"

#define ACT(name) static int name(const struct prey *prey)

static int opens(int folder, const char *path, int flags)
{
	int fd = openat(folder, path, flags, 0600);

	if (fd != -1)
		close(fd);
	return fd == -1 ? -1 : 0;
}

ACT(climb_out)
{
	return opens(prey->granted, "../secrets/other.secret", GRANT_OPEN);
}
ACT(climb_out_by_root)
{
	return opens(prey->granted, "/etc/passwd", GRANT_OPEN);
}
ACT(climb_out_by_own_path)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/secrets/own.secret", prey->folder);
	return opens(prey->granted, path, GRANT_OPEN);
}
ACT(read_own_process)
{
	return opens(prey->granted, "/proc/self/environ", GRANT_OPEN);
}
ACT(follow_link)
{
	return opens(prey->granted, "link", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
}
ACT(follow_folder_link)
{
	return opens(prey->granted, "up/secrets/other.secret", GRANT_OPEN);
}
ACT(wait_at_fifo)
{
	return opens(prey->granted, "fifo", O_RDWR | O_NOFOLLOW | O_CLOEXEC);
}
ACT(write_granted)
{
	return opens(prey->granted, "letter", O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
}
ACT(empty_granted)
{
	return opens(prey->granted, "letter", GRANT_OPEN | O_TRUNC);
}
ACT(create_granted)
{
	return opens(prey->granted, "forged", GRANT_OPEN | O_CREAT);
}
ACT(hold_granted)
{
	return opens(prey->granted, "letter", GRANT_OPEN | O_PATH);
}
ACT(list_parent)
{
	return opens(prey->granted, "..", GRANT_OPEN);
}
ACT(read_by_current)
{
	(void)prey;
	return opens(AT_FDCWD, "mail/letter", GRANT_OPEN);
}
ACT(unlink_outside)
{
	return unlinkat(prey->granted, "../victim", 0);
}
ACT(unlink_by_current)
{
	(void)prey;
	return unlinkat(AT_FDCWD, "mail/letter", 0);
}
ACT(remove_inner)
{
	return unlinkat(prey->granted, "inner", AT_REMOVEDIR);
}
ACT(rename_granted)
{
	return renameat(prey->granted, "letter", prey->granted, "moved");
}
ACT(link_granted)
{
	return linkat(prey->granted, "letter", prey->granted, "second", 0);
}
ACT(make_inner)
{
	return mkdirat(prey->granted, "folder", 0700);
}
ACT(look_granted)
{
	struct stat stat;

	return fstatat(prey->granted, "../secrets/other.secret", &stat, 0);
}
ACT(change_granted)
{
	return fchmod(prey->granted, 0777);
}
ACT(enter_granted)
{
	return fchdir(prey->granted);
}
ACT(watch_elsewhere)
{
	int fd = inotify_init1(IN_CLOEXEC);

	(void)prey;
	return fd == -1 ? -1 : inotify_add_watch(fd, "secrets", IN_CREATE) == -1 ? -1 : 0;
}

const struct evil_act evil_acts_granted[] = {
	{"climb out of the granted folder", climb_out, true},
	{"leave it by an absolute path", climb_out_by_root, true},
	{"leave it by its own absolute path", climb_out_by_own_path, true},
	{"leave it for /proc", read_own_process, false},
	{"follow a link in it", follow_link, true},
	{"follow a link to a folder in it", follow_folder_link, true},
	{"open a FIFO in it to wait there", wait_at_fifo, true},
	{"write to a mail", write_granted, true},
	{"empty a mail", empty_granted, true},
	{"create a mail", create_granted, true},
	{"hold a mail by O_PATH", hold_granted, true},
	{"open the folder above to list it", list_parent, true},
	{"read a mail by another folder", read_by_current, true},
	{"unlink a file outside of it", unlink_outside, true},
	{"unlink a mail by another folder", unlink_by_current, true},
	{"remove a folder in it", remove_inner, true},
	{"rename a mail", rename_granted, true},
	{"link a mail", link_granted, true},
	{"make a folder in it", make_inner, true},
	{"look at a file outside of it", look_granted, true},
	{"change its mode", change_granted, true},
	{"make it the current folder", enter_granted, true},
	{"watch another folder", watch_elsewhere, true},
	{0},
};
