/* Workers that do all the wrong things. The stage is the test's own: what it plays is a function
 * of this file, run in a real worker process, in a real jail. */
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
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

#define PASSWORD "correct horse battery staple"

/* --- a journey ------------------------------------------------------------------------- */

static const struct field talk_facts[] = {
	{"messages", &field_integer, 0, "how many there are"},
	{0},
};
static const char *const talk_phases[] = {"resolve", "connect", "auth", NULL};
static const char *const talk_needs[] = {"imap", NULL};
static const struct step_type talk = {.name = "talk",
	.facts = talk_facts,
	.phases = talk_phases,
	.account_needs = talk_needs};
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
};

static void (*script)(struct stage *stage);
static void (*setting)(void);
/* What a worker tells past its jail, in shared memory. */
static volatile struct {
	pid_t pid;
	int count;
} *shared;

struct stage *stage_set(const struct probe_run *run, const char *only)
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

void stage_strike(struct stage **stage)
{
	free(*stage);
	*stage = NULL;
}

static void enter(struct stage *stage, const char *step, const char *phase)
{
	stage->link->progress(stage->link->context, step, phase, NULL);
}

static json_t *passed(const char *id, const char *type, const char *proof)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:[]}", "id", id, "type", type, "outcome", "pass",
		"proof", proof, "phases");
}

static void finish(struct stage *stage, json_t *record)
{
	stage->link->finished(stage->link->context, record);
	json_array_append_new(stage->steps, record);
}

static void pass(struct stage *stage, const char *id, const char *type)
{
	enter(stage, id, "resolve");
	finish(stage, passed(id, type, "it was so"));
}

static void pass_all(struct stage *stage)
{
	pass(stage, "first", "talk");
	pass(stage, "out", "send");
	pass(stage, "last", "talk");
}

static json_t *mail_record(const char *id, const char *step, const char *state)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "mail", id, "step", step, "message_id",
		"1@acme.test", "from", "probe@acme.test", "to", "probe@elsewhere.test", "state",
		state);
}

/* Past everything that an honest worker would do. */
static void say_raw(const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t sent = send(JAIL_FD, bytes, length, MSG_NOSIGNAL);

		if (sent <= 0)
			_exit(7);
		bytes += sent;
		length -= (size_t)sent;
	}
}

static void say(const char *json)
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
	char text[512];
};

static int hear_intent(void *context, const json_t *mail, struct failure *why)
{
	struct heard *heard = context;

	heard->intents++;
	ok(strcmp(json_string_value(json_object_get(mail, "state")), "sending") == 0,
		"an intent is heard");
	return heard->refuse ? failure_set(why, ERROR_LOCAL_STORAGE, "disk full") : 0;
}

static void hear_state(void *context, const json_t *mail)
{
	(void)mail;
	((struct heard *)context)->states++;
}

static void hear_progress(void *context, const char *step, const char *phase, const char *note)
{
	struct heard *heard = context;

	heard->phases++;
	snprintf(heard->text, sizeof(heard->text), "%s %s %s", step, phase, note ? note : "-");
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

static struct worker_job a_job(int64_t ns)
{
	static char run_id[UUID_SIZE];
	struct worker_job job = {.journey = &journey,
		.run_id = run_id,
		.vantage = "here",
		.origin = clock_origin_now(),
		.key = &key};

	uuid_v7(job.origin.wall_ns, run_id);
	job.deadline = (struct deadline){.at_ns = job.origin.monotonic_ns + ns};
	return job;
}

/* As run.c does it. */
static void attend(struct worker *worker)
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

static struct worker_job job;
static int64_t spent;

static json_t *run_job(void (*play)(struct stage *))
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
	json_array_foreach(phases, index, phase) {
		double at = json_number_value(json_object_get(phase, "start_seconds"));
		double took = json_number_value(json_object_get(phase, "duration_seconds"));

		if (took < 0 || fabs(at - next) > 3e-6)
			return false;
		sum += took;
		next = at + took;
	}
	return fabs(sum - json_number_value(json_object_get(record, "duration_seconds"))) < 1e-4;
}

/* Each step once, in order, by the tables. */
static bool is_complete(const json_t *result)
{
	static const struct field_check check = {.complain = complain};
	json_t *records = json_object_get(result, "steps"), *record;
	size_t index;

	if (json_array_size(records) != journey.step_count)
		return false;
	json_array_foreach(records, index, record) {
		const struct field *const tables[] = {
			record_step, steps[index].type->facts, NULL};

		if (fields_check(tables, record, "", &check) != 0 || !adds_up(record) ||
			strcmp(json_string_value(json_object_get(record, "id")),
				steps[index].id) != 0)
			return false;
	}
	return json_is_array(json_object_get(result, "mails"));
}

