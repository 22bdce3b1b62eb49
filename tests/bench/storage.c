/* storage - what a run costs the disk.
 *
 *	storage GOLDEN_FOLDER RESULTS_FOLDER RUNS
 *
 * The record of a real run of two mails is stored again and again, by the code that stores it, as
 * another run of other mails a minute later; so the history grows as it does. Every other run is
 * stored whole (lines, ledger, history, trend, events), the ones between in the database alone.
 * Beside each stands a floor: as many blocks of 4 KB, appended to a bare file and synced, as the
 * run has synced. The database's part must stay below 5 ms in the median; where the disk itself
 * does not allow that, below three times the floor.
 */
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "clock.h"
#include "history.h"
#include "ledger.h"
#include "lines.h"
#include "scenario.h"
#include "settle.h"
#include "state.h"
#include "step.h"
#include "uuid.h"

#include "../tap.h"

#define MEDIAN_MS_MAX 5.0
#define RATIO_MAX 3.0
#define BLOCK 4096

static int syncs; /* of the run, without the floor's */

/* Instead of the C library's, for SQLite too: they count. */
int fsync(int fd)
{
	syncs++;
	return (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
	syncs++;
	return (int)syscall(SYS_fdatasync, fd);
}

/* Of one kind of runs. */
struct costs {
	double *ms, *floor_ms;
	size_t count;
	int syncs;
};

static struct failure why;
static json_t *sample;

static double ms_since(int64_t begun)
{
	return (double)(clock_now() - begun) / 1e6;
}

static void take_first(void *context, const struct line *line)
{
	json_t **first = context;

	if (*first == NULL && line->verdict == LINE_GOOD)
		*first = json_deep_copy(line->record);
}

static void set_id(json_t *object, const char *key, int64_t wall_ns)
{
	char id[UUID_SIZE];

	uuid_v7(wall_ns, id);
	json_object_set_new(object, key, json_string(id));
}

/* The sample as a run of its own. */
static json_t *next_record(int64_t wall_ns)
{
	json_t *record = json_deep_copy(sample), *mail;
	char started[CLOCK_TIMESTAMP_SIZE];
	size_t index;

	clock_format(wall_ns, started);
	json_object_set_new(record, "started_at", json_string(started));
	set_id(record, "run_id", wall_ns);
	json_array_foreach(json_object_get(record, "mails"), index, mail)
		set_id(mail, "mail", wall_ns);
	return record;
}

/* A mail as it is announced, and as it is after its reply. */
static json_t *mail_in(const json_t *mail, const char *state)
{
	json_t *one = json_copy((json_t *)(uintptr_t)mail);

	json_object_set_new(one, "state", json_string(state));
	return one;
}

static bool send_mails(struct state *state, const json_t *record)
{
	json_t *mail, *sending, *accepted;
	bool good = true;
	size_t index;

	json_array_foreach(json_object_get(record, "mails"), index, mail)
	{
		sending = mail_in(mail, "sending");
		accepted = mail_in(mail, "accepted");
		good = ledger_intent(state, record, sending, &why) == 0 &&
			ledger_update(state, accepted, &why) == 0 && good;
		json_decref(sending);
		json_decref(accepted);
	}
	return good;
}

static double floor_ms(int fd)
{
	static const char block[BLOCK] = "floor";
	int64_t begun = clock_now();

	for (int i = 0; i < syncs; i++)
		if (write(fd, block, sizeof(block)) != sizeof(block) ||
			syscall(SYS_fdatasync, fd) != 0)
			exit(1);
	return ms_since(begun);
}

static bool settle_mails(struct state *state, const json_t *record)
{
	json_t *mail;
	bool good = true;
	size_t index;

	json_array_foreach(json_object_get(record, "mails"), index, mail)
	{
		good = ledger_update(state, mail, &why) == 0 && good;
	}
	return good;
}

static bool store_once(struct state *state, const char *results, const struct scenario *scenario,
	int floor_fd, int64_t wall_ns, bool whole, struct costs *costs)
{
	json_t *record = next_record(wall_ns);
	int64_t begun = clock_now();
	bool good;

	syncs = 0;
	good = send_mails(state, record);
	if (whole)
		good = settle_result(state, results, scenario, record, &why) == 0 && good;
	else
		good = settle_mails(state, record) && history_add(state, record, &why) == 0 && good;
	costs->ms[costs->count] = ms_since(begun);
	costs->floor_ms[costs->count++] = floor_ms(floor_fd);
	costs->syncs = syncs;
	json_decref(record);
	return good;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double quantile(double *values, size_t count, double share)
{
	qsort(values, count, sizeof(*values), by_size);
	return values[(size_t)((double)(count - 1) * share)];
}

/* The median; its ratio to the floor's is `ratio_r`. */
static double report(struct costs *costs, const char *what, double *ratio_r)
{
	double median = quantile(costs->ms, costs->count, 0.5);
	double bare = quantile(costs->floor_ms, costs->count, 0.5);

	*ratio_r = median / bare;
	diag("%s: median %.2f ms, p95 %.2f ms; floor of %d syncs %.2f ms, ratio %.1f (n %zu)", what,
		median, quantile(costs->ms, costs->count, 0.95), costs->syncs, bare, *ratio_r,
		costs->count);
	return median;
}

static void judge(struct costs *whole, struct costs *database)
{
	double ratio, median;

	report(whole, "all that a run writes", &ratio);
	median = report(database, "the database alone", &ratio);
	ok(median < MEDIAN_MS_MAX || ratio < RATIO_MAX,
		"the database takes %.2f ms of a run, %.1f times the floor", median, ratio);
}

static struct costs costs_for(size_t runs)
{
	return (struct costs){
		.ms = calloc(runs, sizeof(double)), .floor_ms = calloc(runs, sizeof(double))};
}

static void costs_free(struct costs *costs)
{
	free(costs->ms);
	free(costs->floor_ms);
}

static const struct field *facts_of(const char *type_name)
{
	const struct step_type *type = step_type_find(type_name);

	return type != NULL ? type->facts : NULL;
}

int main(int argc, char **argv)
{
	size_t runs = argc == 4 ? strtoul(argv[3], NULL, 10) : 0, stored = 0;
	struct costs whole = costs_for(runs), database = costs_for(runs);
	struct complaints complaints = {0};
	struct scenario *scenario;
	struct state *state;
	char path[4096];
	int floor_fd;

	if (runs == 0)
		return 64;
	snprintf(path, sizeof(path), "%s/result.jsonl", argv[1]);
	lines_read(path, take_first, &sample, &why);
	snprintf(path, sizeof(path), "%s/scenario.yaml", argv[1]);
	scenario = scenario_load(path, &complaints);
	complaints_free(&complaints);
	state = state_open(argv[2], &why);
	snprintf(path, sizeof(path), "%s/floor", argv[2]);
	floor_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (!ok(sample != NULL && scenario != NULL && state != NULL && floor_fd >= 0,
		    "a record, a scenario and an empty folder"))
		return done_testing();
	state_know_facts(state, facts_of);
	for (size_t run = 0; run < runs; run++)
		stored += store_once(state, argv[2], scenario, floor_fd,
			clock_wall() - (int64_t)(runs - run) * 60 * NS_PER_SECOND, run % 2 == 0,
			run % 2 == 0 ? &whole : &database);
	is_integer((long long)stored, (long long)runs, "each run is stored");
	judge(&whole, &database);
	close(floor_fd);
	state_close(&state);
	scenario_free(&scenario);
	json_decref(sample);
	costs_free(&whole);
	costs_free(&database);
	return done_testing();
}
