/* Acts by sockets, and against the kernel. */
#include "evil_acts.h"

#include <errno.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <linux/capability.h>
#include <linux/filter.h>
#include <netinet/in.h>

#define ACT(name) static int name(const struct prey *prey)
#define UNUSED (void)prey

/* --- sockets --------------------------------------------------------------------------- */

ACT(socket_unix)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX, .sun_path = "socket"};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	UNUSED;
	return fd == -1 ? -1 : connect(fd, (struct sockaddr *)&to, sizeof(to));
}
ACT(socket_abstract)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	UNUSED;
	return fd == -1 ? -1 : 0;
}
ACT(socket_pair)
{
	int pair[2];

	UNUSED;
	return socketpair(AF_UNIX, SOCK_DGRAM, 0, pair);
}
ACT(socket_raw)
{
	UNUSED;
	return socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
}
ACT(socket_ping)
{
	UNUSED;
	return socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP);
}
ACT(socket_packet)
{
	UNUSED;
	return socket(AF_PACKET, SOCK_RAW, 0);
}
ACT(socket_netlink)
{
	UNUSED;
	return socket(AF_NETLINK, SOCK_RAW, 0) < 0 ? -1 : 0;
}
ACT(socket_vsock)
{
	UNUSED;
	return socket(AF_VSOCK, SOCK_STREAM, 0);
}
static int binds(int type)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, type, 0);

	return bind(fd, (struct sockaddr *)&at, sizeof(at));
}
ACT(bind_tcp)
{
	UNUSED;
	return binds(SOCK_STREAM);
}
ACT(bind_udp)
{
	UNUSED;
	return binds(SOCK_DGRAM);
}
ACT(listen_tcp)
{
	UNUSED;
	return listen(socket(AF_INET, SOCK_STREAM, 0), 1);
}
ACT(accept_tcp)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	UNUSED;
	/* EPERM comes from the jail, EINVAL from a socket that does not listen. */
	return accept(fd, NULL, NULL) == -1 && errno == EPERM ? -1 : 0;
}
ACT(filter_socket)
{
	struct sock_filter pass = {BPF_RET, 0, 0, 65535};
	struct sock_fprog program = {1, &pass};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	UNUSED;
	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

/* --- rights and the kernel ------------------------------------------------------------- */

ACT(become_root)
{
	UNUSED;
	return setuid(0);
}
ACT(become_root_fully)
{
	UNUSED;
	return setresuid(0, 0, 0);
}
ACT(become_group)
{
	UNUSED;
	return setgid(0);
}
ACT(take_capabilities)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct all[2] = {{~0U, ~0U, ~0U}, {~0U, ~0U, ~0U}};

	UNUSED;
	return (int)syscall(SYS_capset, &header, all);
}
ACT(become_dumpable)
{
	UNUSED;
	return prctl(PR_SET_DUMPABLE, 1);
}
ACT(outlive_parent)
{
	UNUSED;
	return prctl(PR_SET_PDEATHSIG, 0);
}
ACT(raise_limit)
{
	struct rlimit more;

	UNUSED;
	getrlimit(RLIMIT_NOFILE, &more);
	return setrlimit(RLIMIT_NOFILE, &more);
}
ACT(map_code)
{
	UNUSED;
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		       0) == MAP_FAILED
		? -1
		: 0;
}
ACT(make_code)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	UNUSED;
	return mprotect(page, 4096, PROT_READ | PROT_EXEC);
}
ACT(mount_something)
{
	/* Over a folder that is not there: harmless even if it were allowed. */
	UNUSED;
	return mount("none", "nowhere", "tmpfs", 0, NULL);
}
ACT(change_root)
{
	UNUSED;
	return chroot(".");
}
ACT(new_user_space)
{
	UNUSED;
	return unshare(CLONE_NEWUSER);
}
ACT(new_mount_space)
{
	UNUSED;
	return unshare(CLONE_NEWNS);
}
ACT(enter_space)
{
	UNUSED;
	return setns(0, CLONE_NEWNET);
}
ACT(read_keys)
{
	UNUSED;
	return syscall(SYS_keyctl, 0, -3, 1) < 0 ? -1 : 0;
}
ACT(add_key)
{
	UNUSED;
	return syscall(SYS_add_key, "user", "evil", "x", 1, -3) < 0 ? -1 : 0;
}
ACT(io_ring)
{
	char parameters[256] = {0};

	UNUSED;
	return syscall(SYS_io_uring_setup, 1, parameters) < 0 ? -1 : 0;
}
ACT(load_bpf)
{
	char attributes[128] = {0};

	UNUSED;
	return syscall(SYS_bpf, 0, attributes, sizeof(attributes)) < 0 ? -1 : 0;
}
ACT(perf_events)
{
	char attributes[128] = {0};

	UNUSED;
	return syscall(SYS_perf_event_open, attributes, 0, -1, -1, 0) < 0 ? -1 : 0;
}
ACT(user_faults)
{
	UNUSED;
	return syscall(SYS_userfaultfd, 0) < 0 ? -1 : 0;
}
ACT(unknown_call)
{
	UNUSED;
	return (int)syscall(100000);
}
#ifdef __x86_64__
ACT(call_i386)
{
	long result = 20; /* getpid there, writev here */

	UNUSED;
	__asm__ volatile("int $0x80" : "+a"(result)::"memory");
	return result < 0 ? -1 : 0;
}
ACT(call_x32)
{
	UNUSED;
	return syscall(0x40000000 | SYS_getpid) < 0 ? -1 : 0;
}
#endif

const struct evil_act evil_acts_beyond[] = {
	{"connect to a unix socket", socket_unix, true},
	{"make a unix socket for messages", socket_abstract, true},
	{"make a pair of unix sockets", socket_pair, true},
	{"make a raw socket", socket_raw, false},
	{"make a ping socket", socket_ping, false},
	{"make a packet socket", socket_packet, false},
	{"make a netlink socket", socket_netlink, true},
	{"make a vsock socket", socket_vsock, false},
	{"bind a TCP port", bind_tcp, true},
	{"bind a UDP port", bind_udp, true},
	{"listen", listen_tcp, true},
	{"accept", accept_tcp, true},
	{"put a filter on a socket", filter_socket, false},
	{"become root", become_root, false},
	{"become root for good", become_root_fully, false},
	{"join group 0", become_group, false},
	{"take capabilities", take_capabilities, false},
	{"become dumpable", become_dumpable, true},
	{"outlive its parent", outlive_parent, true},
	{"set a limit", raise_limit, true},
	{"map memory that can be executed", map_code, true},
	{"turn data into code", make_code, true},
	{"mount", mount_something, false},
	{"change the root", change_root, false},
	{"make a user namespace", new_user_space, false},
	{"make a mount namespace", new_mount_space, false},
	{"enter a namespace", enter_space, false},
	{"read the kernel's keys", read_keys, false},
	{"add a key", add_key, false},
	{"set up io_uring", io_ring, false},
	{"load a BPF program", load_bpf, false},
	{"watch performance events", perf_events, false},
	{"handle page faults", user_faults, false},
	{"make a call nobody knows", unknown_call, false},
#ifdef __x86_64__
	{"make a call of i386", call_i386, false},
	{"make a call of x32", call_x32, false},
#endif
	{0},
};