static const char *of_step(const json_t *result, size_t index, const char *field)
{
	const char *text = json_string_value(json_object_get(
		json_array_get(json_object_get(result, "steps"), index), field));

	return text != NULL ? text : "";
}

static const char *fault_of(const json_t *result)
{
	const char *text = json_string_value(json_object_get(result, "worker_fault"));

	return text != NULL ? text : "";
}

/* The outcomes of all steps, as "pass error skipped". */
static void is_outcomes(const json_t *result, const char *want, const char *name)
{
	char got[128];

	snprintf(got, sizeof(got), "%s %s %s", of_step(result, 0, "outcome"),
		of_step(result, 1, "outcome"), of_step(result, 2, "outcome"));
	is_string(got, want, name);
	ok(is_complete(result), "%s: the account is complete", name);
}

static void is_held(const char *text, const char *part, const char *name)
{
	if (!ok(strstr(text, part) != NULL, "%s", name))
		diag("got \"%s\", want \"%s\" in it", text, part);
}

/* --- honest workers -------------------------------------------------------------------- */

static void test_honest(void)
{
	json_t *result;

	job = a_job(5 * NS_PER_SECOND);
	result = run_job(pass_all);
	is_outcomes(result, "pass pass pass", "an honest worker");
	is_string(fault_of(result), "", "no fault");
	is_string(json_string_value(json_object_get(result, "sandbox")),
		SANITIZED ? "partial" : "full", "its sandbox");
	ok(json_integer_value(json_object_get(result, "worker_max_rss_bytes")) > 100000,
		"its memory is known");
	ok(json_is_real(json_object_get(result, "worker_cpu_seconds")), "its time is known");
	is_integer(heard.phases, 3, "phases are heard");
	is_integer(heard.finished, 3, "ended steps are heard");
	ok(spent < 2 * NS_PER_SECOND, "it ends at once");
	diag("%.1f ms from start to account", (double)spent / 1e6);
	json_decref(result);
}

static void send_mail(struct stage *stage)
{
	json_t *mail = mail_record("m1", "out", "sending");
	struct failure why = {0};

	pass(stage, "first", "talk");
	enter(stage, "out", "data");
	if (stage->link->intent(stage->link->context, mail, &why) != 0) {
		finish(stage,
			json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:[]}", "id", "out", "type",
				"send", "outcome", "error", "error_type", error_info(why.type)->name,
				"error", why.text, "blame", "vantage", "phases"));
	} else {
		json_object_set_new(mail, "state", json_string("accepted"));
		stage->link->state(stage->link->context, mail);
		json_array_append(stage->mails, mail);
		finish(stage, passed("out", "send", "250 taken"));
	}
	pass(stage, "last", "talk");
}

static void test_mail(void)
{
	json_t *result, *mails;

	job = a_job(5 * NS_PER_SECOND);
	result = run_job(send_mail);
	is_outcomes(result, "pass pass pass", "a mail");
	mails = json_object_get(result, "mails");
	is_integer(heard.intents * 10 + heard.states, 11, "its intent and its state are heard");
	is_integer(json_array_size(mails), 1, "it is in the account");
	is_string(json_string_value(json_object_get(json_array_get(mails, 0), "state")), "accepted",
		"as it was at the end");
	json_decref(result);
	heard.refuse = true;
	job = a_job(5 * NS_PER_SECOND);
	result = run_job(send_mail);
	heard.refuse = false;
	is_outcomes(result, "pass error pass", "a mail that the ledger cannot take");
	is_string(of_step(result, 1, "error_type"), "local.storage", "why");
	is_string(of_step(result, 1, "error"), "disk full", "in the ledger's words");
	is_integer(json_array_size(json_object_get(result, "mails")), 0, "it was never sent");
	json_decref(result);
}

static void die_after_intent(struct stage *stage)
{
	struct failure why = {0};

	pass(stage, "first", "talk");
	enter(stage, "out", "data");
	stage->link->intent(stage->link->context, mail_record("m1", "out", "sending"), &why);
	raise(SIGKILL);
}

static void test_unknown_mail(void)
{
	json_t *result, *mail;

	job = a_job(5 * NS_PER_SECOND);
	result = run_job(die_after_intent);
	mail = json_array_get(json_object_get(result, "mails"), 0);
	is_outcomes(result, "pass error skipped", "death between intent and reply");
	is_string(json_string_value(json_object_get(mail, "state")), "unknown",
		"whether the mail was sent is not known");
	json_decref(result);
}

