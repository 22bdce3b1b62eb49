#include "worker.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "frame.h"
#include "worker_account.h"

#include "ban.h"

/* For a worker that has closed its end without a result: its status will tell why. */
#define FAREWELL (100 * NS_PER_MS)
/* For the kernel to end what was killed. */
#define BURIAL (600 * NS_PER_MS)
#define RECEIVE_MAX 16

struct worker {
	struct worker_job job;
	struct worker_account account;
	struct frame_reader reader;
	struct failure broken; /* of the protocol, or of the sandbox */
	pid_t pid;
	int fd;
	int pidfd;
	bool closed; /* it has closed its end */
};

/* --- starting -------------------------------------------------------------------------- */

static void worker_free(struct worker **worker)
{
	struct worker *gone = *worker;

	if (gone->fd != -1)
		close(gone->fd);
	if (gone->pidfd != -1)
		close(gone->pidfd);
	frame_reader_free(&gone->reader);
	worker_account_free(&gone->account);
	free(gone);
	*worker = NULL;
}

static int fork_child(struct worker *worker, struct failure *why)
{
	pid_t parent = getpid();
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == -1)
		return failure_set(
			why, ERROR_LOCAL_RESOURCE, "no socket for a worker: %s", strerror(errno));
	worker->fd = ends[0];
	fflush(NULL);
	worker->pid = fork();
	if (worker->pid == 0)
		child_run(&worker->job, ends[1], parent);
	close(ends[1]);
	if (worker->pid == -1)
		return failure_set(
			why, ERROR_LOCAL_RESOURCE, "cannot fork a worker: %s", strerror(errno));
	/* Both of us do it, so that the group exists whoever runs first. */
	setpgid(worker->pid, worker->pid);
	worker->pidfd = pidfd_open(worker->pid, 0);
	if (worker->pidfd != -1)
		return 0;
	failure_set(why, ERROR_LOCAL_RESOURCE, "cannot watch a worker: %s", strerror(errno));
	kill(worker->pid, SIGKILL);
	waitpid(worker->pid, NULL, 0);
	return -1;
}

struct worker *worker_start(const struct worker_job *job, struct failure *why)
{
	struct worker *worker = calloc(1, sizeof(*worker));

	if (worker == NULL) {
		failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory");
		return NULL;
	}
	worker->job = *job;
	worker->fd = worker->pidfd = -1;
	if (worker_account_open(&worker->account, &worker->job) != 0)
		failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory");
	else if (fork_child(worker, why) == 0)
		return worker;
	worker_free(&worker);
	return NULL;
}

int worker_fd(const struct worker *worker)
{
	return worker->closed ? -1 : worker->fd;
}

int worker_pidfd(const struct worker *worker)
{
	return worker->pidfd;
}

static struct deadline final_deadline(const struct worker *worker)
{
	return (struct deadline){.at_ns = worker->job.deadline.at_ns + WORKER_GRACE};
}

bool worker_overdue(const struct worker *worker)
{
	return deadline_passed(final_deadline(worker));
}

int worker_left_ms(const struct worker *worker)
{
	return deadline_left_ms(final_deadline(worker));
}

/* --- listening ------------------------------------------------------------------------- */

