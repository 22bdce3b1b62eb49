#include "sink_test.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "deliver.h"
#include "outbox.h"
#include "record.h"
#include "rules.h"
#include "run_signals.h"
#include "state.h"
#include "text.h"
#include "uuid.h"

#include "ban.h"

#define RULE "sink-test"

struct trial {
	struct state *state;
	struct scenario scenario; /* with this sink alone */
	const char *vantage;
	json_t *event;
	int signals;
};

static json_t *make_event(const struct trial *trial)
{
	const struct journey *journey = &trial->scenario.journey;
	int64_t now_ns = clock_wall();
	char at[CLOCK_TIMESTAMP_SIZE], uuid[UUID_SIZE];

	clock_format(now_ns, at);
	uuid_v7(now_ns, uuid);
	return json_pack("{s:s, s:o, s:o, s:i, s:s, s:s, s:b, s:s, s:s, s:s, s:s, s:o, s:{}, s:{s:s}, "
			 "s:[s], s:[]}",
		"schema", EVENT_SCHEMA, "event_id", json_sprintf("evt_%s", uuid), "dedup_key",
		json_sprintf("%s/%s/%s", journey->customer, journey->scenario, RULE), "revision", 1,
		"state", "open", "severity", "info", "test", true, "at", at, "since", at, "customer",
		journey->customer, "scenario", journey->scenario, "summary",
		json_sprintf("%s/%s: a test of the sink %s; nothing is wrong", journey->customer,
			journey->scenario, trial->scenario.sinks[0].name),
		"values", "limit", "name", RULE, "vantages", trial->vantage, "evidence");
}

static void resolve(json_t *event)
{
	char at[CLOCK_TIMESTAMP_SIZE];

	clock_format(clock_wall(), at);
	json_object_set_new(event, "revision", json_integer(2));
	json_object_set_new(event, "state", json_string("resolved"));
	json_object_set_new(event, "at", json_string(at));
}

/* Through an outbox that is gone afterwards, as if a limit had raised it. */
static int send_event(struct trial *trial, struct failure *why)
{
	const struct journey *journey = &trial->scenario.journey;
	const struct rule_key key = {journey->customer, journey->scenario, RULE};
	const struct run_settings settings = {.vantage = trial->vantage, .jobs = 1};
	const struct run_observer nobody = {0};
	struct scenario *const scenarios[] = {&trial->scenario};
	json_t *sinks = json_pack("[s]", trial->scenario.sinks[0].name);
	json_t *memory = json_object();
	const struct outbox_order order = {.sinks = sinks, .now_ns = clock_wall()};
	int result = rules_store(trial->state, &key, memory, trial->event, &order, why);

	json_decref(sinks);
	json_decref(memory);
	if (result == 0 &&
		deliver(trial->state, scenarios, 1, &settings, &nobody, trial->signals) != 0)
		result = failure_set(why, ERROR_LOCAL_INTERRUPTED, "mailprobe was interrupted");
	return result;
}

/* What became of the newest row. */
static int read_trial(struct trial *trial, struct sink_trial *trial_r, struct failure *why)
{
	json_t *rows = outbox_list(trial->state, true, why);
	const json_t *row = json_array_get(rows, json_array_size(rows) - 1);

	if (rows == NULL)
		return -1;
	text_copy(trial_r->state, sizeof(trial_r->state), event_string(row, "state"));
	text_copy(trial_r->sentence, sizeof(trial_r->sentence), event_string(row, "outcome"));
	trial_r->taken = strcmp(trial_r->state, outbox_states[OUTBOX_DELIVERED]) == 0 ||
		strcmp(trial_r->state, outbox_states[OUTBOX_STANDING]) == 0;
	json_decref(rows);
	return 0;
}

static int perform(struct trial *trial, struct sink_trial *trial_r, struct failure *why)
{
	struct sink_trial resolved;

	if (send_event(trial, why) == -1 || read_trial(trial, trial_r, why) == -1)
		return -1;
	if (!trial_r->taken)
		return 0;
	resolve(trial->event);
	if (send_event(trial, why) == -1 || read_trial(trial, &resolved, why) == -1)
		return -1;
	/* A program is not wanted for it unless it says so. */
	if (!resolved.taken && strcmp(resolved.state, outbox_states[OUTBOX_SKIPPED]) != 0)
		*trial_r = resolved;
	return 0;
}

int sink_test(const struct scenario *scenario, const struct sink *sink, const char *vantage,
	struct sink_trial *trial_r, struct failure *why)
{
	struct trial trial = {.scenario = *scenario, .vantage = vantage};
	int result = -1;

	*trial_r = (struct sink_trial){0};
	trial.scenario.sinks = sink;
	trial.scenario.sink_count = 1;
	run_signals_ignore();
	trial.signals = run_signals_catch();
	trial.state = state_open_scratch(why);
	trial.event = make_event(&trial);
	if (trial.signals == -1)
		failure_set(why, ERROR_LOCAL_RESOURCE, "cannot wait for signals: %s",
			strerror(errno));
	else if (trial.state != NULL)
		result = perform(&trial, trial_r, why);
	json_decref(trial.event);
	state_close(&trial.state);
	if (trial.signals != -1)
		close(trial.signals);
	return result;
}
