#include "hook.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ban.h"

#define CANNOT_EXECUTE 127
#define VARIABLES_MAX 16

/* The words and variables, made before the fork. */
struct start {
	char **argv;
	char *envp[VARIABLES_MAX + 1];
	size_t count;
	int input;
};

static void add_variable(struct start *start, const char *name, const char *value)
{
	char *text = NULL;

	if (start->count < VARIABLES_MAX && asprintf(&text, "MAILPROBE_%s=%s", name, value) >= 0)
		start->envp[start->count++] = text;
}

static void add_variables(struct start *start, const struct sink *sink, const json_t *event)
{
	static const char *const keys[][2] = {{"EVENT_ID", "event_id"}, {"DEDUP_KEY", "dedup_key"},
		{"STATE", "state"}, {"SEVERITY", "severity"}, {"SUMMARY", "summary"},
		{"CUSTOMER", "customer"}, {"SCENARIO", "scenario"}};
	char revision[32];

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		add_variable(start, keys[i][0], event_string(event, keys[i][1]));
	snprintf(revision, sizeof(revision), "%lld",
		(long long)json_integer_value(json_object_get(event, "revision")));
	add_variable(start, "REVISION", revision);
	add_variable(start, "VANTAGE", event_vantage(event));
	add_variable(start, "SINK", sink->name);
}

/* A file in memory: a program that does not read it does not stop us. */
static int make_input(const json_t *event)
{
	char *text = json_dumps(event, JSON_COMPACT | JSON_REAL_PRECISION(15));
	int fd = memfd_create("event", MFD_CLOEXEC);
	size_t length = text != NULL ? strlen(text) : 0;

	if (fd != -1 &&
		(length == 0 || write(fd, text, length) != (ssize_t)length ||
			write(fd, "\n", 1) != 1 || lseek(fd, 0, SEEK_SET) != 0)) {
		close(fd);
		fd = -1;
	}
	free(text);
	return fd;
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

__attribute__((noreturn)) static void become(const struct start *start, pid_t parent)
{
	int null = fcntl(open("/dev/null", O_RDWR), F_DUPFD, 3);
	int input = fcntl(start->input, F_DUPFD, 3);

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent || null == -1 || input == -1)
		_exit(CANNOT_EXECUTE);
	reset_signals();
	dup2(input, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	dup2(null, STDERR_FILENO);
	closefrom(3);
	if (chdir("/") == -1)
		_exit(CANNOT_EXECUTE);
	execve(start->argv[0], start->argv, start->envp);
	_exit(CANNOT_EXECUTE);
}

static int fork_it(struct hook *hook, const struct start *start, struct failure *why)
{
	pid_t parent = getpid();

	if (start->argv == NULL || start->input == -1)
		return failure_set(why, ERROR_LOCAL_RESOURCE, "no memory to run the command with");
	fflush(NULL);
	hook->pid = fork();
	if (hook->pid == 0)
		become(start, parent);
	if (hook->pid == -1)
		return failure_set(
			why, ERROR_LOCAL_RESOURCE, "cannot start it: %s", strerror(errno));
	/* Both of us do it, so that the group exists whoever runs first. */
	setpgid(hook->pid, hook->pid);
	hook->pidfd = pidfd_open(hook->pid, 0);
	return 0;
}

int hook_start(struct hook *hook, const struct sink *sink, const json_t *event, struct failure *why)
{
	const json_t *words = json_object_get(sink->config, "run");
	size_t count = json_array_size(words);
	struct start start = {.argv = calloc(count + 1, sizeof(*start.argv))};
	int result;

	for (size_t i = 0; start.argv != NULL && i < count; i++)
		/* execve takes no const, though it changes nothing. */
		start.argv[i] = (char *)(uintptr_t)json_string_value(json_array_get(words, i));
	add_variables(&start, sink, event);
	start.input = make_input(event);
	hook->began_ns = clock_now();
	hook->deadline = deadline_in(sink_duration(sink, "timeout"));
	result = fork_it(hook, &start, why);
	if (start.input != -1)
		close(start.input);
	for (size_t i = 0; i < start.count; i++)
		free(start.envp[i]);
	free(start.argv);
	return result;
}

bool hook_end(struct hook *hook, char *sentence, size_t size)
{
	bool overdue = deadline_passed(hook->deadline);
	siginfo_t info = {.si_pid = 0};
	bool ended;
	int status = 0;

	/* The group is killed before its leader is reaped: until then its number cannot be reused. */
	ended = waitid(P_PID, (id_t)hook->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
		info.si_pid == hook->pid;
	kill(-hook->pid, SIGKILL);
	while (waitpid(hook->pid, &status, 0) == -1 && errno == EINTR)
		;
	if (hook->pidfd != -1)
		close(hook->pidfd);
	if (!ended)
		snprintf(sentence, size, "the command %s, and was killed with all it had started",
			overdue ? "did not end in its time" : "had to make way");
	else if (WIFEXITED(status) && WEXITSTATUS(status) == CANNOT_EXECUTE)
		snprintf(sentence, size,
			"the command could not be executed, or exited with status %d",
			CANNOT_EXECUTE);
	else if (WIFEXITED(status))
		snprintf(sentence, size, "the command exited with status %d after %.1f s",
			WEXITSTATUS(status), clock_seconds(clock_now() - hook->began_ns));
	else
		snprintf(sentence, size, "the command died of signal %d", WTERMSIG(status));
	hook->duration_ns = clock_now() - hook->began_ns;
	hook->ended = ended;
	hook->overdue = overdue;
	hook->status = status;
	return ended && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}