static void *chat(void *context)
{
	struct stage *stage = context;

	for (int i = 0; i < 50; i++) {
		enter(stage, "first", i % 2 ? "auth" : "resolve");
		stage->link->progress(stage->link->context, "first", "auth", "a note");
	}
	return NULL;
}

static void chat_in_chains(struct stage *stage)
{
	pthread_t threads[2];

	/* Each step is one chain's alone. */
	pthread_create(&threads[0], NULL, chat, stage);
	send_mail(&(struct stage){.run = stage->run,
		.link = stage->link,
		.steps = json_array(),
		.mails = json_array()});
	pthread_join(threads[0], NULL);
	json_array_append_new(stage->steps, passed("first", "talk", "yes"));
	json_array_append_new(stage->steps, passed("out", "send", "yes"));
	json_array_append_new(stage->steps, passed("last", "talk", "yes"));
	json_array_append_new(stage->mails, mail_record("m1", "out", "accepted"));
}

static void test_chains(void)
{
	json_t *result;

	job = a_job(5 * NS_PER_SECOND);
	result = run_job(chat_in_chains);
	is_outcomes(result, "pass pass pass", "two chains that talk at once");
	is_string(fault_of(result), "", "frames do not mix");
	json_decref(result);
}

static void only_last(struct stage *stage)
{
	pass(stage, "last", "talk");
}

static void test_only(void)
{
	json_t *result;

	job = a_job(5 * NS_PER_SECOND);
	job.only = "last";
	result = run_job(only_last);
	is_integer(json_array_size(json_object_get(result, "steps")), 1, "only: one step");
	is_string(of_step(result, 0, "outcome"), "pass", "only: it passed");
	json_decref(result);
}

static void leak(struct stage *stage)
{
	enter(stage, "first", "auth");
	stage->link->progress(stage->link->context, "first", "auth", "for " PASSWORD);
	stage->link->progress(stage->link->context, "first", "wait", "for " PASSWORD);
	finish(stage, passed("first", "talk", "said " PASSWORD));
	finish(stage, passed("out", "send", "said Y29ycmVjdCBob3JzZSBiYXR0ZXJ5IHN0YXBsZQ=="));
	finish(stage, passed("last", "talk", "636f727265637420686f7273652062617474657279207374"
					     "61706c65"));
}

static void test_redaction(void)
{
	json_t *result;

	job = a_job(5 * NS_PER_SECOND);
	result = run_job(leak);
	is_string(of_step(result, 0, "proof"), "said ***", "a secret never leaves the worker");
	is_string(of_step(result, 1, "proof"), "said ***==", "nor its base64");
	is_string(of_step(result, 2, "proof"), "***", "nor its hexadecimal form");
	is_string(heard.text, "first wait for ***", "nor in progress");
	json_decref(result);
}

/* --- workers that die ------------------------------------------------------------------ */

static void crash(struct stage *stage)
{
	pass(stage, "first", "talk");
	enter(stage, "last", "resolve");
	enter(stage, "last", "connect");
	clock_sleep_until(deadline_in(20 * NS_PER_MS));
	enter(stage, "last", "auth");
	signal(SIGSEGV, SIG_DFL);
	raise(SIGSEGV);
}

static void test_crash(void)
{
	json_t *result, *record;

	job = a_job(5 * NS_PER_SECOND);
	result = run_job(crash);
	is_outcomes(result, "pass skipped error", "a crash");
	is_string(of_step(result, 2, "error_type"), "worker.crash", "its type");
	is_string(of_step(result, 2, "blame"), "prober", "its blame");
	is_string(of_step(result, 2, "error_phase"), "auth", "its phase");
	is_string(of_step(result, 2, "error"),
		"the worker died of signal 11 (Segmentation fault) while talk talked to "
		"imap.acme.test in phase auth",
		"its sentence");
	is_held(fault_of(result), "signal 11", "the run's fault");
	record = json_array_get(json_object_get(result, "steps"), 2);
	is_integer(json_array_size(json_object_get(record, "phases")), 3, "phases so far");
	ok(json_number_value(json_object_get(
		   json_array_get(json_object_get(record, "phases"), 1), "duration_seconds")) >=
			0.02,
		"each with its time");
	is_string(of_step(result, 1, "reason"), "the run ended before this step could begin",
		"why one was skipped");
	json_decref(result);
}

