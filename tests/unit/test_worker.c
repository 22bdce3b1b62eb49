/* Honest workers, their jail, and what is left of them. */
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "worker_bench.h"

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
				"send", "outcome", "error", "error_type",
				error_info(why.type)->name, "error", why.text, "blame", "vantage",
				"phases"));
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
	static const char *const only[] = {"last", NULL};
	json_t *result;

	job = a_job(5 * NS_PER_SECOND);
	job.only = only;
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
	finish(stage,
		passed("last", "talk",
			"636f727265637420686f7273652062617474657279207374"
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

/* --- the jail -------------------------------------------------------------------------- */

static bool lacks(const json_t *result, const char *what)
{
	json_t *name;
	size_t index;

	json_array_foreach(json_object_get(result, "sandbox_missing"), index,
		name) if (strcmp(json_string_value(name), what) == 0) return true;
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
	is_outcomes(
		result, SANITIZED ? "error error error" : "pass pass pass", "a full one satisfies");
	json_decref(result);
}

/* --- what is left behind --------------------------------------------------------------- */

static void wait_for_the_end(struct stage *stage)
{
	(void)stage;
	for (;;)
		clock_sleep_until(deadline_in(NS_PER_SECOND));
}

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
		script = wait_for_the_end;
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
		passed_count +=
			is_complete(result) && strcmp(of_step(result, 2, "outcome"), "pass") == 0;
		json_decref(result);
	}
	is_integer(passed_count, MANY, "60 workers side by side");
	diag("%.2f ms each", (double)(clock_now() - job.origin.monotonic_ns) / 1e6 / MANY);
}

int main(void)
{
	bench_open();
	test_honest();
	test_mail();
	test_unknown_mail();
	test_chains();
	test_only();
	test_redaction();
	test_partial();
	test_orphan();
	test_many();
	bench_close();
	return done_testing();
}
