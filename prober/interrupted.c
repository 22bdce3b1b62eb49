#include "interrupted.h"

#include <string.h>

#include "begun.h"
#include "clock.h"
#include "find_run.h"
#include "record.h"
#include "settle.h"

#include "ban.h"

static const char *member(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value != NULL ? value : "";
}

/* Its end is not known. The last trace of it is: what it wrote into the ledger. */
static void set_end(json_t *record, int64_t last_ns)
{
	char ended[CLOCK_TIMESTAMP_SIZE];
	int64_t started_ns = 0;

	clock_parse(member(record, "started_at"), &started_ns);
	if (last_ns < started_ns)
		last_ns = started_ns;
	clock_format(last_ns, ended);
	json_object_set_new(record, "ended_at", json_string(ended));
	json_object_set_new(
		record, "duration_seconds", json_real(clock_seconds(last_ns - started_ns)));
}

/* Nobody knows whether the final dot of a mail went out that was being sent. */
static void doubt_sent(json_t *mails)
{
	json_t *mail;
	size_t index;

	json_array_foreach(mails, index, mail) if (strcmp(member(mail, "state"), "sending") == 0)
		json_object_set_new(mail, "state", json_string("unknown"));
}

static json_t *record_of(struct state *state, const json_t *head, struct failure *why)
{
	json_t *record = json_deep_copy(head), *mails, *settled;
	const char *run_id = member(head, "run_id");
	int64_t last_ns = 0;

	mails = begun_mails(state, run_id, &last_ns, why);
	settled = begun_settled(state, run_id, &last_ns, why);
	doubt_sent(mails);
	set_end(record, last_ns);
	json_object_update_new(record,
		json_pack("{s:s, s:s, s:s, s:s, s:[]}", "outcome", outcome_name(OUTCOME_ERROR),
			"error_type", error_info(ERROR_LOCAL_INTERRUPTED)->name, "error",
			"mailprobe was killed in this run, or the machine went down", "blame",
			blame_name(BLAME_PROBER), "steps"));
	if (mails == NULL || settled == NULL) {
		json_decref(record);
		record = NULL;
	}
	if (record != NULL)
		json_object_set(record, "mails", mails);
	if (record != NULL && json_array_size(settled) > 0)
		json_object_set(record, "settled", settled);
	json_decref(mails);
	json_decref(settled);
	return record;
}

/* doctor tells of damage. */
static void pass_over(void *context, const char *path, const struct line *line)
{
	(void)context;
	(void)path;
	(void)line;
}

static int settle_run(struct state *state, const char *results_dir, const struct scenario *scenario,
	const json_t *head, struct failure *why)
{
	struct found_run found = {0};
	json_t *record;
	int result = -1;

	if (find_run(results_dir, member(head, "run_id"), pass_over, NULL, &found, why) == -1)
		return -1;
	if (found.record != NULL) {
		result = settle_stored(state, results_dir, scenario, found.record, why);
	} else {
		record = record_of(state, head, why);
		if (record != NULL)
			result = settle_result(state, results_dir, scenario, record, why);
		json_decref(record);
	}
	found_run_free(&found);
	return result;
}

int interrupted_settle(struct state *state, const char *results_dir,
	const struct scenario *scenario, struct failure *why)
{
	const struct journey *journey = &scenario->journey;
	json_t *heads = begun_runs(state, journey->customer, journey->scenario, why), *head;
	int result = heads != NULL ? 0 : -1;
	size_t index;

	json_array_foreach(heads, index, head)
	{
		if (settle_run(state, results_dir, scenario, head, why) == -1)
			result = -1;
	}
	json_decref(heads);
	return result;
}