static void abort_early(struct stage *stage)
{
	(void)stage;
	abort();
}

static void exit_early(struct stage *stage)
{
	(void)stage;
	_exit(3);
}

static void crash_late(struct stage *stage)
{
	pass_all(stage);
	raise(SIGBUS);
}

static void forbidden(struct stage *stage)
{
	char *const argv[] = {NULL};

	enter(stage, "first", "auth");
	execve("/bin/true", argv, argv);
}

static int recurse(volatile char *above)
{
	volatile char page[65536];

	page[0] = (char)(above[0] + 1);
	return shared->pid == 0 ? 0 : recurse(page) + page[0];
}

static void overflow(struct stage *stage)
{
	volatile char top[1] = {0};

	enter(stage, "first", "auth");
	shared->count = recurse(top);
}

static void test_deaths(void)
{
	json_t *result;

	job = a_job(5 * NS_PER_SECOND);
	result = run_job(abort_early);
	is_outcomes(result, "error skipped skipped", "death before the first step");
	is_held(of_step(result, 0, "error"), "signal 6 (Aborted), before talk began", "so it says");
	json_decref(result);
	job = a_job(5 * NS_PER_SECOND);
	result = run_job(exit_early);
	is_outcomes(result, "error skipped skipped", "a silent exit");
	is_held(of_step(result, 0, "error"), "status 3", "so it says");
	json_decref(result);
	job = a_job(5 * NS_PER_SECOND);
	result = run_job(crash_late);
	is_outcomes(result, "pass pass pass", "death after the last step");
	is_held(fault_of(result), "signal 7", "it is not hidden");
	json_decref(result);
	job = a_job(5 * NS_PER_SECOND);
	result = run_job(forbidden);
	is_outcomes(result, "error skipped skipped", "a forbidden system call");
	is_held(of_step(result, 0, "error"), "forbidden system call", "so it says");
	json_decref(result);
	job = a_job(5 * NS_PER_SECOND);
	result = run_job(overflow);
	is_outcomes(result, "error skipped skipped", "a stack overflow");
	json_decref(result);
}

static void be_killed(struct stage *stage)
{
	enter(stage, "first", "auth");
	for (;;)
		clock_sleep_until(deadline_in(NS_PER_SECOND));
}

static void test_killed_from_outside(void)
{
	struct failure why = {0};
	struct worker *worker;
	json_t *result;

	job = a_job(5 * NS_PER_SECOND);
	script = be_killed;
	heard.phases = 0;
	worker = worker_start(&job, &why);
	while (heard.phases == 0)
		worker_receive(worker, &listener);
	kill(shared->pid, SIGKILL);
	attend(worker);
	result = worker_end(&worker, false);
	is_outcomes(result, "error skipped skipped", "killed by somebody");
	is_held(of_step(result, 0, "error"), "signal 9 (Killed)", "so it says");
	ok(worker == NULL, "the worker is gone");
	json_decref(result);
}

static void test_interrupted(void)
{
	struct failure why = {0};
	struct worker *worker;
	json_t *result;
	int64_t begun;

	job = a_job(5 * NS_PER_SECOND);
	script = be_killed;
	heard.phases = 0;
	worker = worker_start(&job, &why);
	while (heard.phases == 0)
		worker_receive(worker, &listener);
	begun = clock_now();
	result = worker_end(&worker, true);
	ok(clock_now() - begun < NS_PER_SECOND, "an interruption does not wait");
	is_outcomes(result, "error skipped skipped", "interrupted");
	is_string(of_step(result, 0, "error_type"), "local.interrupted", "its type");
	json_decref(result);
}

/* --- workers that do not end ----------------------------------------------------------- */

static void loop(struct stage *stage)
{
	pass(stage, "first", "talk");
	enter(stage, "out", "auth");
	for (volatile unsigned int i = 0;; i++)
		;
}

static void stop(struct stage *stage)
{
	enter(stage, "first", "auth");
	raise(SIGSTOP);
}

static void *spin(void *context)
{
	for (volatile unsigned int i = 0;; i++)
		;
	return context;
}

static void spin_on_all(struct stage *stage)
{
	pthread_t thread;

	enter(stage, "first", "auth");
	for (int i = 0; i < 4; i++)
		pthread_create(&thread, NULL, spin, NULL);
	pthread_join(thread, NULL);
}

static void ignore_all(struct stage *stage)
{
	enter(stage, "first", "auth");
	for (int i = 1; i < NSIG; i++)
		signal(i, SIG_IGN);
	be_killed(stage);
}

