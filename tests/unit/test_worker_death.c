/* Workers that die, do not end, or take too much. */
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "worker_bench.h"

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
	ok(json_number_value(json_object_get(json_array_get(json_object_get(record, "phases"), 1),
		   "duration_seconds")) >= 0.02,
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

/* Kept where the compiler cannot do without it. */
static char *volatile taken;

static void hog(struct stage *stage)
{
	size_t size = (size_t)64 << 20;

	enter(stage, "first", "auth");
	while (size >= 4096) {
		taken = malloc(size);
		if (taken != NULL)
			memset(taken, 1, size);
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

int main(void)
{
	bench_open();
	test_crash();
	test_deaths();
	test_killed_from_outside();
	test_interrupted();
	test_stuck();
	test_stuck_setting();
	test_greed();
	bench_close();
	return done_testing();
}
