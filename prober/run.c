#include "run.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "begun.h"
#include "confirm.h"
#include "deliver.h"
#include "earlier.h"
#include "grant.h"
#include "interrupted.h"
#include "ledger.h"
#include "lock.h"
#include "probe_mail.h"
#include "record.h"
#include "run_outcome.h"
#include "run_signals.h"
#include "settle.h"
#include "slow.h"
#include "stage.h"
#include "state.h"
#include "step.h"
#include "text.h"
#include "uuid.h"
#include "worker.h"

#include "ban.h"

#define TICK_MS 200

/* One scenario that is being run. */
struct job {
	const struct scenario *scenario; /* NULL: a free place */
	struct run *run;
	struct worker *worker;
	struct clock_origin origin;
	struct deadline deadline;
	char run_id[UUID_SIZE];
	struct earlier earlier;
	struct confirm confirm;
	json_t *slow; /* from when on a step is (slow.h) */
	char tokens_dir[PATH_MAX];
	json_t *head; /* the record's first keys: also the ledger's idea of the run */
	int lock;
};

struct run {
	const struct run_settings *settings;
	const struct run_observer *observer;
	struct run_totals *totals;
	struct state *state;
	struct mail_key *key; /* in memory that no worker inherits */
	struct job *jobs;
	size_t job_count;
	size_t running;
	int signals;
};

/* --- beginning ------------------------------------------------------------------------- */

static json_t *head_of(const struct run *run, const struct job *job)
{
	const struct journey *journey = &job->scenario->journey;
	char started[CLOCK_TIMESTAMP_SIZE];

	clock_format(job->origin.wall_ns, started);
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "schema", RESULT_SCHEMA, "run_id",
		job->run_id, "customer", journey->customer, "scenario", journey->scenario,
		"vantage", run->settings->vantage, "started_at", started);
}

/* --- ending ---------------------------------------------------------------------------- */

static void tell_trouble(const struct run *run, const char *sentence)
{
	if (run->observer->trouble != NULL)
		run->observer->trouble(run->observer->context, sentence);
}

static void set_end(const struct job *job, json_t *record)
{
	char ended[CLOCK_TIMESTAMP_SIZE];
	int64_t now = clock_now();

	clock_format(clock_label(job->origin, now), ended);
	json_object_set_new(record, "ended_at", json_string(ended));
	json_object_set_new(record, "duration_seconds",
		json_real(clock_seconds(now - job->origin.monotonic_ns)));
}

/* Puts the record where it belongs and frees the place. */
static void close_job(struct job *job, json_t *record)
{
	struct run *run = job->run;
	const char *outcome = json_string_value(json_object_get(record, "outcome"));
	struct failure why = {0};
	bool stored;

	if (json_array_size(job->earlier.settled) > 0)
		json_object_set(record, "settled", job->earlier.settled);
	stored = settle_result(
		run->state, run->settings->results_dir, job->scenario, record, &why) == 0;

	if (!stored) {
		run->totals->unstored++;
		tell_trouble(run, why.text);
	}
	if (stored && job->lock != -1 &&
		settle_old(run->state, run->settings->results_dir, job->scenario, record, &why) ==
			-1)
		tell_trouble(run, why.text);
	if (json_object_get(record, "maintenance") == NULL)
		run->totals->outcomes[name_index(outcome_names, outcome)]++;
	if (run->observer->finished != NULL)
		run->observer->finished(run->observer->context, job->scenario, record, stored);
	if (job->lock != -1)
		lock_release(job->lock);
	json_decref(record);
	json_decref(job->head);
	earlier_free(&job->earlier);
	confirm_free(&job->confirm);
	json_decref(job->slow);
	*job = (struct job){.lock = -1};
}

/* Takes the reference to the account of all attempts. */
static void end_run(struct job *job, json_t *account)
{
	json_t *record = json_copy(job->head);

	set_end(job, record);
	run_outcome(record, json_object_get(account, "steps"),
		json_object_get(account, "attempts"));
	json_object_update(record, account);
	json_decref(account);
	job->run->running--;
	close_job(job, record);
}