static void test_stuck_one(void (*play)(struct stage *), const char *want, const char *name)
{
	json_t *result;
	size_t hit = strncmp(want, "pass", 4) == 0;

	job = a_job(NS_PER_SECOND);
	result = run_job(play);
	is_outcomes(result, want, name);
	is_string(of_step(result, hit, "error_type"), "worker.stuck", "its type");
	if (!ok(spent < 2 * NS_PER_SECOND, "%s: over by the deadline and a second", name))
		diag("took %.3f s", (double)spent / 1e9);
	json_decref(result);
}

static void test_stuck(void)
{
	test_stuck_one(loop, "pass error skipped", "an endless loop");
	test_stuck_one(stop, "error skipped skipped", "one that stops itself");
	test_stuck_one(spin_on_all, "error skipped skipped", "threads that burn");
	test_stuck_one(ignore_all, "error skipped skipped", "one that ignores signals");
}

static void hang(void)
{
	for (;;)
		clock_sleep_until(deadline_in(NS_PER_SECOND));
}

static void test_stuck_setting(void)
{
	json_t *result;

	setting = hang;
	job = a_job(NS_PER_SECOND / 2);
	result = run_job(pass_all);
	setting = NULL;
	is_outcomes(result, "error skipped skipped", "hanging before its jail");
	is_held(of_step(result, 0, "error"), "before talk began", "so it says");
	ok(json_object_get(result, "sandbox") == NULL, "nothing is said of a jail");
	json_decref(result);
}

/* --- workers that take too much -------------------------------------------------------- */

static void hog(struct stage *stage)
{
	size_t size = (size_t)64 << 20;

	enter(stage, "first", "auth");
	while (size >= 4096) {
		char *memory = malloc(size);

		if (memory != NULL)
			memset(memory, 1, size);
		else
			size /= 2;
	}
	shared->count++;
	pass_all(stage);
}

static void breed(struct stage *stage)
{
	shared->count = 0;
	for (int i = 0; i < 1000; i++)
		if (fork() != -1)
			shared->count = shared->count + 1;
	pass_all(stage);
}

static void *linger(void *context)
{
	clock_sleep_until(deadline_in(10 * NS_PER_SECOND));
	return context;
}

static void weave(struct stage *stage)
{
	pthread_t thread;

	shared->count = 0;
	while (shared->count < 20000 && pthread_create(&thread, NULL, linger, NULL) == 0)
		shared->count = shared->count + 1;
	enter(stage, "first", "auth");
	raise(SIGKILL);
}

static void test_greed(void)
{
	json_t *result;
	long long most;

	job = a_job(10 * NS_PER_SECOND);
	result = run_job(breed);
	is_outcomes(result, "pass pass pass", "a fork bomb");
	is_integer(shared->count, 0, "not one fork");
	json_decref(result);
	if (SANITIZED) {
		diag("memory is not limited under the address sanitizer");
		return;
	}
	job = a_job(10 * NS_PER_SECOND);
	result = run_job(hog);
	most = json_integer_value(json_object_get(result, "worker_max_rss_bytes"));
	ok(is_complete(result), "a memory hog has an account");
	diag("%lld MB resident, then %s", most >> 20, fault_of(result));
	ok(most > 0 && most < 256LL << 20, "it never had 256 MB resident");
	json_decref(result);
	job = a_job(10 * NS_PER_SECOND);
	result = run_job(weave);
	diag("%d threads", shared->count);
	ok(shared->count < 4096, "threads are bounded");
	is_outcomes(result, "error skipped skipped", "a flood of threads");
	json_decref(result);
}

/* --- workers that lie ------------------------------------------------------------------ */

#define PROGRESS(step) "{\"type\":\"progress\",\"step\":\"" step "\",\"phase\":\"auth\",\"at_seconds\":0.1}"
#define STEP(more)                                                                             \
	"{\"type\":\"step\",\"record\":{\"id\":\"first\",\"type\":\"talk\",\"phases\":[]," more \
	"}}"
#define PASSED(id, type)                                                                       \
	"{\"id\":\"" id "\",\"type\":\"" type                                                  \
	"\",\"outcome\":\"pass\",\"proof\":\"p\",\"phases\":[]}"
#define MAIL(id, step)                                                                         \
	"{\"mail\":\"" id "\",\"step\":\"" step                                                \
	"\",\"message_id\":\"m\",\"from\":\"f\",\"to\":\"t\",\"state\":\"sending\"}"