/* Takes the reference. An honest worker reads what it asked for: a full socket is none of its. */
static int answer(struct worker *worker, enum frame_type type, json_t *body)
{
	struct text frame;
	ssize_t sent = -1;

	text_init(&frame, FRAME_MAX);
	if (body != NULL && frame_write(&frame, type, body, &worker->broken) == 0)
		sent = send(worker->fd, frame.bytes, frame.length, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (sent != (ssize_t)frame.length)
		failure_set(&worker->broken, ERROR_WORKER_PROTOCOL,
			"the worker does not take the answer to its question");
	json_decref(body);
	text_free(&frame);
	return worker->broken.type == ERROR_NONE ? 0 : -1;
}

static int refuse(struct worker *worker, const struct failure *no)
{
	return answer(worker, FRAME_REFUSAL,
		json_pack("{s:s, s:s}", "error_type", error_info(no->type)->name, "error",
			no->text));
}

static int on_intent(
	struct worker *worker, const struct worker_listener *listener, const json_t *mail)
{
	struct failure no = {0};
	int refused = listener->intent(listener->context, mail, &no);

	if (refused != 0) {
		failure_set(&no, ERROR_LOCAL_STORAGE, "the ledger refused the mail");
		worker_account_forget(&worker->account, mail);
	}
	return refused == 0 ? answer(worker, FRAME_ACK, json_object()) : refuse(worker, &no);
}

static int on_recall(
	struct worker *worker, const struct worker_listener *listener, const json_t *ids)
{
	struct failure no = {.type = ERROR_LOCAL_STORAGE};
	json_t *mails = listener->recall(listener->context, ids, &no);

	return mails != NULL ? answer(worker, FRAME_RECALLED, json_pack("{s:o}", "mails", mails))
			     : refuse(worker, &no);
}

static int on_settle(
	struct worker *worker, const struct worker_listener *listener, const json_t *mails)
{
	struct failure no = {0};

	if (listener->settle(listener->context, mails, &no) != 0)
		return refuse(worker, &no);
	worker_account_settle(&worker->account, mails);
	return answer(worker, FRAME_ACK, json_object());
}

static int on_token(struct worker *worker, bool listened_to, const json_t *token)
{
	const struct worker_job *job = &worker->job;
	struct failure no = {0};
	int refused = job->keep_token != NULL ? job->keep_token(job->token_context, token, &no) : -1;

	if (refused != 0)
		failure_set(&no, ERROR_LOCAL_STORAGE, "tokens are not kept here");
	if (!listened_to)
		return 0;
	return refused == 0 ? answer(worker, FRAME_ACK, json_object()) : refuse(worker, &no);
}

static int take(struct worker *worker, const struct worker_listener *listener, enum frame_type type,
	json_t *frame)
{
	/* Nobody is left to answer: that mail's final dot has never gone out, and no proof of a
	 * mail's fate was deleted. */
	if (listener == NULL &&
		(type == FRAME_INTENT || type == FRAME_RECALL || type == FRAME_SETTLE))
		return 0;
	if (worker_account_take(&worker->account, type, frame, &worker->broken) != 0)
		return -1;
	if (type == FRAME_INTENT)
		return on_intent(worker, listener, json_object_get(frame, "mail"));
	if (type == FRAME_TOKEN)
		return on_token(worker, listener != NULL, frame);
	if (type == FRAME_RECALL)
		return on_recall(worker, listener, json_object_get(frame, "mails"));
	if (type == FRAME_SETTLE)
		return on_settle(worker, listener, json_object_get(frame, "mails"));
	if (listener == NULL)
		return 0;
	if (type == FRAME_STATE)
		listener->state(listener->context, json_object_get(frame, "mail"));
	else if (type == FRAME_PROGRESS)
		listener->progress(listener->context,
			json_string_value(json_object_get(frame, "step")),
			json_string_value(json_object_get(frame, "phase")),
			json_string_value(json_object_get(frame, "note")));
	else if (type == FRAME_STEP && listener->finished != NULL)
		listener->finished(listener->context, json_object_get(frame, "record"));
	return 0;
}

/* All whole frames that are there; false if there can be no more. */
static bool take_all(struct worker *worker, const struct worker_listener *listener)
{
	enum frame_type type;
	json_t *frame;
	int result;

	while ((result = frame_next(&worker->reader, &frame, &type, &worker->broken)) == 1) {
		result = take(worker, listener, type, frame);
		json_decref(frame);
		if (result != 0 || worker->account.complete)
			return false;
	}
	return result == 0;
}

bool worker_receive(struct worker *worker, const struct worker_listener *listener)
{
	for (int i = 0; i < RECEIVE_MAX; i++) {
		enum frame_fill fill;

		if (worker->closed || worker->account.complete || worker->broken.type != ERROR_NONE)
			return false;
		fill = frame_fill(&worker->reader, worker->fd);
		if (fill == FRAME_NOTHING)
			return true;
		worker->closed = fill == FRAME_END;
		if (fill == FRAME_FILLED && !take_all(worker, listener))
			return false;
	}
	return true;
}

/* --- ending ---------------------------------------------------------------------------- */

static bool await_death(const struct worker *worker, int64_t ns)
{
	struct deadline deadline = deadline_in(ns);
	struct pollfd poll_fd = {.fd = worker->pidfd, .events = POLLIN};
	int result;

	do {
		result = poll(&poll_fd, 1, deadline_left_ms(deadline));
	} while (result == -1 && errno == EINTR);
	return result == 1;
}

/* The group is killed before its leader is reaped: until then its number is not reused. */
static void kill_all(const struct worker *worker)
{
	pidfd_send_signal(worker->pidfd, SIGKILL, NULL, 0);
	kill(-worker->pid, SIGKILL);
}

struct death {
	bool natural; /* it ended before we killed it */
	bool mute;    /* it lived, but had closed its end */
	bool reaped;
	int status;
	struct rusage usage;
};

static struct death bury(struct worker *worker)
{
	struct death death = {0};
	bool dying = worker->closed && !worker->account.complete;

	death.natural = await_death(worker, dying ? FAREWELL : 0);
	death.mute = dying && !death.natural;
	kill_all(worker);
	if (!death.natural)
		await_death(worker, BURIAL);
	/* One that even SIGKILL does not end hangs in the kernel: init will reap it after us. */
	death.reaped = wait4(worker->pid, &death.status, WNOHANG, &death.usage) == worker->pid;
	return death;
}

static void died_of(int status, struct failure *why)
{
	int signal = WTERMSIG(status);
	const char *name = sigdescr_np(signal);

	if (WIFEXITED(status))
		failure_set(why, ERROR_WORKER_CRASH, "the worker ended with status %d",
			WEXITSTATUS(status));
	else if (signal == SIGXCPU)
		failure_set(why, ERROR_WORKER_STUCK, "the worker used up its processor time");
	else if (signal == SIGSYS)
		failure_set(why, ERROR_WORKER_CRASH,
			"the worker was killed by its sandbox for a forbidden system call");
	else
		failure_set(why, ERROR_WORKER_CRASH, "the worker died of signal %d (%s)", signal,
			name != NULL ? name : "unknown");
}

/* Why there is no result; whatever is known first. */
static void find_cause(const struct worker *worker, const struct death *death, bool interrupted,
	struct failure *why)
{
	if (worker->broken.type == ERROR_SANDBOX_REQUIRED)
		failure_set(why, worker->broken.type, "%s", worker->broken.text);
	else if (worker->broken.type != ERROR_NONE)
		failure_set(why, ERROR_WORKER_PROTOCOL, "the worker broke the protocol (%s)",
			worker->broken.text);
	else if (death->natural)
		died_of(death->status, why);
	else if (interrupted)
		failure_set(why, ERROR_LOCAL_INTERRUPTED, "mailprobe was interrupted");
	else if (death->mute)
		failure_set(why, ERROR_WORKER_PROTOCOL,
			"the worker broke the protocol (it stopped talking) and was killed");
	else
		failure_set(why, ERROR_WORKER_STUCK,
			"the worker was still running after the deadline and was killed");
}

static double seconds_of(struct timeval time)
{
	return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static void add_usage(json_t *account, const struct death *death)
{
	if (!death->reaped)
		return;
	json_object_set_new(account, "worker_max_rss_bytes",
		json_integer((json_int_t)death->usage.ru_maxrss * 1024));
	json_object_set_new(account, "worker_cpu_seconds",
		json_real(seconds_of(death->usage.ru_utime) + seconds_of(death->usage.ru_stime)));
}

static void add_fault(json_t *account, const struct failure *why)
{
	char text[FAILURE_TEXT_SIZE];

	text_printable_copy(text, sizeof(text), why->text, strlen(why->text));
	json_object_set_new(account, "worker_fault", json_string(text));
}

json_t *worker_end(struct worker **worker, bool interrupted)
{
	struct worker *ended = *worker;
	struct death death = bury(ended);
	struct failure why = {0};
	json_t *account;

	/* What it said last may still lie in the socket, which holds less than a megabyte. */
	(void)worker_receive(ended, NULL);
	if (!ended->account.complete)
		find_cause(ended, &death, interrupted, &why);
	account = worker_account_close(&ended->account, &why);
	add_usage(account, &death);
	if (!ended->account.complete)
		add_fault(account, &why);
	worker_free(worker);
	return account;
}
