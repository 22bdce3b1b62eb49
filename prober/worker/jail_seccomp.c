/* The system calls that are left: an allow-list. Most others fail with EPERM, as a library may
 * try something and do without; what only an intruder would try ends the process. */
#include "jail.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include "ban.h"

/* For anything: memory, threads, clocks, and descriptors that are open already. */
static const int allowed[] = {
	SCMP_SYS(brk),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(madvise),
	SCMP_SYS(futex),
	SCMP_SYS(set_robust_list),
	SCMP_SYS(set_tid_address),
	SCMP_SYS(rseq),
	SCMP_SYS(sched_yield),
	SCMP_SYS(sched_getaffinity),
	SCMP_SYS(sigaltstack),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_getres),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(nanosleep),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(time),
	SCMP_SYS(getrandom),
	SCMP_SYS(getpid),
	SCMP_SYS(gettid),
	SCMP_SYS(getppid),
	SCMP_SYS(getuid),
	SCMP_SYS(geteuid),
	SCMP_SYS(getgid),
	SCMP_SYS(getegid),
	SCMP_SYS(getrusage),
	SCMP_SYS(uname),
	SCMP_SYS(read),
	SCMP_SYS(readv),
	SCMP_SYS(write),
	SCMP_SYS(writev),
	SCMP_SYS(recvfrom),
	SCMP_SYS(recvmsg),
	SCMP_SYS(sendto),
	SCMP_SYS(sendmsg),
	SCMP_SYS(close),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(select),
	SCMP_SYS(pselect6),
	SCMP_SYS(epoll_create1),
	SCMP_SYS(epoll_ctl),
	SCMP_SYS(epoll_wait),
	SCMP_SYS(epoll_pwait),
	SCMP_SYS(pipe2),
	SCMP_SYS(eventfd2),
	SCMP_SYS(connect),
	SCMP_SYS(shutdown),
	SCMP_SYS(getsockname),
	SCMP_SYS(getpeername),
	SCMP_SYS(getsockopt),
	SCMP_SYS(fstat),
};

/* No honest code of ours ever gets here. */
static const int deadly[] = {
	SCMP_SYS(execve),
	SCMP_SYS(execveat),
	SCMP_SYS(ptrace),
	SCMP_SYS(process_vm_readv),
	SCMP_SYS(process_vm_writev),
	SCMP_SYS(process_madvise),
	SCMP_SYS(pidfd_getfd),
	SCMP_SYS(kcmp),
	SCMP_SYS(bpf),
	SCMP_SYS(perf_event_open),
	SCMP_SYS(userfaultfd),
	SCMP_SYS(io_uring_setup),
	SCMP_SYS(io_uring_enter),
	SCMP_SYS(io_uring_register),
	SCMP_SYS(keyctl),
	SCMP_SYS(add_key),
	SCMP_SYS(request_key),
	SCMP_SYS(mount),
	SCMP_SYS(umount2),
	SCMP_SYS(pivot_root),
	SCMP_SYS(chroot),
	SCMP_SYS(open_tree),
	SCMP_SYS(move_mount),
	SCMP_SYS(fsopen),
	SCMP_SYS(fsconfig),
	SCMP_SYS(fsmount),
	SCMP_SYS(mount_setattr),
	SCMP_SYS(unshare),
	SCMP_SYS(setns),
	SCMP_SYS(init_module),
	SCMP_SYS(finit_module),
	SCMP_SYS(delete_module),
	SCMP_SYS(kexec_load),
	SCMP_SYS(kexec_file_load),
	SCMP_SYS(reboot),
	SCMP_SYS(swapon),
	SCMP_SYS(swapoff),
	SCMP_SYS(iopl),
	SCMP_SYS(ioperm),
	SCMP_SYS(modify_ldt),
	SCMP_SYS(acct),
	SCMP_SYS(open_by_handle_at),
	SCMP_SYS(settimeofday),
	SCMP_SYS(clock_settime),
	SCMP_SYS(clock_adjtime),
	SCMP_SYS(adjtimex),
	SCMP_SYS(sethostname),
	SCMP_SYS(setdomainname),
	SCMP_SYS(quotactl),
};

static int allow_all(scmp_filter_ctx filter)
{
	int failed = 0;

	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
		failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
	for (size_t i = 0; i < sizeof(deadly) / sizeof(deadly[0]); i++)
		failed |= seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, deadly[i], 0);
	/* The C library then makes its threads by clone, whose flags can be seen. */
	failed |= seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	return failed;
}

#define ALLOW(call, ...)                                                                           \
	seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(call),                             \
		sizeof((struct scmp_arg_cmp[]){__VA_ARGS__}) / sizeof(struct scmp_arg_cmp),        \
		(const struct scmp_arg_cmp[]){__VA_ARGS__})