static const struct lie {
	const char *name;
	const char *json;
	const char *why;
} lies[] = {
	{"no JSON", "hello", "not JSON"},
	{"no object", "[1]", "no known type"},
	{"half an object", "{\"type\":\"pro", "not JSON"},
	{"no UTF-8", "{\"type\":\"\xff\"}", "not JSON"},
	{"an empty frame", "", "not JSON"},
	{"a key twice", "{\"type\":\"ack\",\"type\":\"ack\"}", "not JSON"},
	{"an unknown type", "{\"type\":\"magic\"}", "no known type"},
	{"no type", "{}", "no known type"},
	{"an answer", "{\"type\":\"ack\"}", "wrong way"},
	{"a second jail", "{\"type\":\"jail\",\"sandbox\":\"full\",\"missing\":[]}", "out of turn"},
	{"progress of a foreign step", PROGRESS("other"), "\"other\", which is not in the scenario"},
	{"an unknown key", "{\"type\":\"ack\",\"evil\":1}", "unknown key"},
	{"a free key", "{\"type\":\"ack\",\"x-evil\":{\"deep\":[]}}", "own invention"},
	{"a wrong kind", "{\"type\":\"progress\",\"step\":5,\"phase\":\"a\",\"at_seconds\":1}",
		"/step"},
	{"a missing key", "{\"type\":\"progress\",\"step\":\"first\"}", "missing"},
	{"a path as phase",
		"{\"type\":\"progress\",\"step\":\"first\",\"phase\":\"../x\",\"at_seconds\":1}",
		"/phase"},
	{"deep nesting", "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "nested deeper"},
	{"a record of another type",
		"{\"type\":\"step\",\"record\":" PASSED("first", "send") "}", "not of type send"},
	{"a record of a foreign step",
		"{\"type\":\"step\",\"record\":" PASSED("other", "talk") "}", "not in the scenario"},
	{"an unknown fact", STEP("\"outcome\":\"pass\",\"proof\":\"p\",\"evil\":1"), "evil"},
	{"a fact of the wrong kind",
		STEP("\"outcome\":\"pass\",\"proof\":\"p\",\"messages\":\"many\""), "/messages"},
	{"a pass without proof", STEP("\"outcome\":\"pass\""), "does not go with"},
	{"a pass with an error",
		STEP("\"outcome\":\"pass\",\"proof\":\"p\",\"error_type\":\"tcp.eof\""),
		"does not go with"},
	{"a failure without a reason", STEP("\"outcome\":\"fail\""), "does not go with"},
	{"a failure that blames us",
		STEP("\"outcome\":\"fail\",\"error_type\":\"local.storage\",\"error\":\"e\","
		     "\"blame\":\"vantage\""),
		"does not go with"},
	{"a skip without a reason", STEP("\"outcome\":\"skipped\""), "does not go with"},
	{"an unknown outcome", STEP("\"outcome\":\"great\""), "/outcome"},
	{"a mail of a step that sends none",
		"{\"type\":\"intent\",\"mail\":" MAIL("m", "first") "}", "sends none"},
	{"a mail of a foreign step", "{\"type\":\"intent\",\"mail\":" MAIL("m", "other") "}",
		"not in the scenario"},
	{"a mail without identity",
		"{\"type\":\"intent\",\"mail\":{\"step\":\"out\",\"state\":\"sending\"}}", "missing"},
	{"an empty result", "{\"type\":\"result\",\"steps\":[],\"mails\":[]}", "no record of step"},
	{"a result with a step twice",
		"{\"type\":\"result\",\"mails\":[],\"steps\":[" PASSED("first", "talk") "," PASSED(
			"first", "talk") "]}",
		"not in order"},
	{"a result in the wrong order",
		"{\"type\":\"result\",\"mails\":[],\"steps\":[" PASSED("out", "send") "," PASSED(
			"first", "talk") "]}",
		"not in order"},
};

static const struct lie *lie;

static void tell(struct stage *stage)
{
	enter(stage, "first", "auth");
	say(lie->json);
	be_killed(stage);
}

static void is_protocol(void (*play)(struct stage *), const char *why, const char *name)
{
	json_t *result;

	job = a_job(3 * NS_PER_SECOND);
	result = run_job(play);
	is_outcomes(result, "error skipped skipped", name);
	is_string(of_step(result, 0, "error_type"), "worker.protocol", "its type");
	is_held(of_step(result, 0, "error"), why, "its reason");
	ok(spent < NS_PER_SECOND, "%s: over at once", name);
	json_decref(result);
}

static void test_lies(void)
{
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		lie = &lies[i];
		is_protocol(tell, lie->why, lie->name);
	}
}