/* For the attempt to come: until when they had not come. */
static void remember_mails(struct job *job, const json_t *account)
{
	struct failure why = {0};
	size_t index;
	json_t *mail;

	json_array_foreach(json_object_get(account, "mails"), index, mail)
		if (ledger_update(job->run->state, mail, &why) == -1)
			tell_trouble(job->run, why.text);
}

/* An attempt has ended. */
static void end_attempt(struct job *job, bool interrupted)
{
	json_t *account = worker_end(&job->worker, interrupted);

	if (confirm_is_planned(&job->confirm))
		account = confirm_unite(&job->confirm, &job->scenario->journey, account);
	else if (!interrupted && confirm_plan(&job->confirm, &job->scenario->journey, account,
					 job->origin, job->deadline)) {
		remember_mails(job, account);
		json_decref(account);
		return;
	}
	end_run(job, account);
}

/* A run that never got a worker: overlap, or no process to be had. */
static void end_unstarted(struct job *job, const struct failure *why)
{
	json_t *record = json_copy(job->head);
	enum outcome outcome = why->type == ERROR_LOCAL_OVERLAP ? OUTCOME_SKIPPED
								: outcome_of_blame(why->blame);

	set_end(job, record);
	json_object_update_new(record,
		json_pack("{s:s, s:s, s:s, s:s, s:[], s:[]}", "outcome", outcome_name(outcome),
			"error_type", error_info(why->type)->name, "error", why->text, "blame",
			blame_name(why->blame), "steps", "mails"));
	close_job(job, record);
}

/* --- starting -------------------------------------------------------------------------- */

static struct job *free_job(struct run *run)
{
	for (size_t i = 0; i < run->job_count; i++)
		if (run->jobs[i].scenario == NULL)
			return &run->jobs[i];
	return NULL;
}

/* With the scenario's lock: first what runs that were killed have left. That they could not be
 * settled does not stop this run, which may not be able to store its own result either. */
static int begin_job(struct job *job, struct failure *why)
{
	struct state *state = job->run->state;
	struct failure left = {0};

	if (interrupted_settle(state, job->run->settings->results_dir, job->scenario, &left) == -1)
		tell_trouble(job->run, left.text);
	if (begun_add(state, job->head, why) == -1)
		return -1;
	return earlier_load(&job->earlier, state, job->head, &job->scenario->journey, why);
}

/* A worker's new token goes to its file, and nowhere else. */
static int keep_token(void *context, const json_t *token, struct failure *why)
{
	const struct job *job = context;

	return grant_keep(&job->scenario->journey, job->tokens_dir, token, why);
}

/* Forks a worker for these steps. */
static int start_attempt(struct job *job, const char *const *only, struct failure *why)
{
	const struct run *run = job->run;
	const struct journey *journey = &job->scenario->journey;
	struct mail_key key;
	struct worker_job order;

	mail_key_derive(run->key, journey->customer, journey->scenario, &key);
	order = (struct worker_job){
		.journey = journey,
		.only = only,
		.run_id = job->run_id,
		.vantage = run->settings->vantage,
		.origin = job->origin,
		.deadline = job->deadline,
		.key = &key,
		.tokens_dir = job->tokens_dir,
		.keep_token = keep_token,
		.token_context = job,
		.open_mails = job->earlier.open_mails,
		.marks = job->earlier.marks,
		.has_past = job->earlier.has_past,
		.slow = job->slow,
		.require_sandbox = run->settings->require_sandbox,
	};
	job->worker = worker_start(&order, why);
	/* The worker has its own copy by now. */
	explicit_bzero(&key, sizeof(key));
	return job->worker != NULL ? 0 : -1;
}

