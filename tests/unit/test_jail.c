/* The evil worker: everything in evil_acts.c is tried from inside the jail, as root's worker and
 * as a user's, with Landlock and without. First each act that any user may do is tried without
 * a jail, so that it is known to be a real one. Then what honest work needs is tried. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <netinet/in.h>

#include "clock.h"
#include "evil_acts.h"
#include "jail.h"
#include "tap.h"

#if defined(__SANITIZE_ADDRESS__)
#define FULL "partial" /* no limit on memory */
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FULL "partial"
#endif
#endif
#ifndef FULL
#define FULL "full"
#endif

#define SOME_USER 12345
/* Who owns the folder that is granted: root's worker becomes that user. */
#define MAIL_USER() (geteuid() == 0 ? SOME_USER : geteuid())

static char word[8] = "the word";
static struct prey prey;
static bool grants; /* the folder `mail` is granted to the next child */
static struct jail_limits limits = {.address_space = (size_t)512 << 20,
	.data = (size_t)200 << 20,
	.descriptors = 64,
	.cpu_seconds = 10};

/* --- one child, one act ---------------------------------------------------------------- */

enum { WORKED = 0, DENIED = 40, KILLED, NOT_AS_EXPECTED };

static int open_granted(struct folder_grant *grant)
{
	struct failure why = {0};
	int fd = open("mail", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd == -1 || folder_grant_add(grant, fd, "mail", &why) != 0)
		abort();
	return fd;
}

static int run_child(int (*play)(const void *), const void *context, bool jailed,
	unsigned int without, const char *state)
{
	struct folder_grant grant = {0};
	pid_t parent = getpid(), pid;
	int status, pair[2];

	fflush(stdout);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		abort();
	pid = fork();
	if (pid == 0) {
		struct jail_report report;

		limits.without = without;
		if (jailed)
			jail_prepare(pair[1], parent);
		prey.granted = grants ? open_granted(&grant) : -1;
		limits.grant = grants ? &grant : NULL;
		if (jailed) {
			jail_enter(&limits, &report);
			if (strcmp(jail_state(&report), state) != 0)
				_exit(NOT_AS_EXPECTED);
		}
		_exit(play(context) == -1 ? DENIED : WORKED);
	}
	close(pair[0]);
	close(pair[1]);
	if (waitpid(pid, &status, 0) != pid)
		return NOT_AS_EXPECTED;
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS ? KILLED
		: WIFSIGNALED(status)                            ? 128 + WTERMSIG(status)
								 : WEXITSTATUS(status);
}

static int commit(const void *context)
{
	const struct evil_act *act = context;

	return act->commit(&prey);
}

static const struct evil_act *const all_acts[] = {evil_acts_here, evil_acts_beyond, NULL};

static void test_act(
	const char *who, unsigned int without, const char *state, const struct evil_act *act)
{
	int result;

	prey_refresh();
	result = run_child(commit, act, true, without, state);
	if (!ok(result == DENIED || result == KILLED, "%s, sandbox %s: denied: %s", who, state,
		    act->name))
		diag("got %d", result);
}

static void test_acts(const char *who, unsigned int without, const char *state)
{
	for (size_t i = 0; all_acts[i] != NULL; i++)
		for (const struct evil_act *act = all_acts[i]; act->name != NULL; act++)
			test_act(who, without, state, act);
	for (const struct evil_act *act = evil_acts_granted; grants && act->name != NULL; act++)
		test_act(who, without, state, act);
	ok(memcmp(word, "the word", 8) == 0, "%s, sandbox %s: the parent is as it was", who, state);
}

/* Those which a control would have to be root for are left out of it. */
static void test_control(const char *who, const struct evil_act *act)
{
	for (; act->name != NULL; act++) {
		int result;

		if (!act->control)
			continue;
		prey_refresh();
		result = run_child(commit, act, false, 0, "");
		if (!ok(result == WORKED, "%s, without a jail it works: %s", who, act->name))
			diag("got %d", result);
	}
}

/* --- honest work ----------------------------------------------------------------------- */

static int listener(int family, int type, struct sockaddr_in6 *at, socklen_t *length)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)at;
	int fd = socket(family, type | SOCK_CLOEXEC, 0);

	memset(at, 0, sizeof(*at));
	*length = family == AF_INET ? sizeof(*v4) : sizeof(*at);
	if (family == AF_INET) {
		v4->sin_family = AF_INET;
		v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	} else {
		at->sin6_family = AF_INET6;
		at->sin6_addr = in6addr_loopback;
	}
	if (bind(fd, (struct sockaddr *)at, *length) != 0 ||
		getsockname(fd, (struct sockaddr *)at, length) != 0)
		return -1;
	if (type == SOCK_STREAM)
		listen(fd, 8);
	return fd;
}

struct errand {
	struct sockaddr_in6 to;
	socklen_t length;
	int family, type;
};

