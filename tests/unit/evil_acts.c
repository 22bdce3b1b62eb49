/* Acts against files, programs and other processes. */
#include "evil_acts.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define ACT(name) static int name(const struct prey *prey)
#define UNUSED (void)prey

static int opens(const char *path, int flags)
{
	int fd = open(path, flags, 0600);

	if (fd != -1)
		close(fd);
	return fd == -1 ? -1 : 0;
}

/* --- files ----------------------------------------------------------------------------- */

ACT(create_file)
{
	UNUSED;
	return opens("new", O_WRONLY | O_CREAT);
}
ACT(write_file)
{
	UNUSED;
	return opens("victim", O_WRONLY);
}
ACT(empty_file)
{
	UNUSED;
	return truncate("victim", 0);
}
ACT(read_own_secret)
{
	UNUSED;
	return opens("secrets/own.secret", O_RDONLY);
}
ACT(read_other_secret)
{
	UNUSED;
	return opens("secrets/other.secret", O_RDONLY);
}
ACT(read_secret_openat2)
{
	uint64_t how[3] = {O_RDONLY, 0, 0};

	UNUSED;
	return syscall(SYS_openat2, AT_FDCWD, "secrets/other.secret", how, sizeof(how)) < 0 ? -1
											    : 0;
}
ACT(read_passwd)
{
	UNUSED;
	return opens("/etc/passwd", O_RDONLY);
}
ACT(list_secrets)
{
	DIR *dir = opendir("secrets");

	UNUSED;
	if (dir == NULL)
		return -1;
	closedir(dir);
	return 0;
}
ACT(open_path)
{
	UNUSED;
	return opens("secrets", O_PATH);
}
ACT(look_at_secret)
{
	struct stat stat;

	UNUSED;
	return lstat("secrets/other.secret", &stat);
}
ACT(ask_for_access)
{
	UNUSED;
	return access("secrets/other.secret", R_OK);
}
ACT(unlink_file)
{
	UNUSED;
	return unlink("victim");
}
ACT(rename_file)
{
	UNUSED;
	return rename("victim", "moved");
}
ACT(link_file)
{
	UNUSED;
	return link("victim", "second");
}
ACT(link_symbolic)
{
	UNUSED;
	return symlink("/etc/passwd", "pointer");
}
ACT(read_link)
{
	char to[64];
	UNUSED;
	return readlink("/proc/self/exe", to, 64) < 0 ? -1 : 0;
}
ACT(make_folder)
{
	UNUSED;
	return mkdir("folder", 0700);
}
ACT(remove_folder)
{
	UNUSED;
	return rmdir("empty");
}
ACT(make_fifo)
{
	UNUSED;
	return mkfifo("fifo", 0600);
}
ACT(change_mode)
{
	UNUSED;
	return chmod("victim", 04777);
}
ACT(change_owner)
{
	UNUSED;
	return chown("victim", getuid(), getgid());
}
ACT(change_times)
{
	UNUSED;
	return utimensat(AT_FDCWD, "victim", NULL, 0);
}
ACT(change_folder)
{
	UNUSED;
	return chdir("/");
}
ACT(write_temporary)
{
	UNUSED;
	return opens("/tmp", O_TMPFILE | O_RDWR);
}
ACT(memory_file)
{
	UNUSED;
	return memfd_create("evil", 0) < 0 ? -1 : 0;
}
ACT(shared_memory)
{
	UNUSED;
	return shmget(IPC_PRIVATE, 4096, 0600) < 0 ? -1 : 0;
}

/* --- programs and processes ------------------------------------------------------------ */

ACT(execute)
{
	char *const argv[] = {(char *)(uintptr_t) "true", NULL};

	UNUSED;
	return execv("/bin/true", argv);
}
ACT(execute_at)
{
	char *const argv[] = {(char *)(uintptr_t) "true", NULL};

	UNUSED;
	return execveat(AT_FDCWD, "/bin/true", argv, NULL, 0);
}
static int ends_child(long pid)
{
	if (pid < 0)
		return -1;
	if (pid == 0)
		_exit(0);
	waitpid((pid_t)pid, NULL, 0);
	return 0;
}
ACT(fork_process)
{
	UNUSED;
	return ends_child(fork());
}
ACT(fork_by_call)
{
	UNUSED;
	return ends_child(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
}
ACT(fork_by_clone3)
{
	uint64_t args[11] = {[4] = SIGCHLD};

	UNUSED;
	return ends_child(syscall(SYS_clone3, args, sizeof(args)));
}
ACT(signal_parent)
{
	return kill(prey->parent, SIGURG);
}
ACT(signal_thread)
{
	return (int)syscall(SYS_tgkill, prey->parent, prey->parent, SIGURG);
}
ACT(signal_tkill)
{
	return (int)syscall(SYS_tkill, prey->parent, SIGURG);
}
ACT(signal_queue)
{
	union sigval value = {0};

	return sigqueue(prey->parent, SIGURG, value);
}
ACT(signal_pidfd)
{
	int fd = pidfd_open(prey->parent, 0);

	return fd == -1 ? -1 : pidfd_send_signal(fd, SIGURG, NULL, 0);
}
ACT(signal_by_socket)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	return fcntl(fd, F_SETOWN, prey->parent);
}
ACT(trace_parent)
{
	if (ptrace(PTRACE_SEIZE, prey->parent, NULL, NULL) != 0)
		return -1;
	ptrace(PTRACE_DETACH, prey->parent, NULL, NULL);
	return 0;
}
ACT(trace_me)
{
	UNUSED;
	return (int)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}
