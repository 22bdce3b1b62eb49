#include "deliver.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "courier.h"
#include "frame.h"
#include "healing.h"
#include "hook.h"
#include "outbox.h"
#include "uuid.h"

#include "ban.h"

/* So long nobody else touches a queue: longer than any courier lives. */
#define CLAIM (DELIVER_TIME + 10 * NS_PER_SECOND)
#define GRACE (500 * NS_PER_MS)
#define TICK_MS 200

struct delivery {
	struct state *state;
	const struct run_settings *settings;
	const struct run_observer *observer;
	int signals;
	struct bearer *bearers;
	size_t running;
	bool healed; /* events have revisions that say so */
};

/* Somebody who serves one queue: a courier, or one program after the other. */
struct bearer {
	struct delivery *delivery; /* NULL: a free place */
	const struct scenario *scenario;
	const struct sink *sink;
	json_t *rows;
	size_t next;      /* the row that is on its way */
	bool put_off;     /* it has to be tried again */
	bool was_down;    /* and that was said before */
	struct hook hook; /* of a program */
	int fd;           /* of a courier: its frames; -1 of a program */
	struct frame_reader reader;
	struct failure broken;
};

static bool is_program(const struct bearer *bearer)
{
	return sink_is_program(bearer->sink);
}

static const json_t *row_of(const struct bearer *bearer)
{
	return json_array_get(bearer->rows, bearer->next);
}

static int64_t number(const json_t *row, const char *key)
{
	return json_integer_value(json_object_get(row, key));
}

static struct outbox_queue queue_of(const struct scenario *scenario, const struct sink *sink)
{
	struct outbox_queue queue = {
		scenario->journey.customer, scenario->journey.scenario, sink->name};

	return queue;
}

static void tell(const struct delivery *delivery, const char *sentence)
{
	if (delivery->observer->trouble != NULL)
		delivery->observer->trouble(delivery->observer->context, sentence);
}

static void tell_of(const struct bearer *bearer, const char *what, const char *sentence)
{
	char text[512];

	snprintf(text, sizeof(text), "%s/%s: sink %s: %s: %s", bearer->scenario->journey.customer,
		bearer->scenario->journey.scenario, bearer->sink->name, what, sentence);
	tell(bearer->delivery, text);
}

/* --- what became of a row -------------------------------------------------------------- */

static void settle(struct bearer *bearer, enum outbox_state to, const char *sentence)
{
	struct failure why = {0};

	if (outbox_settle(bearer->delivery->state, number(row_of(bearer), "row"), to, sentence,
		    clock_wall(), &why) == -1)
		tell(bearer->delivery, why.text);
	bearer->next++;
}

/* A sink that is down is said once, not at each try: cron would mail every line. */
static void put_off(struct bearer *bearer, const char *sentence, int64_t retry_after_ns)
{
	int64_t attempts = number(row_of(bearer), "attempts") + 1, now = clock_wall(), wait;
	struct failure why = {0};
	uint32_t random;

	random_bytes(&random, sizeof(random));
	wait = outbox_backoff(attempts, random);
	if (wait < retry_after_ns)
		wait = retry_after_ns;
	if (!bearer->was_down)
		tell_of(bearer, "tried again until it is taken", sentence);
	if (outbox_postpone(bearer->delivery->state, number(row_of(bearer), "row"), sentence, now,
		    now + wait, &why) == -1)
		tell(bearer->delivery, why.text);
	bearer->put_off = true;
}

static void taken(struct bearer *bearer, const char *sentence)
{
	const json_t *event = json_object_get(row_of(bearer), "event");
	bool stands =
		bearer->sink->type->stands && strcmp(event_string(event, "state"), "resolved") != 0;

	settle(bearer, stands ? OUTBOX_STANDING : OUTBOX_DELIVERED, sentence);
}

/* --- couriers -------------------------------------------------------------------------- */

