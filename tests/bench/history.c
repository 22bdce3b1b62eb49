/* history - what a run costs after a year, beside what it costs after a day.
 *
 *	history CHECK_MAILPROBE [DAYS]
 *
 * A scenario of 12 steps (about 60 metrics, two mails a run) every 5 minutes: one history of DAYS
 * (365), one of a day, both up to now. Then runs of 8 hours are stored in both by turns, all that a run
 * stores: line, ledger, history, events, trend. Processor time and bytes written of the one must be
 * within 1.2 times the other's. The plugin must answer from the long one in 10 ms (median).
 */
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>

#include <sqlite3.h>

#include "../unit/store_help.h"
#include "history.h"
#include "ledger.h"
#include "lines.h"
#include "settle.h"
#include "state_private.h"

#define EVERY (5 * TEST_MINUTE)
#define A_DAY 288
#define STEPS 12
#define MEASURED 96
#define RATIO_MAX 1.2
#define CHECKS 41
#define CHECK_MS_MAX 10.0

/* One history. */
struct site {
	struct state *state;
	char results[128];
	int64_t next_ns; /* the next run begins */
	double cpu_ms, bytes;
};

static struct failure why;
static struct scenario scenario;

/* --- runs ------------------------------------------------------------------------------ */

/* Scatter of some tenths, and a slow step now and then; the same for every run of that time. */
static double seconds_of(int64_t at_ns, int salt)
{
	uint64_t x = ((uint64_t)(at_ns / NS_PER_SECOND) * 64 + (uint64_t)salt) *
		UINT64_C(0x9e3779b97f4a7c15);
	double share = (double)(x >> 40) / (1 << 24);

	return round(1e6 * (0.02 + 0.01 * salt) * (1 + 0.5 * share + (share > 0.98 ? 4 : 0))) / 1e6;
}

static void add_steps(json_t *record, int64_t at_ns)
{
	static const char *const phases[] = {"connect", "tls", "auth", "select"};

	for (int i = 0; i < STEPS; i++) {
		char id[16];
		json_t *step;
		double begun = 0;

		snprintf(id, sizeof(id), "step-%d", i);
		step = add_step(record, id, "pass", 4 * seconds_of(at_ns, i));
		for (int p = 0; p < 4; p++, begun += seconds_of(at_ns, i))
			add_phase(step, phases[p], begun, seconds_of(at_ns, i * 4 + p));
	}
}

static void add_mails(json_t *record, int64_t at_ns)
{
	for (int i = 0; i < 2; i++) {
		char id[UUID_SIZE];
		json_t *mail;

		uuid_v7(at_ns, id);
		mail = make_mail(id, "delivered");
		json_object_set_new(mail, "step", json_string(i == 0 ? "in" : "out"));
		json_object_set_new(mail, "delivery_seconds", json_real(seconds_of(at_ns, 80 + i)));
		json_array_append_new(json_object_get(record, "mails"), mail);
	}
}

static json_t *make_run(int64_t at_ns)
{
	int64_t number = at_ns / EVERY;
	json_t *record = make_result(at_ns, number % 97 == 0 ? "fail" : "pass");

	if (number % 97 == 0)
		json_object_set_new(record, "error_type", json_string("smtp.tempfail"));
	add_steps(record, at_ns);
	add_mails(record, at_ns);
	return record;
}

static json_t *in_state(const json_t *mail, const char *state)
{
	json_t *copy = json_copy((json_t *)(uintptr_t)mail);

	json_object_set_new(copy, "state", json_string(state));
	json_object_del(copy, "delivery_seconds");
	return copy;
}

/* --- histories ------------------------------------------------------------------------- */

static bool keep(struct site *site)
{
	json_t *record = make_run(site->next_ns), *mail;
	bool good = history_add(site->state, record, &why) == 0;
	size_t index;

	json_array_foreach(json_object_get(record, "mails"), index, mail) good =
		ledger_restore(site->state, record, mail, NULL, site->next_ns,
			site->next_ns + TEST_MINUTE, &why) == 0 &&
		good;
	json_decref(record);
	site->next_ns += EVERY;
	return good;
}

/* Synced at the end alone. */
static bool grow(struct site *site, const char *name, int64_t end_ns, size_t runs)
{
	int64_t begun = clock_now();
	bool good = true;

	snprintf(site->results, sizeof(site->results), "%s/%s", test_folder, name);
	site->state = state_open(site->results, &why);
	site->next_ns = end_ns - (int64_t)runs * EVERY;
	sqlite3_exec(site->state->db, "PRAGMA synchronous=OFF", NULL, NULL, NULL);
	for (size_t i = 0; i < runs; i++)
		good = keep(site) && good;
	sqlite3_exec(site->state->db, "PRAGMA wal_checkpoint(TRUNCATE); PRAGMA synchronous=FULL",
		NULL, NULL, NULL);
	diag("%zu runs in %.1f s", runs, clock_seconds(clock_now() - begun));
	return good;
}

/* --- what a run costs ------------------------------------------------------------------ */