static void say_gigabyte(struct stage *stage)
{
	enter(stage, "first", "auth");
	say_raw("\x40\0\0\0{", 5);
	be_killed(stage);
}

static void say_at_length(struct stage *stage, size_t length, const char *head, char fill)
{
	char *text = malloc(length + 1);

	enter(stage, "first", "auth");
	memset(text, fill, length);
	text[length] = '\0';
	memcpy(text, head, strlen(head));
	say(text);
	be_killed(stage);
}

static void say_much(struct stage *stage)
{
	say_at_length(stage, 70000, "{\"type\":\"ack\"}", ' ');
}

static void say_values(struct stage *stage)
{
	say_at_length(stage, 4000000, "[", ',');
}

static void say_spaces(struct stage *stage)
{
	say_at_length(stage, (size_t)8 << 20, "{\"type\":\"result\"}", ' ');
}

static void flood_progress(struct stage *stage)
{
	enter(stage, "first", "auth");
	for (;;)
		say(PROGRESS("first"));
}

static void flood_bytes(struct stage *stage)
{
	char zeros[65536] = {0};

	enter(stage, "first", "auth");
	for (;;)
		say_raw(zeros, sizeof(zeros));
}

static void hang_up(struct stage *stage)
{
	enter(stage, "first", "auth");
	close(JAIL_FD);
	be_killed(stage);
}

static void stop_half_way(struct stage *stage)
{
	enter(stage, "first", "auth");
	say_raw("\0\0\1\0{\"type\":", 12);
	close(JAIL_FD);
	be_killed(stage);
}

static void ask_without_end(struct stage *stage)
{
	char json[300];

	enter(stage, "first", "auth");
	for (int i = 0;; i++) {
		snprintf(json, sizeof(json),
			"{\"type\":\"intent\",\"mail\":{\"mail\":\"m%d\",\"step\":\"out\","
			"\"message_id\":\"m\",\"from\":\"f\",\"to\":\"t\",\"state\":\"sending\"}}",
			i);
		say(json);
	}
}

static void test_floods(void)
{
	struct rusage usage;

	is_protocol(say_gigabyte, "a frame of 1073741824 bytes", "a gigabyte announced");
	is_protocol(say_much, "over its cap of 65536", "a frame over the cap of its kind");
	is_protocol(say_values, "more than 65536 values", "a million values");
	is_protocol(say_spaces, "missing", "eight megabytes of nothing");
	is_protocol(flood_progress, "frames in", "a flood of progress");
	is_protocol(flood_bytes, "not JSON", "a flood of zeros");
	is_protocol(hang_up, "stopped talking", "one that hangs up");
	is_protocol(stop_half_way, "stopped talking", "one that hangs up in a frame");
	is_protocol(ask_without_end, "more than 16 mails", "intents without end");
	getrusage(RUSAGE_SELF, &usage);
	diag("the supervisor has had %ld MB resident", usage.ru_maxrss >> 10);
	ok(SANITIZED || usage.ru_maxrss < 64 << 10, "the supervisor stays below 64 MB");
}

static void say_escapes(struct stage *stage)
{
	enter(stage, "first", "auth");
	say("{\"type\":\"progress\",\"step\":\"first\",\"phase\":\"auth\",\"at_seconds\":1e300,"
	    "\"note\":\"\\u001b[2J\\u202e evil\"}");
	pass_all(stage);
}

static void test_escapes(void)
{
	json_t *result;

	job = a_job(5 * NS_PER_SECOND);
	result = run_job(say_escapes);
	is_outcomes(result, "pass pass pass", "escapes and impossible times");
	json_decref(result);
}

static void say_escapes_last(struct stage *stage)
{
	say("{\"type\":\"progress\",\"step\":\"first\",\"phase\":\"auth\",\"at_seconds\":-1e300,"
	    "\"note\":\"\\u001b[2J\\u202e evil\"}");
	raise(SIGKILL);
	pass_all(stage);
}

static void test_escapes_heard(void)
{
	json_t *result;

	job = a_job(5 * NS_PER_SECOND);
	result = run_job(say_escapes_last);
	is_string(heard.text, "first auth \\x1b[2J\\u{202e} evil", "escapes are made visible");
	is_outcomes(result, "error skipped skipped", "an impossible time");
	json_decref(result);
}

/* --- the jail -------------------------------------------------------------------------- */