static int start_courier(struct bearer *bearer, struct failure *why)
{
	struct courier_job job = {.journey = &bearer->scenario->journey,
		.sink = bearer->sink,
		.rows = bearer->rows,
		.deadline = deadline_in(DELIVER_TIME),
		.require_sandbox = bearer->delivery->settings->require_sandbox};
	pid_t parent = getpid();
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == -1)
		return failure_set(why, ERROR_LOCAL_RESOURCE, "no socket: %s", strerror(errno));
	fflush(NULL);
	bearer->hook.pid = fork();
	if (bearer->hook.pid == 0)
		courier_run(&job, ends[1], parent);
	close(ends[1]);
	bearer->fd = ends[0];
	if (bearer->hook.pid == -1)
		return failure_set(why, ERROR_LOCAL_RESOURCE, "cannot fork: %s", strerror(errno));
	setpgid(bearer->hook.pid, bearer->hook.pid);
	bearer->hook.pidfd = pidfd_open(bearer->hook.pid, 0);
	bearer->hook.deadline = (struct deadline){.at_ns = job.deadline.at_ns + GRACE};
	return 0;
}

static int take_frame(struct bearer *bearer, enum frame_type type, const json_t *frame)
{
	const char *verdict = event_string(frame, "verdict");
	const char *sentence = event_string(frame, "sentence");

	if (type != FRAME_SENT || bearer->put_off || row_of(bearer) == NULL ||
		number(frame, "row") != number(row_of(bearer), "row"))
		return failure_set(
			&bearer->broken, ERROR_WORKER_PROTOCOL, "the courier broke the protocol");
	if (strcmp(verdict, "taken") == 0) {
		taken(bearer, sentence);
	} else if (strcmp(verdict, "refused") == 0) {
		tell_of(bearer, "refused for good", sentence);
		settle(bearer, OUTBOX_DEAD, sentence);
	} else {
		put_off(bearer, sentence, number(frame, "retry_after_seconds") * NS_PER_SECOND);
	}
	return 0;
}

/* False once there is no more to come. */
static bool hear(struct bearer *bearer)
{
	enum frame_fill fill = frame_fill(&bearer->reader, bearer->fd);
	enum frame_type type;
	json_t *frame;
	int got;

	while ((got = frame_next(&bearer->reader, &frame, &type, &bearer->broken)) == 1) {
		int result = take_frame(bearer, type, frame);

		json_decref(frame);
		if (result == -1)
			return false;
	}
	return got == 0 && fill != FRAME_END;
}

/* A courier that ended well has said all it had to; what it had no time for is due at once. One
 * that crashed, hung or was killed has tried. */
