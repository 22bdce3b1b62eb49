#include "jail.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <malloc.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/capability.h>

#include "ban.h"

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

/* "nobody" everywhere; asking the name service would load its libraries. */
#define NOBODY 65534
/* Of all processes of that user: stops a flood of threads, not a hundred workers. */
#define TASKS_MAX 4096

/* --- right after the fork -------------------------------------------------------------- */

static void reset_signals(void)
{
	struct sigaction act = {.sa_handler = SIG_DFL};
	sigset_t none;

	for (int i = 1; i < NSIG; i++)
		sigaction(i, &act, NULL);
	/* A server that hangs up is an error of write, not a reason to die. */
	act.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &act, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Changing the user takes this back, so that it is done twice. */
static void die_with_parent(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_DUMPABLE, 0);
	/* It may have gone before we asked. */
	if (getppid() != parent)
		_exit(1);
}

static void close_others(int keep)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	/* Above all that is assigned below. */
	keep = fcntl(keep, F_DUPFD_CLOEXEC, JAIL_FD + 1);
	null = fcntl(null, F_DUPFD_CLOEXEC, JAIL_FD + 1);
	if (keep == -1 || null == -1)
		_exit(1);
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	/* The sanitizers' reports must be seen. */
	if (!SANITIZED)
		dup2(null, STDERR_FILENO);
	dup3(keep, JAIL_FD, O_CLOEXEC);
	closefrom(JAIL_FD + 1);
}

void jail_prepare(int keep, pid_t parent)
{
	setpgid(0, 0);
	reset_signals();
	die_with_parent(parent);
	close_others(keep);
}

/* --- the walls ------------------------------------------------------------------------- */

static void miss(struct jail_report *report, const char *what)
{
	if (report->count < JAIL_MISSING_MAX)
		report->missing[report->count++] = what;
}

static void limit(struct jail_report *report, int resource, size_t value, const char *name)
{
	/* A second more until SIGKILL lets SIGXCPU say what it was. */
	struct rlimit now, want = {.rlim_cur = value, .rlim_max = value + (resource == RLIMIT_CPU)};

	/* A smaller limit that is there already is as good. */
	if (getrlimit(resource, &now) == 0 && now.rlim_max < want.rlim_max)
		want.rlim_max = now.rlim_max;
	if (want.rlim_cur > want.rlim_max)
		want.rlim_cur = want.rlim_max;
	if (setrlimit(resource, &want) != 0)
		miss(report, name);
}

static void limit_all(const struct jail_limits *limits, struct jail_report *report)
{
	/* The address sanitizer maps terabytes. */
	if (SANITIZED) {
		miss(report, "rlimit-as");
	} else {
		limit(report, RLIMIT_AS, limits->address_space, "rlimit-as");
		limit(report, RLIMIT_DATA, limits->data, "rlimit-data");
	}
	limit(report, RLIMIT_CPU, limits->cpu_seconds, "rlimit-cpu");
	limit(report, RLIMIT_NOFILE, limits->descriptors, "rlimit-nofile");
	limit(report, RLIMIT_CORE, 0, "rlimit-core");
	limit(report, RLIMIT_FSIZE, 0, "rlimit-fsize");
	limit(report, RLIMIT_NPROC, TASKS_MAX, "rlimit-nproc");
	limit(report, RLIMIT_MSGQUEUE, 0, "rlimit-msgqueue");
}

static bool drop_capabilities(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {{0}};

	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	return syscall(SYS_capset, &header, none) == 0;
}

static bool drop_root(const struct folder_grant *grant)
{
	uid_t user = grant != NULL && grant->count > 0 ? grant->owner : NOBODY;
	gid_t group = grant != NULL && grant->count > 0 ? grant->group : NOBODY;

	if (geteuid() != 0 && getuid() != 0)
		return true;
	return setgroups(0, NULL) == 0 && setresgid(group, group, group) == 0 &&
		setresuid(user, user, user) == 0;
}

/* It may hold the secrets of other customers; what was needed of it has been read. */
static void wipe_environment(void)
{
	for (char **at = environ; at != NULL && *at != NULL; at++)
		explicit_bzero(*at, strlen(*at));
	if (environ != NULL)
		environ[0] = NULL;
}

void jail_enter(const struct jail_limits *limits, struct jail_report *report)
{
	const struct folder_grant *grant = limits->grant;
	pid_t parent = getppid();

	*report = (struct jail_report){0};
	/* Each further arena of malloc would take 64 MB of the address space. */
	mallopt(M_ARENA_MAX, 2);
	wipe_environment();
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		miss(report, "no-new-privs");
	limit_all(limits, report);
	if ((limits->without & JAIL_LANDLOCK) != 0 || !jail_landlock(grant)) {
		miss(report, "landlock");
		grant = NULL;
	}
	report->granted = grant != NULL;
	if (!drop_root(grant))
		miss(report, "unprivileged-user");
	die_with_parent(parent);
	if (!drop_capabilities())
		miss(report, "capabilities");
	if ((limits->without & JAIL_SECCOMP) != 0 || !jail_seccomp(grant))
		miss(report, "seccomp");
}

/* --- the report ------------------------------------------------------------------------ */

static bool lacks(const struct jail_report *report, const char *what)
{
	for (size_t i = 0; i < report->count; i++)
		if (strcmp(report->missing[i], what) == 0)
			return true;
	return false;
}

const char *jail_state(const struct jail_report *report)
{
	if (report->count == 0)
		return "full";
	return lacks(report, "landlock") && lacks(report, "seccomp") ? "none" : "partial";
}

json_t *jail_missing(const struct jail_report *report)
{
	json_t *list = json_array();

	for (size_t i = 0; i < report->count; i++)
		json_array_append_new(list, json_string(report->missing[i]));
	return list;
}