static bool lacks(const json_t *result, const char *what)
{
	json_t *name;
	size_t index;

	json_array_foreach(json_object_get(result, "sandbox_missing"), index, name)
		if (strcmp(json_string_value(name), what) == 0)
			return true;
	return false;
}

static void test_partial(void)
{
	json_t *result;

	job = a_job(5 * NS_PER_SECOND);
	job.jail_without = JAIL_LANDLOCK;
	result = run_job(pass_all);
	is_outcomes(result, "pass pass pass", "without Landlock it goes on");
	is_string(json_string_value(json_object_get(result, "sandbox")), "partial", "and says so");
	ok(lacks(result, "landlock"), "and what is missing");
	json_decref(result);
	job = a_job(5 * NS_PER_SECOND);
	job.jail_without = JAIL_LANDLOCK;
	job.require_sandbox = true;
	result = run_job(pass_all);
	is_outcomes(result, "error error error", "unless a full sandbox is required");
	is_string(of_step(result, 1, "error_type"), "sandbox.required", "its type");
	is_string(of_step(result, 1, "blame"), "vantage", "its blame");
	is_held(of_step(result, 1, "error"), "landlock missing", "its sentence");
	json_decref(result);
	job = a_job(5 * NS_PER_SECOND);
	job.require_sandbox = true;
	result = run_job(pass_all);
	is_outcomes(result, SANITIZED ? "error error error" : "pass pass pass",
		"a full one satisfies");
	json_decref(result);
}

/* --- what is left behind --------------------------------------------------------------- */

static void test_orphan(void)
{
	int64_t begun;
	pid_t pid;

	shared->pid = 0;
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		struct failure why = {0};

		job = a_job(20 * NS_PER_SECOND);
		script = be_killed;
		worker_start(&job, &why);
		for (;;)
			pause();
	}
	while (shared->pid == 0)
		clock_sleep_until(deadline_in(NS_PER_MS));
	clock_sleep_until(deadline_in(50 * NS_PER_MS));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	begun = clock_now();
	/* A zombie is as good as gone: whoever inherits it reaps it. */
	while (clock_now() - begun < NS_PER_SECOND) {
		char path[64], stat[256] = "";
		FILE *file;

		snprintf(path, sizeof(path), "/proc/%d/stat", (int)shared->pid);
		file = fopen(path, "re");
		if (file == NULL || fgets(stat, sizeof(stat), file) == NULL ||
			strstr(stat, ") Z ") != NULL) {
			pid = 0;
			if (file != NULL)
				fclose(file);
			break;
		}
		fclose(file);
	}
	ok(pid == 0, "a worker does not outlive its supervisor");
}

#define MANY 60

static void test_many(void)
{
	struct failure why = {0};
	struct worker *workers[MANY];
	int passed_count = 0;

	job = a_job(20 * NS_PER_SECOND);
	script = pass_all;
	for (int i = 0; i < MANY; i++)
		workers[i] = worker_start(&job, &why);
	for (int i = 0; i < MANY; i++) {
		json_t *result;

		attend(workers[i]);
		result = worker_end(&workers[i], false);
		passed_count += is_complete(result) &&
				strcmp(of_step(result, 2, "outcome"), "pass") == 0;
		json_decref(result);
	}
	is_integer(passed_count, MANY, "60 workers side by side");
	diag("%.2f ms each", (double)(clock_now() - job.origin.monotonic_ns) / 1e6 / MANY);
}

static int open_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;

	while (readdir(dir) != NULL)
		count++;
	closedir(dir);
	return count;
}

int main(void)
{
	int before = open_descriptors();

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		-1, 0);
	steps[0].config = json_pack("{s:s}", "account", "inside");
	steps[2].config = json_pack("{s:s}", "account", "inside");
	steps[1].config = json_pack("{s:s, s:s}", "from", "inside", "to", "outside");
	test_honest();
	test_mail();
	test_unknown_mail();
	test_chains();
	test_only();
	test_redaction();
	test_crash();
	test_deaths();
	test_killed_from_outside();
	test_interrupted();
	test_stuck();
	test_stuck_setting();
	test_greed();
	test_lies();
	test_floods();
	test_escapes();
	test_escapes_heard();
	test_partial();
	test_orphan();
	test_many();
	is_integer(open_descriptors(), before, "no descriptor is left");
	ok(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD, "no process is left");
	json_decref((json_t *)(uintptr_t)steps[0].config);
	json_decref((json_t *)(uintptr_t)steps[2].config);
	json_decref((json_t *)(uintptr_t)steps[1].config);
	return done_testing();
}