static void end_courier(struct bearer *bearer)
{
	struct failure why = {0};
	int status = 0;

	kill(-bearer->hook.pid, SIGKILL);
	kill(bearer->hook.pid, SIGKILL);
	while (waitpid(bearer->hook.pid, &status, 0) == -1 && errno == EINTR)
		;
	close(bearer->fd);
	if (bearer->hook.pidfd != -1)
		close(bearer->hook.pidfd);
	frame_reader_free(&bearer->reader);
	if (bearer->put_off || row_of(bearer) == NULL)
		return;
	if (bearer->broken.type == ERROR_NONE && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		outbox_release(bearer->delivery->state, number(row_of(bearer), "row"), &why);
	else
		put_off(bearer, "the courier was killed, or broke down", 0);
}

/* --- programs -------------------------------------------------------------------------- */

static struct healing healing_of(const struct bearer *bearer)
{
	struct healing healing = {bearer->delivery->state, bearer->delivery->settings->results_dir,
		bearer->scenario, bearer->sink, row_of(bearer)};

	return healing;
}

/* Before the row is settled: a kill in between has it said once all the same. */
static void said(struct bearer *bearer, int result, const struct failure *why)
{
	if (result == -1)
		tell_of(bearer, "not in the event", why->text);
	else
		bearer->delivery->healed = true;
}

/* Starts the program for the next row that it is wanted for; false if there is none. */
static bool next_program(struct bearer *bearer)
{
	for (; row_of(bearer) != NULL;) {
		const json_t *row = row_of(bearer);
		struct failure why = {0};
		const struct healing healing = healing_of(bearer);
		struct healing_objection objection;

		if (number(row, "begun_ns") != 0) {
			said(bearer, healing_interrupted(&healing, &why), &why);
			settle(bearer, OUTBOX_FAILED, "mailprobe ended while the command ran");
			continue;
		}
		objection = healing_objection(&healing);
		if (objection.sentence != NULL) {
			if (objection.skipped != NULL)
				said(bearer, healing_skipped(&healing, objection.skipped, &why), &why);
			settle(bearer, OUTBOX_SKIPPED, objection.sentence);
			continue;
		}
		/* On disk first: it must not be run twice, nor more often than it may. */
		if (outbox_begin(bearer->delivery->state, number(row, "row"), clock_wall(), &why) ==
			-1) {
			tell(bearer->delivery, why.text);
			return false;
		}
		if (hook_start(&bearer->hook, bearer->sink, json_object_get(row, "event"), &why) ==
			0)
			return true;
		tell_of(bearer, "not run", why.text);
		settle(bearer, OUTBOX_FAILED, why.text);
	}
	return false;
}

static void end_program(struct bearer *bearer)
{
	char sentence[160];
	const struct healing healing = healing_of(bearer);
	bool fine = hook_end(&bearer->hook, sentence, sizeof(sentence));
	struct failure why = {0};

	if (!fine)
		tell_of(bearer, "the command failed", sentence);
	said(bearer, healing_ended(&healing, &bearer->hook, &why), &why);
	settle(bearer, fine ? OUTBOX_DELIVERED : OUTBOX_FAILED, sentence);
}

/* --- all of them ----------------------------------------------------------------------- */

static void free_place(struct bearer *bearer)
{
	bearer->delivery->running--;
	json_decref(bearer->rows);
	*bearer = (struct bearer){.delivery = NULL};
}

static struct bearer *find_place(struct delivery *delivery)
{
	for (size_t i = 0; i < delivery->settings->jobs; i++)
		if (delivery->bearers[i].delivery == NULL)
			return &delivery->bearers[i];
	return NULL;
}

static void start(struct delivery *delivery, struct bearer *bearer, const struct scenario *scenario,
	const struct sink *sink)
{
	const struct outbox_queue queue = queue_of(scenario, sink);
	int64_t now = clock_wall();
	/* A program has its own time, and others of its queue come behind it. */
	int64_t claim = CLAIM + (sink_is_program(sink) ? sink_duration(sink, "timeout") : 0);
	struct failure why = {0};
	bool begun;

	*bearer = (struct bearer){.delivery = delivery,
		.scenario = scenario,
		.sink = sink,
		.fd = -1,
		.hook = {.pidfd = -1}};
	delivery->running++;
	bearer->rows = outbox_claim(delivery->state, &queue, now, now + claim, &why);
	if (json_array_size(bearer->rows) == 0 ||
		outbox_is_down(delivery->state, &queue, &bearer->was_down, &why) == -1)
		begun = false;
	else if (is_program(bearer))
		begun = next_program(bearer);
	else
		begun = start_courier(bearer, &why) == 0;
	if (begun)
		return;
	if (why.type != ERROR_NONE)
		tell_of(bearer, "nothing was sent", why.text);
	if (row_of(bearer) != NULL && why.type != ERROR_NONE)
		put_off(bearer, why.text, 0);
	if (bearer->fd != -1)
		close(bearer->fd);
	free_place(bearer);
}

static void attend(struct bearer *bearer, bool has_frames, bool has_ended)
{
	bool overdue = deadline_passed(bearer->hook.deadline), more;

	if (is_program(bearer)) {
		if (!has_ended && !overdue)
			return;
		end_program(bearer);
		if (!next_program(bearer))
			free_place(bearer);
		return;
	}
	/* What it said before it died still counts. */
	more = !has_frames || hear(bearer);
	while (has_ended && more)
		more = hear(bearer);
	if (more && !overdue)
		return;
	end_courier(bearer);
	free_place(bearer);
}

static void stop_all(struct delivery *delivery)
{
	for (size_t i = 0; i < delivery->settings->jobs; i++) {
		struct bearer *bearer = &delivery->bearers[i];

		if (bearer->delivery == NULL)
			continue;
		if (is_program(bearer))
			end_program(bearer);
		else
			end_courier(bearer);
		free_place(bearer);
	}
}

static int attend_all(struct delivery *delivery, struct pollfd *polls)
{
	size_t places = delivery->settings->jobs;
	struct signalfd_siginfo info;

	polls[0] = (struct pollfd){.fd = delivery->signals, .events = POLLIN};
	for (size_t i = 0; i < places; i++) {
		const struct bearer *bearer = &delivery->bearers[i];
		bool used = bearer->delivery != NULL;

		polls[1 + 2 * i] = (struct pollfd){.fd = used ? bearer->fd : -1, .events = POLLIN};
		polls[2 + 2 * i] =
			(struct pollfd){.fd = used ? bearer->hook.pidfd : -1, .events = POLLIN};
	}
	if (poll(polls, 1 + 2 * places, TICK_MS) == -1 && errno != EINTR)
		return SIGTERM;
	if ((polls[0].revents & POLLIN) != 0 &&
		read(polls[0].fd, &info, sizeof(info)) == sizeof(info))
		return (int)info.ssi_signo;
	for (size_t i = 0; i < places; i++)
		if (delivery->bearers[i].delivery != NULL)
			attend(&delivery->bearers[i], polls[1 + 2 * i].revents != 0,
				polls[2 + 2 * i].revents != 0);
	return 0;
}

static void expire(struct delivery *delivery)
{
	struct failure why = {0};
	char sentence[128];
	int64_t died = 0;

	if (outbox_expire(delivery->state, clock_wall(), &died, &why) == -1)
		tell(delivery, why.text);
	snprintf(sentence, sizeof(sentence),
		"%lld events were not taken by their sinks for 3 days: see mailprobe outbox",
		(long long)died);
	if (died > 0)
		tell(delivery, sentence);
}

static int serve(struct delivery *delivery, struct scenario *const scenarios[], size_t count,
	struct pollfd *polls)
{
	struct deadline last = deadline_in(DELIVER_TIME);
	size_t scenario = 0, sink = 0;
	int number_of_signal = 0;

	while (number_of_signal == 0) {
		struct bearer *place = find_place(delivery);

		while (scenario < count && sink >= scenarios[scenario]->sink_count) {
			scenario++;
			sink = 0;
		}
		if (scenario < count && place != NULL && !deadline_passed(last)) {
			start(delivery, place, scenarios[scenario],
				&scenarios[scenario]->sinks[sink]);
			sink++;
		} else if (delivery->running > 0) {
			number_of_signal = attend_all(delivery, polls);
		} else {
			break;
		}
	}
	stop_all(delivery);
	return number_of_signal;
}

static bool has_sinks(struct scenario *const scenarios[], size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (scenarios[i]->sink_count > 0)
			return true;
	return false;
}

int deliver(struct state *state, struct scenario *const scenarios[], size_t count,
	const struct run_settings *settings, const struct run_observer *observer, int signals)
{
	struct delivery delivery = {
		.state = state, .settings = settings, .observer = observer, .signals = signals};
	struct pollfd *polls = calloc(1 + 2 * settings->jobs, sizeof(*polls));
	int result = 0;

	delivery.bearers = calloc(settings->jobs, sizeof(*delivery.bearers));
	if (polls != NULL && delivery.bearers != NULL && has_sinks(scenarios, count)) {
		courier_preload();
		result = serve(&delivery, scenarios, count, polls);
		if (result == 0 && delivery.healed)
			result = serve(&delivery, scenarios, count, polls);
	}
	/* After a last try: the vantage itself may have been away for so long. */
	if (result == 0)
		expire(&delivery);
	free(polls);
	free(delivery.bearers);
	return result;
}