ACT(read_parent)
{
	char got[8];
	struct iovec here = {got, sizeof(got)}, there = {prey->word, sizeof(got)};

	return process_vm_readv(prey->parent, &here, 1, &there, 1, 0) < 0 ? -1 : 0;
}
ACT(write_parent)
{
	char put[8] = "evil";
	struct iovec here = {put, sizeof(put)}, there = {prey->word, sizeof(put)};

	return process_vm_writev(prey->parent, &here, 1, &there, 1, 0) < 0 ? -1 : 0;
}
static int open_of_parent(const struct prey *prey, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)prey->parent, name);
	return opens(path, O_RDONLY);
}
ACT(open_memory)
{
	return open_of_parent(prey, "mem");
}
ACT(open_environment)
{
	return open_of_parent(prey, "environ");
}
ACT(open_command_line)
{
	return open_of_parent(prey, "cmdline");
}
ACT(slow_parent)
{
	return setpriority(PRIO_PROCESS, (id_t)prey->parent, 19);
}
ACT(limit_parent)
{
	struct rlimit none = {0, 0}, old;

	/* As much as it has: this must not harm the test. */
	return prlimit(prey->parent, RLIMIT_NOFILE, NULL, &old) != 0
		? -1
		: prlimit(prey->parent, RLIMIT_CORE, &none, NULL);
}

const struct evil_act evil_acts_here[] = {
	{"create a file", create_file, true},
	{"write to a file", write_file, true},
	{"empty a file", empty_file, true},
	{"read its own customer's secret file", read_own_secret, true},
	{"read another customer's secret", read_other_secret, true},
	{"read it by openat2", read_secret_openat2, true},
	{"read /etc/passwd", read_passwd, true},
	{"list the secrets folder", list_secrets, true},
	{"hold a folder by O_PATH", open_path, true},
	{"look at a secret's size and dates", look_at_secret, true},
	{"ask whether a file is there", ask_for_access, true},
	{"unlink a file", unlink_file, true},
	{"rename a file", rename_file, true},
	{"link a file", link_file, true},
	{"make a symbolic link", link_symbolic, true},
	{"read a symbolic link", read_link, true},
	{"make a folder", make_folder, true},
	{"remove a folder", remove_folder, true},
	{"make a FIFO", make_fifo, true},
	{"change a file's mode", change_mode, true},
	{"change a file's owner", change_owner, true},
	{"change a file's dates", change_times, true},
	{"change the current folder", change_folder, true},
	{"make a temporary file", write_temporary, false},
	{"make a file in memory", memory_file, true},
	{"make shared memory", shared_memory, true},
	{"execute a program", execute, true},
	{"execute it by execveat", execute_at, true},
	{"fork", fork_process, true},
	{"fork by clone", fork_by_call, true},
	{"fork by clone3", fork_by_clone3, true},
	{"signal the parent", signal_parent, true},
	{"signal a thread of the parent", signal_thread, true},
	{"signal it by tkill", signal_tkill, true},
	{"queue a signal for the parent", signal_queue, true},
	{"signal it by a pidfd", signal_pidfd, true},
	{"have a socket signal the parent", signal_by_socket, true},
	{"trace the parent", trace_parent, false},
	{"be traced", trace_me, false},
	{"read the parent's memory", read_parent, false},
	{"write to the parent's memory", write_parent, false},
	{"open /proc/PARENT/mem", open_memory, false},
	{"open /proc/PARENT/environ", open_environment, false},
	{"open /proc/PARENT/cmdline", open_command_line, true},
	{"slow down the parent", slow_parent, false},
	{"limit the parent", limit_parent, false},
	{0},
};
