/* worker_bench - workers for tests: a journey, a stage whose play is any function, a supervisor.
 *
 * The stage takes the place of stage.c. What is played runs in a real worker process, in a real
 * jail. As tap.h it is all in the header: each test is one program with one count.
 */
#ifndef MAILPROBE_WORKER_BENCH_H
#define MAILPROBE_WORKER_BENCH_H

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "jail.h"
#include "record.h"
#include "redact.h"
#include "stage.h"
#include "step.h"
#include "tap.h"
#include "worker.h"

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

/* Known to every worker's redaction. */
#define PASSWORD "correct horse battery staple"

/* --- a journey ------------------------------------------------------------------------- */

static const struct field talk_facts[] = {
	{"messages", &field_integer, 0, "how many there are"},
	{0},
};
static const char *const talk_phases[] = {"resolve", "connect", "auth", NULL};
static const char *const talk_needs[] = {"imap", NULL};
static const struct step_type talk = {
	.name = "talk", .facts = talk_facts, .phases = talk_phases, .account_needs = talk_needs};
static const struct step_type send_type = {.name = "send", .sends_mail = true};

static const struct account account = {.name = "inside",
	.address = "probe@acme.test",
	.imap = {.host = "imap.acme.test", .port = 993}};
static struct step steps[] = {
	{.type = &talk, .id = "first"},
	{.type = &send_type, .id = "out"},
	{.type = &talk, .id = "last"},
};
static const struct journey journey = {.customer = "acme",
	.scenario = "mail",
	.accounts = &account,
	.account_count = 1,
	.steps = steps,
	.step_count = 3};
static struct mail_key key;

/* --- the stage ------------------------------------------------------------------------- */

struct stage {
	const struct probe_run *run;
	const struct probe_link *link;
	json_t *steps, *mails;
	struct folder_grant grant;
};

/* What the next worker plays, and does before its jail (NULL: nothing). */
static void (*script)(struct stage *stage);
static void (*setting)(void);

/* What a worker tells past its jail. */
struct shared {
	pid_t pid;
	int count;
};
static volatile struct shared *shared;

struct stage *stage_set(const struct probe_run *run, const char *const *only)
{
	struct stage *stage = calloc(1, sizeof(*stage));

	(void)only;
	shared->pid = getpid();
	stage->run = run;
	stage->link = run->link;
	stage->steps = json_array();
	stage->mails = json_array();
	redact_learn(PASSWORD);
	if (setting != NULL)
		setting();
	return stage;
}

void stage_play(struct stage *stage, json_t **steps_r, json_t **mails_r)
{
	script(stage);
	*steps_r = stage->steps;
	*mails_r = stage->mails;
}

json_t *stage_vantage(struct stage *stage)
{
	(void)stage;
	return json_pack("{s:b, s:f, s:f, s:f}", "clock_synchronised", 1,
		"clock_error_seconds_max", 0.01, "clock_jump_seconds", 0.0, "suspended_seconds", 0.0);
}

struct folder_grant *stage_folder_grant(struct stage *stage)
{
	return &stage->grant;
}

void stage_strike(struct stage **stage)
{
	free(*stage);
	*stage = NULL;
}

static inline void enter(struct stage *stage, const char *step, const char *phase)
{
	stage->link->progress(stage->link->context, step, phase, NULL);
}

static inline json_t *passed(const char *id, const char *type, const char *proof)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:[]}", "id", id, "type", type, "outcome", "pass",
		"proof", proof, "phases");
}

/* Reports a record and puts it into the result; takes the reference. */
static inline void finish(struct stage *stage, json_t *record)
{
	stage->link->finished(stage->link->context, record);
	json_array_append_new(stage->steps, record);
}

static inline void pass(struct stage *stage, const char *id, const char *type)
{
	enter(stage, id, "resolve");
	finish(stage, passed(id, type, "it was so"));
}

static inline void pass_all(struct stage *stage)
{
	pass(stage, "first", "talk");
	pass(stage, "out", "send");
	pass(stage, "last", "talk");
}

static inline json_t *mail_record(const char *id, const char *step, const char *state)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "mail", id, "step", step, "message_id",
		"1@acme.test", "from", "probe@acme.test", "to", "probe@elsewhere.test", "state",
		state);
}

/* Past everything that an honest worker would do. */
static inline void say_raw(const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t sent = send(JAIL_FD, bytes, length, MSG_NOSIGNAL);

		if (sent <= 0)
			_exit(7);
		bytes += sent;
		length -= (size_t)sent;
	}
}

static inline void say(const char *json)
{
	size_t length = strlen(json);
	unsigned char header[] = {(unsigned char)(length >> 24), (unsigned char)(length >> 16),
		(unsigned char)(length >> 8), (unsigned char)length};

	say_raw((const char *)header, 4);
	say_raw(json, length);
}

/* --- the supervisor -------------------------------------------------------------------- */

struct heard {
	int intents, states, phases, finished;
	bool refuse;
	char text[512]; /* of the last progress */
};

static int hear_intent(void *context, const json_t *mail, struct failure *why)
{
	struct heard *to = context;

	to->intents++;
	ok(strcmp(json_string_value(json_object_get(mail, "state")), "sending") == 0,
		"an intent is heard");
	return to->refuse ? failure_set(why, ERROR_LOCAL_STORAGE, "disk full") : 0;
}

static void hear_state(void *context, const json_t *mail)
{
	(void)mail;
	((struct heard *)context)->states++;
}

