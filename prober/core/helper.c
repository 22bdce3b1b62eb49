#include "helper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "text.h"

#include "ban.h"

#define HELPER_TIME (5 * NS_PER_SECOND)
#define WORDS_MAX 64
#define CANNOT_EXECUTE 127

struct helper {
	const char *name;
	pid_t pid;
	int pidfd;
	int out; /* what it prints; non-blocking */
};

static char **make_argv(const json_t *words)
{
	size_t count = json_array_size(words);
	char **argv = calloc(count + 1, sizeof(*argv));

	for (size_t i = 0; argv != NULL && i < count; i++)
		/* execvp takes no const, though it changes nothing. */
		argv[i] = (char *)(uintptr_t)json_string_value(json_array_get(words, i));
	return argv;
}

static void reset_signals(void)
{
	struct sigaction act = {.sa_handler = SIG_DFL};
	sigset_t none;

	for (int i = 1; i < NSIG; i++)
		sigaction(i, &act, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* In the child: becomes the helper. */
__attribute__((noreturn)) static void become(
	char **argv, const char *base_dir, int out, pid_t parent)
{
	/* Above the standard ones, should those have been closed. */
	int null = fcntl(open("/dev/null", O_RDWR), F_DUPFD, 3);

	out = fcntl(out, F_DUPFD, 3);
	setpgid(0, 0);
	/* Whoever kills us must not leave a helper behind that still holds the key ring. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent || null == -1 || out == -1)
		_exit(CANNOT_EXECUTE);
	reset_signals();
	dup2(null, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	dup2(null, STDERR_FILENO);
	closefrom(3);
	if (base_dir != NULL && chdir(base_dir) == -1)
		_exit(CANNOT_EXECUTE);
	if (argv[0] == NULL)
		_exit(CANNOT_EXECUTE);
	execvp(argv[0], argv);
	_exit(CANNOT_EXECUTE);
}

static int helper_start(
	struct helper *helper, char **argv, const char *base_dir, struct failure *why)
{
	pid_t parent = getpid();
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) == -1)
		return failure_set(why, ERROR_LOCAL_RESOURCE, "no pipe: %s", strerror(errno));
	helper->pid = fork();
	if (helper->pid == 0)
		become(argv, base_dir, ends[1], parent);
	close(ends[1]);
	helper->out = ends[0];
	fcntl(helper->out, F_SETFL, O_NONBLOCK);
	if (helper->pid == -1) {
		close(helper->out);
		return failure_set(why, ERROR_LOCAL_RESOURCE, "cannot start %s: %s", helper->name,
			strerror(errno));
	}
	/* Both of us do it, so that the group exists whoever runs first. */
	setpgid(helper->pid, helper->pid);
	helper->pidfd = pidfd_open(helper->pid, 0);
	return 0;
}

/* Takes what has come. False at the end of output or if there is no more room. */
static bool take_output(struct helper *helper, char *output, size_t size, size_t *used)
{
	while (*used < size) {
		ssize_t got = read(helper->out, output + *used, size - *used);

		if (got == -1 && errno == EINTR)
			continue;
		if (got <= 0)
			return got == -1 && errno == EAGAIN;
		*used += (size_t)got;
	}
	return false;
}

/* Until it has ended. Its output need not have: something it left in the background may still
 * hold the pipe. Also ends when there is no more room. False at the deadline. */
static bool listen_to(struct helper *helper, char *output, size_t size, size_t *used)
{
	struct deadline deadline = deadline_in(HELPER_TIME);
	struct pollfd polls[] = {
		{.fd = helper->out, .events = POLLIN}, {.fd = helper->pidfd, .events = POLLIN}};

	while (!deadline_passed(deadline)) {
		if (poll(polls, 2, deadline_left_ms(deadline)) <= 0)
			continue;
		if (polls[0].revents != 0 && !take_output(helper, output, size, used))
			polls[0].fd = -1;
		if (*used == size)
			return true;
		if (polls[1].revents != 0) {
			if (polls[0].fd != -1)
				take_output(helper, output, size, used);
			return true;
		}
	}
	return false;
}

/* The group is killed before its leader is reaped: until then its number cannot be reused. */
static int helper_end(struct helper *helper)
{
	int status = 0;

	kill(-helper->pid, SIGKILL);
	kill(helper->pid, SIGKILL);
	while (waitpid(helper->pid, &status, 0) == -1 && errno == EINTR)
		;
	close(helper->out);
	if (helper->pidfd != -1)
		close(helper->pidfd);
	return status;
}

static int judge(
	const struct helper *helper, bool ended, bool full, int status, struct failure *why)
{
	const char *name = helper->name;

	if (full)
		return failure_set(why, ERROR_CONFIG_SECRET,
			"the secret command %s printed more than any secret is long", name);
	if (!ended)
		return failure_set(why, ERROR_CONFIG_SECRET,
			"the secret command %s did not end within 5 s and was killed", name);
	if (WIFEXITED(status) && WEXITSTATUS(status) == CANNOT_EXECUTE)
		return failure_set(why, ERROR_CONFIG_SECRET,
			"the secret command %s cannot be executed: it is missing, not executable, "
			"or "
			"not in $PATH",
			name);
	if (WIFEXITED(status) && WEXITSTATUS(status) != 0)
		return failure_set(why, ERROR_CONFIG_SECRET,
			"the secret command %s exited with status %d; run it by hand as this user "
			"to "
			"see what it says",
			name, WEXITSTATUS(status));
	if (WIFSIGNALED(status))
		return failure_set(why, ERROR_CONFIG_SECRET,
			"the secret command %s died of signal %d", name, WTERMSIG(status));
	return 0;
}

ssize_t helper_output(
	const json_t *words, const char *base_dir, char *output, size_t size, struct failure *why)
{
	char name[128];
	struct helper helper = {.name = name, .pidfd = -1};
	const char *program = json_string_value(json_array_get(words, 0));
	size_t used = 0;
	char **argv;
	bool ended;
	int started;

	if (program == NULL || json_array_size(words) > WORDS_MAX)
		return failure_set(why, ERROR_CONFIG_SECRET,
			"a secret command is a list of 1 to %d words", WORDS_MAX);
	text_printable_copy(name, sizeof(name), program, strlen(program));
	argv = make_argv(words);
	if (argv == NULL)
		return failure_set(why, ERROR_LOCAL_RESOURCE, "no memory to start %s", name);
	started = helper_start(&helper, argv, base_dir, why);
	free(argv);
	if (started != 0)
		return -1;
	ended = helper.pidfd != -1 && listen_to(&helper, output, size, &used);
	if (judge(&helper, ended, used == size, helper_end(&helper), why) != 0)
		return -1;
	return (ssize_t)used;
}