static void start_job(struct run *run, struct job *job, const struct scenario *scenario)
{
	const struct journey *journey = &scenario->journey;
	const char *const only[] = {run->settings->only, NULL};
	struct failure why = {0};

	*job = (struct job){.scenario = scenario, .run = run, .lock = -1};
	job->origin = clock_origin_now();
	job->deadline = (struct deadline){.at_ns = job->origin.monotonic_ns + journey->timeout_ns};
	uuid_v7(job->origin.wall_ns, job->run_id);
	job->head = head_of(run, job);
	if (run->observer->started != NULL)
		run->observer->started(run->observer->context, scenario);
	job->lock = lock_take(
		run->settings->results_dir, journey->customer, journey->scenario, &why);
	if (job->lock == -1 || begin_job(job, &why) == -1) {
		end_unstarted(job, &why);
		return;
	}
	grant_folder(run->settings->results_dir, journey->customer, job->tokens_dir);
	job->slow = slow_figures(
		run->state, scenario, run->settings->vantage, job->origin.wall_ns);
	if (start_attempt(job, only[0] != NULL ? only : NULL, &why) == -1) {
		end_unstarted(job, &why);
		return;
	}
	run->running++;
}

/* With what the ledger knows by now: mails of the first attempt are open as those of earlier runs
 * are. */
static void start_second(struct job *job)
{
	const struct journey *journey = &job->scenario->journey;
	struct failure why = {0};

	if (earlier_reload(&job->earlier, job->run->state, journey, &why) == 0 &&
		start_attempt(job, job->confirm.ids, &why) == 0)
		return;
	tell_trouble(job->run, why.text);
	end_run(job, confirm_unite(&job->confirm, journey, NULL));
}

/* --- while it runs --------------------------------------------------------------------- */

static int on_intent(void *context, const json_t *mail, struct failure *why)
{
	struct job *job = context;

	return ledger_intent(job->run->state, job->head, mail, why);
}

static void on_state(void *context, const json_t *mail)
{
	struct job *job = context;
	struct failure why = {0};

	if (ledger_update(job->run->state, mail, &why) == -1)
		tell_trouble(job->run, why.text);
}

static json_t *on_recall(void *context, const json_t *ids, struct failure *why)
{
	struct job *job = context;

	return earlier_recall(job->run->state, job->head, ids, why);
}

static int on_settle(void *context, const json_t *mails, struct failure *why)
{
	struct job *job = context;

	if (earlier_settle(&job->earlier, job->run->state, job->head, mails, why) == 0) {
		confirm_settle(&job->confirm, mails);
		return 0;
	}
	tell_trouble(job->run, why->text);
	return -1;
}

static void on_progress(void *context, const char *step, const char *phase, const char *note)
{
	struct job *job = context;
	const struct run_observer *observer = job->run->observer;

	if (observer->progress != NULL)
		observer->progress(observer->context, job->scenario, step, phase, note);
}

static void attend(struct job *job, bool has_frames, bool has_ended)
{
	const struct worker_listener listener = {
		.intent = on_intent,
		.state = on_state,
		.recall = on_recall,
		.settle = on_settle,
		.progress = on_progress,
		.context = job,
	};
	bool alive = true;

	/* What a worker said before it died still counts. */
	if (has_frames || has_ended)
		alive = worker_receive(job->worker, &listener);
	if (!alive || has_ended || worker_overdue(job->worker))
		end_attempt(job, false);
}

static int wait_ms(const struct run *run)
{
	int wait = TICK_MS;

	for (size_t i = 0; i < run->job_count; i++) {
		const struct job *job = &run->jobs[i];
		int left = wait;

		if (job->worker != NULL)
			left = worker_left_ms(job->worker);
		else if (confirm_is_planned(&job->confirm))
			left = deadline_left_ms(job->confirm.when);
		if (left < wait)
			wait = left;
	}
	return wait;
}