static int converse(const void *context)
{
	const struct errand *errand = context;
	int one = 1, error = 0, fd = socket(errand->family, errand->type | SOCK_NONBLOCK, 0);
	socklen_t length = sizeof(error);

	if (fd == -1 || fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
		return -1;
	if (connect(fd, (const struct sockaddr *)&errand->to, errand->length) != 0 &&
		errno != EINPROGRESS)
		return -1;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0 || error != 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one)) != 0)
		return -1;
	return write(fd, "hello", 5) == 5 ? 0 : -1;
}

static void test_socket(const char *who, int family, int type, const char *name)
{
	struct errand errand = {.family = family, .type = type};
	int fd = listener(family, type, &errand.to, &errand.length);
	int result = run_child(converse, &errand, true, 0, FULL);

	if (!ok(fd != -1 && result == WORKED, "%s: %s still works", who, name))
		diag("got %d", result);
	close(fd);
}

static void *spend(void *context)
{
	struct deadline deadline = deadline_in(5 * NS_PER_MS);
	char *memory = malloc(100000);

	clock_sleep_until(deadline);
	memset(memory, 1, 100000);
	free(memory);
	return context;
}

static int use_threads(const void *context)
{
	pthread_t threads[20];
	pthread_attr_t small;

	(void)context;
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 1024 * 1024);
	for (int i = 0; i < 20; i++)
		if (pthread_create(&threads[i], &small, spend, NULL) != 0)
			return -1;
	for (int i = 0; i < 20; i++)
		if (pthread_join(threads[i], NULL) != 0)
			return -1;
	return 0;
}

static int take_memory(const void *context)
{
	volatile char *memory = malloc((size_t)64 << 20);

	(void)context;
	if (memory == NULL)
		return -1;
	memory[1000000] = 1;
	return memory[1000000] == 1 ? 0 : -1;
}

static int take_too_much(const void *context)
{
	/* Volatile, lest the compiler do without it. */
	char *volatile memory = malloc((size_t)300 << 20);

	(void)context;
	return memory == NULL ? -1 : 0;
}

static int open_too_many(const void *context)
{
	(void)context;
	for (int i = 0; i < 100; i++)
		if (socket(AF_INET, SOCK_STREAM, 0) == -1)
			return errno == EMFILE ? -1 : 0;
	return 0;
}

static int give_up(const void *context)
{
	(void)context;
	abort();
}

/* Everything but 0 to 3 is closed, those three lead nowhere, and the environment is empty. */
static int look_around(const void *context)
{
	char c;

	(void)context;
	for (int i = 4; i < 100; i++)
		if (fcntl(i, F_GETFD) != -1)
			return -1;
	return read(STDIN_FILENO, &c, 1) == 0 && environ[0] == NULL ? 0 : -1;
}

/* Others of the same user cannot look into it, and it leaves no core. */
static pid_t start_waiting(void)
{
	pid_t parent = getpid(), pid;
	struct jail_report report;
	int ends[2];

	fflush(stdout);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
		abort();
	pid = fork();
	if (pid == 0) {
		limits.without = 0;
		jail_prepare(ends[1], parent);
		jail_enter(&limits, &report);
		if (write(JAIL_FD, "", 1) != 1)
			_exit(1);
		clock_sleep_until(deadline_in(10 * NS_PER_SECOND));
		_exit(0);
	}
	close(ends[1]);
	if (read(ends[0], &(char){0}, 1) != 1)
		diag("it never got into its jail");
	close(ends[0]);
	return pid;
}

static void test_opaque(const char *who)
{
	static const char *const names[] = {"environ", "mem", "maps", NULL};
	pid_t pid = start_waiting();
	int status = 0;

	for (size_t i = 0; names[i] != NULL && geteuid() != 0; i++) {
		char path[64];

		snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, names[i]);
		ok(open(path, O_RDONLY | O_CLOEXEC) == -1, "%s: others cannot read its %s", who,
			names[i]);
	}
	kill(pid, SIGSEGV);
	waitpid(pid, &status, 0);
	ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV && !WCOREDUMP(status),
		"%s: it leaves no core", who);
}

static int is_nobody(const void *context)
{
	(void)context;
	return getuid() == 65534 && geteuid() == 65534 && getgid() == 65534 ? 0 : -1;
}

static void test_work(const char *who)
{
	test_socket(who, AF_INET, SOCK_STREAM, "TCP over IPv4");
	test_socket(who, AF_INET6, SOCK_STREAM, "TCP over IPv6");
	test_socket(who, AF_INET, SOCK_DGRAM, "UDP over IPv4");
	test_socket(who, AF_INET6, SOCK_DGRAM, "UDP over IPv6");
	is_integer(run_child(use_threads, NULL, true, 0, FULL), WORKED, "20 threads");
	is_integer(run_child(take_memory, NULL, true, 0, FULL), WORKED, "64 MB of memory");
	if (strcmp(FULL, "full") == 0)
		is_integer(run_child(take_too_much, NULL, true, 0, FULL), DENIED,
			"300 MB of memory are denied");
	is_integer(
		run_child(open_too_many, NULL, true, 0, FULL), DENIED, "descriptors are limited");
	is_integer(run_child(give_up, NULL, true, 0, FULL), 128 + SIGABRT,
		"abort ends it by its own signal");
	is_integer(run_child(look_around, NULL, true, 0, FULL), WORKED,
		"nothing is open that was not meant to be");
}