static void hear_progress(void *context, const char *step, const char *phase, const char *note)
{
	struct heard *to = context;

	to->phases++;
	snprintf(to->text, sizeof(to->text), "%s %s %s", step, phase, note ? note : "-");
}

static void hear_finished(void *context, const json_t *step)
{
	(void)step;
	((struct heard *)context)->finished++;
}

static struct heard heard;
static const struct worker_listener listener = {.intent = hear_intent,
	.state = hear_state,
	.progress = hear_progress,
	.finished = hear_finished,
	.context = &heard};

static inline struct worker_job a_job(int64_t ns)
{
	static char run_id[UUID_SIZE];
	struct worker_job order = {.journey = &journey,
		.run_id = run_id,
		.vantage = "here",
		.origin = clock_origin_now(),
		.key = &key};

	uuid_v7(order.origin.wall_ns, run_id);
	order.deadline = (struct deadline){.at_ns = order.origin.monotonic_ns + ns};
	return order;
}

/* As run.c does it. */
static inline void attend(struct worker *worker)
{
	bool alive = true, ended = false;

	while (alive && !ended && !worker_overdue(worker)) {
		struct pollfd polls[] = {{.fd = worker_fd(worker), .events = POLLIN},
			{.fd = worker_pidfd(worker), .events = POLLIN}};

		poll(polls, 2, worker_left_ms(worker));
		ended = polls[1].revents != 0;
		if (polls[0].revents != 0 || ended)
			alive = worker_receive(worker, &listener);
	}
}

/* The job of the next run_job, and the time the last one took. */
static struct worker_job job;
static int64_t spent;

/* The account of a whole run; a new reference. */
static inline json_t *run_job(void (*play)(struct stage *))
{
	struct failure why = {0};
	struct worker *worker;
	json_t *result;

	script = play;
	heard = (struct heard){.refuse = heard.refuse};
	worker = worker_start(&job, &why);
	if (worker == NULL) {
		diag("%s", why.text);
		abort();
	}
	attend(worker);
	result = worker_end(&worker, false);
	spent = clock_now() - job.origin.monotonic_ns;
	return result;
}

/* --- what every account must be -------------------------------------------------------- */

static void complain(void *context, const struct field_complaint *complaint)
{
	(void)context;
	diag("%s %s", complaint->pointer, complaint->message);
}

static bool adds_up(const json_t *record)
{
	json_t *phases = json_object_get(record, "phases"), *phase;
	double sum = 0, next = json_number_value(json_object_get(record, "start_seconds"));
	size_t index;

	if (json_object_get(record, "duration_seconds") == NULL)
		return json_array_size(phases) == 0 || json_object_get(record, "proof") != NULL;
	json_array_foreach(phases, index, phase)
	{
		double at = json_number_value(json_object_get(phase, "start_seconds"));
		double took = json_number_value(json_object_get(phase, "duration_seconds"));

		if (took < 0 || fabs(at - next) > 3e-6)
			return false;
		sum += took;
		next = at + took;
	}
	return fabs(sum - json_number_value(json_object_get(record, "duration_seconds"))) < 1e-4;
}

/* Each step once, in order, by the tables, with phases that add up. */
static inline bool is_complete(const json_t *result)
{
	static const struct field_check check = {.complain = complain};
	json_t *records = json_object_get(result, "steps"), *record;
	size_t index;

	if (json_array_size(records) != journey.step_count)
		return false;
	json_array_foreach(records, index, record)
	{
		const struct field *const tables[] = {record_step, steps[index].type->facts, NULL};

		if (fields_check(tables, record, "", &check) != 0 || !adds_up(record) ||
			strcmp(json_string_value(json_object_get(record, "id")), steps[index].id) !=
				0)
			return false;
	}
	return json_is_array(json_object_get(result, "mails"));
}

static inline const char *of_step(const json_t *result, size_t index, const char *field)
{
	const char *text = json_string_value(
		json_object_get(json_array_get(json_object_get(result, "steps"), index), field));

	return text != NULL ? text : "";
}

static inline const char *fault_of(const json_t *result)
{
	const char *text = json_string_value(json_object_get(result, "worker_fault"));

	return text != NULL ? text : "";
}

/* The outcomes of all steps, as "pass error skipped", in a complete account. */
static inline void is_outcomes(const json_t *result, const char *want, const char *name)
{
	char got[128];

	snprintf(got, sizeof(got), "%s %s %s", of_step(result, 0, "outcome"),
		of_step(result, 1, "outcome"), of_step(result, 2, "outcome"));
	is_string(got, want, name);
	ok(is_complete(result), "%s: the account is complete", name);
}

static inline void is_held(const char *text, const char *part, const char *name)
{
	if (!ok(strstr(text, part) != NULL, "%s", name))
		diag("got \"%s\", want \"%s\" in it", text, part);
}

/* --- before and after ------------------------------------------------------------------ */

static int open_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;

	while (readdir(dir) != NULL)
		count++;
	closedir(dir);
	return count;
}

static int descriptors_before;

static inline void bench_open(void)
{
	descriptors_before = open_descriptors();
	shared = mmap(
		NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	steps[0].config = json_pack("{s:s}", "account", "inside");
	steps[1].config = json_pack("{s:s, s:s}", "from", "inside", "to", "outside");
	steps[2].config = json_pack("{s:s}", "account", "inside");
}

/* Also looks for what was left behind. */
static inline void bench_close(void)
{
	for (size_t i = 0; i < journey.step_count; i++)
		json_decref((json_t *)(uintptr_t)steps[i].config);
	is_integer(open_descriptors(), descriptors_before, "no descriptor is left");
	ok(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD, "no process is left");
}

#endif