#define IS(arg, value)                                                                             \
	{                                                                                          \
		(arg), SCMP_CMP_EQ, (scmp_datum_t)(value), 0                                       \
	}
#define AT_MOST(arg, value)                                                                        \
	{                                                                                          \
		(arg), SCMP_CMP_LE, (scmp_datum_t)(value), 0                                       \
	}
#define MASKED(arg, mask, value)                                                                   \
	{                                                                                          \
		(arg), SCMP_CMP_MASKED_EQ, (scmp_datum_t)(mask), (scmp_datum_t)(value)             \
	}

/* TCP and UDP over IP; not raw, not unix, not netlink, nothing exotic. */
static int allow_sockets(scmp_filter_ctx filter)
{
	static const int families[] = {AF_INET, AF_INET6};
	static const struct {
		int type, protocol;
	} kinds[] = {{SOCK_STREAM, 0}, {SOCK_STREAM, IPPROTO_TCP}, {SOCK_DGRAM, 0},
		{SOCK_DGRAM, IPPROTO_UDP}};
	int failed = 0;

	for (size_t f = 0; f < 2; f++)
		for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
			failed |= ALLOW(socket, IS(0, families[f]), MASKED(1, 0xf, kinds[k].type),
				IS(2, kinds[k].protocol));
	return failed;
}

/* The old and plain options; beyond them lie filters, protocol modules and the like. */
static int allow_options(scmp_filter_ctx filter)
{
	int failed = 0;

	failed |= ALLOW(setsockopt, IS(1, SOL_SOCKET), AT_MOST(2, SO_ATTACH_FILTER - 1));
	failed |= ALLOW(setsockopt, IS(1, IPPROTO_TCP), AT_MOST(2, TCP_ULP - 1));
	failed |= ALLOW(setsockopt, IS(1, IPPROTO_IP), AT_MOST(2, 31));
	failed |= ALLOW(setsockopt, IS(1, IPPROTO_IPV6), AT_MOST(2, 31));
	failed |= ALLOW(fcntl, IS(1, F_GETFL));
	failed |= ALLOW(fcntl, IS(1, F_SETFL));
	failed |= ALLOW(fcntl, IS(1, F_GETFD));
	failed |= ALLOW(fcntl, IS(1, F_SETFD));
	failed |= ALLOW(ioctl, IS(1, FIONBIO));
	failed |= ALLOW(ioctl, IS(1, FIONREAD));
	return failed;
}

/* Memory never becomes code; a clone is a thread or nothing; signals are for ourselves. */
static int allow_threads(scmp_filter_ctx filter)
{
	const uint64_t spaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
		CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;
	int failed = 0;

	failed |= ALLOW(mmap, MASKED(2, PROT_EXEC, 0));
	failed |= ALLOW(mprotect, MASKED(2, PROT_EXEC, 0));
#if !defined(__s390__)
	failed |= ALLOW(clone, MASKED(0, CLONE_THREAD | spaces, CLONE_THREAD));
#else
	failed |= ALLOW(clone, MASKED(1, CLONE_THREAD | spaces, CLONE_THREAD));
#endif
	failed |= ALLOW(tgkill, IS(0, getpid()));
	failed |= ALLOW(prctl, IS(0, PR_SET_NAME));
	failed |= ALLOW(prctl, IS(0, PR_GET_NAME));
	/* Looking at a limit, not changing it. */
	failed |= ALLOW(prlimit64, IS(0, 0), IS(2, 0));
	return failed;
}

/* Files beneath these folders, by name; that the name stays beneath them is for Landlock to see to. */
static int allow_granted(scmp_filter_ctx filter, const struct folder_grant *grant)
{
	int failed = 0;

	for (size_t i = 0; grant != NULL && i < grant->count; i++) {
		int folder = grant->folders[i];

		failed |= ALLOW(openat, IS(0, folder),
			MASKED(2, UINT32_MAX & ~(uint32_t)O_LARGEFILE, GRANT_OPEN));
		failed |= ALLOW(unlinkat, IS(0, folder), IS(2, 0));
		failed |= ALLOW(getdents64, IS(0, folder));
		failed |= ALLOW(lseek, IS(0, folder));
	}
	return failed;
}

bool jail_seccomp(const struct folder_grant *grant)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int failed = 0;

	if (filter == NULL)
		return false;
	/* Other architectures (i386, x32) have other numbers: none of their calls. */
	failed |= seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	/* A tree instead of a list: the filter is run at every call. */
	(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	failed |= allow_all(filter);
	failed |= allow_sockets(filter);
	failed |= allow_options(filter);
	failed |= allow_threads(filter);
	failed |= allow_granted(filter, grant);
	if (failed == 0)
		failed = seccomp_load(filter);
	seccomp_release(filter);
	return failed == 0;
}