/* --- a folder that is granted ------------------------------------------------------------ */

static int read_letter(const void *context)
{
	char text[8] = "";
	int fd = openat(prey.granted, "letter", GRANT_OPEN);

	(void)context;
	return fd != -1 && read(fd, text, 7) == 7 && strcmp(text, "secret\n") == 0 ? 0 : -1;
}

static int remove_letter(const void *context)
{
	(void)context;
	return unlinkat(prey.granted, "letter", 0);
}

static int list_letters(const void *context)
{
	char entries[4096];

	(void)context;
	return lseek(prey.granted, 0, SEEK_SET) == 0 &&
			getdents64(prey.granted, entries, sizeof(entries)) > 0
		? 0
		: -1;
}

static int owns_mail(const void *context)
{
	const uid_t *user = context;

	return getuid() == *user && geteuid() == *user && getgid() == *user ? 0 : -1;
}

static void test_granted_act(const char *who, int (*play)(const void *), const void *context,
	unsigned int without, int want, const char *name)
{
	int result;

	prey_refresh();
	result = run_child(play, context, true, without, without == 0 ? FULL : "partial");
	if (!ok(result == want, "%s: %s", who, name))
		diag("got %d", result);
}

static void test_granted(const char *who)
{
	uid_t user = MAIL_USER();

	grants = true;
	test_control(who, evil_acts_granted);
	test_acts(who, 0, FULL);
	test_acts(who, JAIL_LANDLOCK, "partial");
	test_granted_act(who, read_letter, NULL, JAIL_LANDLOCK, DENIED,
		"without Landlock no mail can be read");
	test_granted_act(who, remove_letter, NULL, JAIL_LANDLOCK, DENIED,
		"without Landlock no mail can be removed");
	test_granted_act(who, list_letters, NULL, JAIL_LANDLOCK, DENIED,
		"without Landlock they cannot be listed");
	test_granted_act(who, read_letter, NULL, 0, WORKED, "a mail can be read");
	test_granted_act(who, list_letters, NULL, 0, WORKED, "the mails can be listed");
	test_granted_act(who, remove_letter, NULL, 0, WORKED, "a mail can be removed");
	test_granted_act(who, owns_mail, &user, 0, WORKED, "the worker is the folder's owner");
	grants = false;
}

/* --- both users ------------------------------------------------------------------------ */

static int nothing(const void *context)
{
	(void)context;
	return 0;
}

static void test_states(void)
{
	is_integer(run_child(nothing, NULL, true, 0, FULL), WORKED, "the sandbox is " FULL);
	is_integer(run_child(nothing, NULL, true, JAIL_LANDLOCK, "partial"), WORKED,
		"without Landlock it is partial");
	is_integer(run_child(nothing, NULL, true, JAIL_SECCOMP, "partial"), WORKED,
		"without seccomp it is partial");
	is_integer(run_child(nothing, NULL, true, JAIL_LANDLOCK | JAIL_SECCOMP, "none"), WORKED,
		"without both it is none");
}

static void test_user(const char *who)
{
	prey_set_out(&prey, word, MAIL_USER());
	for (size_t i = 0; all_acts[i] != NULL; i++)
		test_control(who, all_acts[i]);
	test_acts(who, 0, FULL);
	test_acts(who, JAIL_LANDLOCK, "partial");
	test_granted(who);
	test_work(who);
	test_opaque(who);
	test_states();
	prey_clear(&prey);
}

/* In a process of that user's own; the count of tests comes back over a pipe. */
static void test_as(uid_t user, const char *who)
{
	int counts[2] = {0, 1}, ends[2];
	pid_t pid;

	fflush(stdout);
	if (pipe(ends) != 0)
		abort();
	pid = fork();
	if (pid == 0) {
		if (setresgid(user, user, user) != 0 || setresuid(user, user, user) != 0)
			abort();
		test_user(who);
		counts[0] = tap_count;
		counts[1] = tap_failures;
		fflush(stdout);
		_exit(write(ends[1], counts, sizeof(counts)) == sizeof(counts) ? 0 : 1);
	}
	close(ends[1]);
	if (read(ends[0], counts, sizeof(counts)) == sizeof(counts)) {
		tap_count = counts[0];
		tap_failures = counts[1];
	}
	close(ends[0]);
	waitpid(pid, NULL, 0);
	ok(counts[0] > 0, "%s: all was tried", who);
}

int main(void)
{
	if (geteuid() != 0) {
		test_user("user");
		printf("ok %d - as root # SKIP this is not root\n", ++tap_count);
		return done_testing();
	}
	test_user("root");
	is_integer(run_child(is_nobody, NULL, true, 0, FULL), WORKED, "root's worker is nobody");
	test_as(SOME_USER, "user");
	return done_testing();
}
