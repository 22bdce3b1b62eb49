#include "link.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "redact.h"
#include "text.h"

#include "ban.h"

/* Notes of one step closer together than this are not worth a frame. */
#define NOTE_INTERVAL (200 * NS_PER_MS)
/* Of the grace, so that a last word is not cut off. */
#define LAST_WORDS (WORKER_GRACE * 4 / 5)

void link_open(struct link *link, const struct worker_job *job, int fd)
{
	*link = (struct link){.job = job,
		.fd = fd,
		.deadline = {.at_ns = job->deadline.at_ns + LAST_WORDS},
		.writing = PTHREAD_MUTEX_INITIALIZER,
		.asking = PTHREAD_MUTEX_INITIALIZER};
	link->said = calloc(job->journey->step_count + 1, sizeof(*link->said));
	if (link->said == NULL)
		_exit(1);
}

/* --- sending --------------------------------------------------------------------------- */

static void wait_for(const struct link *link, short events)
{
	struct pollfd poll_fd = {.fd = link->fd, .events = events};

	poll(&poll_fd, 1, deadline_left_ms(link->deadline));
}

/* All of it, or, if it may be dropped, none. There is nobody to tell if the supervisor is gone,
 * and half a frame would spoil all that follow. */
static void send_bytes(struct link *link, const char *bytes, size_t length, bool may_drop)
{
	size_t sent = 0;

	while (sent < length) {
		ssize_t took =
			send(link->fd, bytes + sent, length - sent, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (took >= 0)
			sent += (size_t)took;
		else if (errno == EAGAIN && may_drop && sent == 0)
			return;
		else if (errno == EAGAIN && !deadline_passed(link->deadline))
			wait_for(link, POLLOUT);
		else if (errno != EINTR)
			_exit(1);
	}
}

/* -1 if it is over its cap: then nothing was sent. */
static int send_frame(struct link *link, enum frame_type type, json_t *body, bool may_drop)
{
	struct failure why = {0};
	struct text frame;
	int result;

	/* A token is for the supervisor's file, and for nothing else. */
	if (type != FRAME_TOKEN)
		redact_json(body);
	text_init(&frame, FRAME_MAX + FRAME_HEADER);
	result = frame_write(&frame, type, body, &why);
	if (result == 0 && frame.overflowed)
		_exit(1);
	if (result == 0) {
		pthread_mutex_lock(&link->writing);
		send_bytes(link, frame.bytes, frame.length, may_drop);
		pthread_mutex_unlock(&link->writing);
	}
	text_free(&frame);
	return result;
}

void link_send(struct link *link, enum frame_type type, json_t *body)
{
	send_frame(link, type, body, false);
	json_decref(body);
}

void link_send_result(struct link *link, json_t *steps, json_t *mails, json_t *vantage_state)
{
	json_t *body = json_pack("{s:o, s:o, s:o}", "steps", steps, "mails", mails,
		       "vantage_state", vantage_state),
	       *step;
	size_t index;

	if (send_frame(link, FRAME_RESULT, body, false) != 0) {
		json_array_foreach(steps, index, step) json_object_del(step, "transcript");
		send_frame(link, FRAME_RESULT, body, false);
	}
	json_decref(body);
}

/* --- asking ---------------------------------------------------------------------------- */

/* 0 and what came with it; the reference is the caller's. */
static int read_answer(
	json_t *frame, enum frame_type type, enum frame_type wanted, struct failure *why)
{
	int error;

	if (type == wanted)
		return 0;
	if (type != FRAME_REFUSAL)
		return failure_set(
			why, ERROR_WORKER_PROTOCOL, "the supervisor answered something else");
	error = name_index(error_names, json_string_value(json_object_get(frame, "error_type")));
	return failure_set(why, (enum error_type)(error + 1), "%s",
		json_string_value(json_object_get(frame, "error")));
}

/* The answer's frame, a new reference, or NULL. */
static json_t *await_answer(struct link *link, enum frame_type wanted, struct failure *why)
{
	enum frame_type type;
	json_t *frame;
	int result;

	while ((result = frame_next(&link->answers, &frame, &type, why)) == 0) {
		if (deadline_passed(link->job->deadline)) {
			link->deaf = true;
			failure_set(why, ERROR_LOCAL_STORAGE,
				"nothing was written to disk by the end of the run");
			return NULL;
		}
		wait_for(link, POLLIN);
		if (frame_fill(&link->answers, link->fd) == FRAME_END)
			_exit(1);
	}
	if (result == -1)
		return NULL;
	if (read_answer(frame, type, wanted, why) == 0)
		return frame;
	json_decref(frame);
	return NULL;
}

/* Takes the reference of the body. The answer's frame, a new reference, or NULL. */
static json_t *ask(struct link *link, enum frame_type question, json_t *body,
	enum frame_type wanted, struct failure *why)
{
	json_t *answer = NULL;

	/* Its own lock: other chains go on reporting while the ledger is being written. */
	pthread_mutex_lock(&link->asking);
	if (link->deaf)
		failure_set(why, ERROR_LOCAL_STORAGE, "the supervisor does not answer");
	else if (send_frame(link, question, body, false) == -1)
		failure_set(why, ERROR_WORKER_PROTOCOL, "too much at once for the supervisor");
	else
		answer = await_answer(link, wanted, why);
	pthread_mutex_unlock(&link->asking);
	json_decref(body);
	return answer;
}

/* The same, for what is only to be acknowledged. */
static int tell(struct link *link, enum frame_type type, json_t *body, struct failure *why)
{
	json_t *answer = ask(link, type, body, FRAME_ACK, why);

	json_decref(answer);
	return answer != NULL ? 0 : -1;
}

static json_t *link_recall(void *context, json_t *ids, struct failure *why)
{
	json_t *answer =
		ask(context, FRAME_RECALL, json_pack("{s:O}", "mails", ids), FRAME_RECALLED, why);
	json_t *mails = json_incref(json_object_get(answer, "mails"));

	json_decref(answer);
	return mails;
}

static int link_settle(void *context, const json_t *mails, struct failure *why)
{
	return tell(context, FRAME_SETTLE, json_pack("{s:o}", "mails", json_deep_copy(mails)), why);
}

static int link_intent(void *context, const json_t *mail, struct failure *why)
{
	return tell(context, FRAME_INTENT, json_pack("{s:o}", "mail", json_deep_copy(mail)), why);
}

static int link_token(void *context, json_t *token, struct failure *why)
{
	return tell(context, FRAME_TOKEN, token, why);
}

/* --- telling --------------------------------------------------------------------------- */

static void link_state(void *context, const json_t *mail)
{
	link_send(context, FRAME_STATE, json_pack("{s:o}", "mail", json_deep_copy(mail)));
}

/* The first time in a phase, and then not too often. */
static bool is_news(struct link *link, const char *step, const char *phase)
{
	const struct journey *journey = link->job->journey;
	int64_t now = clock_now();
	size_t i = 0;

	while (i < journey->step_count && strcmp(journey->steps[i].id, step) != 0)
		i++;
	if (strcmp(link->said[i].phase, phase) == 0 && now - link->said[i].at_ns < NOTE_INTERVAL)
		return false;
	text_copy(link->said[i].phase, sizeof(link->said[i].phase), phase);
	link->said[i].at_ns = now;
	return true;
}

static void link_progress(void *context, const char *step, const char *phase, const char *note)
{
	struct link *link = context;
	int64_t at = clock_now() - link->job->origin.monotonic_ns;
	json_t *body;

	if (phase[0] == '\0' || !is_news(link, step, phase))
		return;
	body = json_pack(
		"{s:s, s:s, s:f}", "step", step, "phase", phase, "at_seconds", clock_seconds(at));
	if (note != NULL && note[0] != '\0') {
		char shown[256];

		text_printable_copy(shown, sizeof(shown), note, strlen(note));
		json_object_set_new(body, "note", json_string(shown));
	}
	send_frame(link, FRAME_PROGRESS, body, true);
	json_decref(body);
}

static void link_finished(void *context, const json_t *step)
{
	json_t *body = json_pack("{s:o}", "record", json_deep_copy(step));

	if (send_frame(context, FRAME_STEP, body, false) != 0) {
		json_object_del(json_object_get(body, "record"), "transcript");
		send_frame(context, FRAME_STEP, body, false);
	}
	json_decref(body);
}

struct probe_link link_for_stage(struct link *link)
{
	struct probe_link stage = {.intent = link_intent,
		.token = link_token,
		.state = link_state,
		.recall = link_recall,
		.settle = link_settle,
		.progress = link_progress,
		.finished = link_finished,
		.context = link};

	return stage;
}