static double cpu_ms(void)
{
	struct timespec time;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

/* All that this process has handed to write(2) and its like. */
static double bytes_written(void)
{
	FILE *file = fopen("/proc/self/io", "re");
	unsigned long long read = 0, written = 0;

	if (file == NULL || fscanf(file, "rchar: %llu wchar: %llu", &read, &written) != 2)
		abort();
	fclose(file);
	return (double)written;
}

static bool store(struct site *site)
{
	json_t *record = make_run(site->next_ns), *mail;
	double cpu = cpu_ms(), bytes = bytes_written();
	bool good = true;
	size_t index;

	json_array_foreach(json_object_get(record, "mails"), index, mail)
	{
		json_t *sending = in_state(mail, "sending"), *accepted = in_state(mail, "accepted");

		good = ledger_intent(site->state, record, sending, &why) == 0 &&
			ledger_update(site->state, accepted, &why) == 0 && good;
		json_decref(sending);
		json_decref(accepted);
	}
	good = settle_result(site->state, site->results, &scenario, record, &why) == 0 && good;
	site->cpu_ms += cpu_ms() - cpu;
	site->bytes += bytes_written() - bytes;
	json_decref(record);
	site->next_ns += EVERY;
	return good;
}

static void compare(const struct site *year, const struct site *day)
{
	double cpu = year->cpu_ms / day->cpu_ms, bytes = year->bytes / day->bytes;

	diag("a run after a day: %.2f ms of processor time, %.1f KB written",
		day->cpu_ms / MEASURED, day->bytes / MEASURED / 1024);
	diag("a run after a year: %.2f ms, %.1f KB", year->cpu_ms / MEASURED,
		year->bytes / MEASURED / 1024);
	ok(cpu <= RATIO_MAX, "%.2f times the processor time", cpu);
	ok(bytes <= RATIO_MAX, "%.2f times the bytes", bytes);
}

/* --- the plugin ------------------------------------------------------------------------ */

static double check_ms(const char *plugin, const struct site *site)
{
	const char *const args[] = {plugin, "--results", site->results, "acme/mail", NULL};
	posix_spawn_file_actions_t actions;
	int64_t begun = clock_now();
	int status = -1;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	if (posix_spawn(&pid, plugin, &actions, NULL, (char *const *)(uintptr_t)args, environ) !=
			0 ||
		waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		abort();
	posix_spawn_file_actions_destroy(&actions);
	if (WEXITSTATUS(status) == 3)
		diag("the plugin could not answer");
	return clock_seconds(clock_now() - begun) * 1000;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void check(const char *plugin, const struct site *site)
{
	double ms[CHECKS];

	for (int i = 0; i < CHECKS; i++)
		ms[i] = check_ms(plugin, site);
	qsort(ms, CHECKS, sizeof(ms[0]), by_size);
	ok(ms[CHECKS / 2] < CHECK_MS_MAX, "the plugin answers in %.2f ms (median), %.2f ms (p95)",
		ms[CHECKS / 2], ms[CHECKS * 95 / 100]);
}

static struct limit make_limit(const char *json)
{
	struct limit limit;

	/* It lives as long as the limit, which is as long as the bench. */
	limit_build(json_loads(json, 0, NULL), &limit);
	return limit;
}

int main(int argc, char **argv)
{
	const struct limit limits[] = {
		make_limit("{\"name\": \"slow\", \"metric\": \"in.delivery_seconds\", \"over\": "
			   "\"24h\","
			   " \"warn\": \"p95 > 60s\", \"crit\": \"p95 > 120s\"}"),
		make_limit("{\"name\": \"usual\", \"metric\": \"step-3.duration_seconds\","
			   " \"over\": \"30d\", \"warn\": \"p95 > 60s\"}"),
		make_limit("{\"name\": \"rate\", \"metric\": \"failure_rate\", \"over\": \"7d\","
			   " \"crit\": \"> 20%\"}"),
		make_limit("{\"name\": \"failing\", \"metric\": \"failed\", \"for\": \"3 of 5\"}"),
	};
	size_t days = argc == 3 ? strtoul(argv[2], NULL, 10) : 365, stored = 0;
	struct site year = {0}, day = {0};
	int64_t end_ns;

	if (argc < 2 || days == 0)
		return 64;
	make_folder();
	scenario = (struct scenario){.journey = {.customer = "acme", .scenario = "mail"},
		.limits = limits,
		.limit_count = sizeof(limits) / sizeof(limits[0])};
	end_ns = clock_wall() / EVERY * EVERY - MEASURED * EVERY;
	ok(grow(&year, "year", end_ns, days * A_DAY), "a history of %zu days", days);
	ok(grow(&day, "day", end_ns, A_DAY), "one of a day");
	for (int i = 0; i < MEASURED; i++)
		stored += store(&year) + store(&day);
	is_integer((long long)stored, 2 * MEASURED, "all runs are stored");
	compare(&year, &day);
	check(argv[1], &year);
	state_close(&year.state);
	state_close(&day.state);
	return done_testing();
}