/* Waits for something to happen and attends to it. Returns the signal that came, or 0. */
static int attend_all(struct run *run, struct pollfd *polls)
{
	struct signalfd_siginfo info;
	struct failure why = {0};
	nfds_t used = 0;

	polls[used++] = (struct pollfd){.fd = run->signals, .events = POLLIN};
	for (size_t i = 0; i < run->job_count; i++) {
		const struct worker *worker = run->jobs[i].worker;

		polls[used++] = (struct pollfd){
			.fd = worker != NULL ? worker_fd(worker) : -1, .events = POLLIN};
		polls[used++] = (struct pollfd){
			.fd = worker != NULL ? worker_pidfd(worker) : -1, .events = POLLIN};
	}
	if (poll(polls, used, wait_ms(run)) == -1 && errno != EINTR) {
		failure_set(&why, ERROR_LOCAL_RESOURCE, "cannot wait for the workers: %s",
			strerror(errno));
		tell_trouble(run, why.text);
		return SIGTERM;
	}
	if ((polls[0].revents & POLLIN) != 0 &&
		read(run->signals, &info, sizeof(info)) == sizeof(info))
		return (int)info.ssi_signo;
	for (size_t i = 0; i < run->job_count; i++)
		if (run->jobs[i].worker != NULL)
			attend(&run->jobs[i], polls[1 + 2 * i].revents != 0,
				polls[2 + 2 * i].revents != 0);
		else if (confirm_is_planned(&run->jobs[i].confirm) &&
			deadline_passed(run->jobs[i].confirm.when))
			start_second(&run->jobs[i]);
	if (run->observer->tick != NULL)
		run->observer->tick(run->observer->context);
	return 0;
}

static void run_all(struct run *run, struct scenario *const scenarios[], size_t count)
{
	struct pollfd *polls = calloc(1 + 2 * run->job_count, sizeof(*polls));
	size_t next = 0;

	while (polls != NULL && run->totals->signal == 0 && (next < count || run->running > 0)) {
		struct job *job = next < count ? free_job(run) : NULL;

		if (job != NULL)
			start_job(run, job, scenarios[next++]);
		else
			run->totals->signal = attend_all(run, polls);
	}
	for (size_t i = 0; i < run->job_count; i++)
		if (run->jobs[i].worker != NULL)
			end_attempt(&run->jobs[i], true);
		else if (run->jobs[i].scenario != NULL)
			end_run(&run->jobs[i], confirm_unite(&run->jobs[i].confirm,
				&run->jobs[i].scenario->journey, NULL));
	free(polls);
}

/* Memory that is empty after a fork: what signs the mails of all customers is none of a worker's. */
static void *private_page(void)
{
	void *page = mmap(NULL, sizeof(struct mail_key), PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED || madvise(page, sizeof(struct mail_key), MADV_WIPEONFORK) == -1)
		return NULL;
	return page;
}

static int begin(struct run *run, size_t count, struct failure *why)
{
	run->job_count = run->settings->jobs < count ? run->settings->jobs : count;
	run->jobs = calloc(run->job_count, sizeof(*run->jobs));
	if (run->jobs == NULL)
		return failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory");
	run_signals_ignore();
	run->state = state_open(run->settings->results_dir, why);
	if (run->state == NULL)
		return -1;
	state_know_facts(run->state, step_type_facts);
	run->key = private_page();
	if (run->key == NULL)
		return failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory");
	if (mail_key_load(run->settings->results_dir, run->key, why) == -1)
		return -1;
	run->signals = run_signals_catch();
	if (run->signals == -1)
		return failure_set(
			why, ERROR_LOCAL_RESOURCE, "cannot wait for signals: %s", strerror(errno));
	return 0;
}

int run_scenarios(struct scenario *const scenarios[], size_t count,
	const struct run_settings *settings, const struct run_observer *observer,
	struct run_totals *totals_r, struct failure *why)
{
	struct run run = {.settings = settings, .observer = observer, .totals = totals_r,
		.signals = -1};
	int result;

	*totals_r = (struct run_totals){0};
	result = begin(&run, count, why);
	if (result == 0) {
		for (size_t i = 0; i < count; i++)
			stage_preload(&scenarios[i]->journey);
		run_all(&run, scenarios, count);
		if (totals_r->signal == 0)
			totals_r->signal = deliver(
				run.state, scenarios, count, settings, observer, run.signals);
	}
	if (run.signals != -1)
		close(run.signals);
	if (run.key != NULL)
		munmap(run.key, sizeof(*run.key));
	state_close(&run.state);
	free(run.jobs);
	return result;
}
