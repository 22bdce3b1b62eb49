/* One run of a scenario at a time. */
#include <signal.h>
#include <sys/wait.h>

#include "lock.h"
#include "store_help.h"

static struct failure why;

static int try_lock(const char *scenario)
{
	int fd = lock_take(test_folder, "acme", scenario, &why);

	lock_release(fd);
	return fd >= 0 ? 0 : -1;
}

static void test_overlap(void)
{
	char process[32];
	int fd = lock_take(test_folder, "acme", "mail", &why);
	int inherited[2];
	pid_t child;
	char byte;

	ok(fd >= 0, "a lock is taken");
	ok((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0, "no program that is started has it");
	snprintf(process, sizeof(process), "process %ld, for 0 s", (long)getpid());
	went_wrong(try_lock("mail"), &why, ERROR_LOCAL_OVERLAP, process,
		"a second run is told by whom and since when");
	went_well(try_lock("web"), &why, "another scenario has a lock of its own");
	if (pipe(inherited) != 0)
		abort();
	child = fork();
	if (child == 0) {
		/* Holds the same open file until the parent is done. */
		close(inherited[1]);
		_exit(read(inherited[0], &byte, 1) == 0 ? 0 : 1);
	}
	close(inherited[0]);
	lock_release(fd);
	went_well(try_lock("mail"), &why, "a child that still has it open does not keep it");
	close(inherited[1]);
	waitpid(child, NULL, 0);
}

static void test_killed(void)
{
	int channel[2];
	pid_t child;
	char byte = 0;

	if (pipe(channel) != 0)
		abort();
	child = fork();
	if (child == 0) {
		if (lock_take(test_folder, "acme", "mail", &why) >= 0 && write(channel[1], "", 1))
			pause();
		_exit(1);
	}
	if (read(channel[0], &byte, 1) != 1)
		abort();
	went_wrong(try_lock("mail"), &why, ERROR_LOCAL_OVERLAP, "still going on",
		"another process has it");
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	went_well(try_lock("mail"), &why, "it ends with its holder");
	close(channel[0]);
	close(channel[1]);
}

static void test_odd(void)
{
	int fd = lock_take(test_folder, "acme", "mail", &why);

	write_whole(in_folder("acme/mail/.lock"), "nonsense", 8);
	went_wrong(try_lock("mail"), &why, ERROR_LOCAL_OVERLAP, "acme/mail is still going on",
		"a lock file that says nothing of use");
	lock_release(fd);
	lock_release(-1);
	unlink(in_folder("acme/mail/.lock"));
	if (symlink("/etc/passwd", in_folder("acme/mail/.lock")) != 0)
		abort();
	went_wrong(try_lock("mail"), &why, ERROR_LOCAL_STORAGE, "symbolic links",
		"a symbolic link in its place is not followed");
	went_wrong(lock_take(test_folder, "..", "mail", &why), &why, ERROR_LOCAL_STORAGE,
		"cannot be the name", "a customer that is no name");
	write_whole(in_folder("file"), "", 0);
	went_wrong(lock_take(in_folder("file"), "acme", "mail", &why), &why, ERROR_LOCAL_STORAGE,
		"Not a directory", "a file in the place of the results");
}

int main(void)
{
	make_folder();
	test_overlap();
	test_killed();
	test_odd();
	return done_testing();
}
