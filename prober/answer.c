#include "answer.h"

#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "incident.h"
#include "lock.h"
#include "outbox.h"
#include "revise.h"
#include "sink.h"
#include "state.h"

#include "ban.h"

/* --- the revision ---------------------------------------------------------------------- */

static json_t *words(const struct answer *answer, const char *key)
{
	char at[CLOCK_TIMESTAMP_SIZE];
	json_t *words;

	clock_format(answer->now_ns, at);
	words = json_pack("{s:s, s:s}", "by", answer->by, "at", at);
	if (answer->text != NULL)
		json_object_set_new(words, key, json_string(answer->text));
	return words;
}

static void add_note(json_t *event, const struct answer *answer)
{
	json_t *notes = json_deep_copy(json_object_get(event, "notes"));

	if (notes == NULL)
		notes = json_array();
	json_array_append_new(notes, words(answer, "text"));
	json_object_set_new(event, "notes", notes);
}

static json_t *revision_of(const struct answer *answer, const json_t *before)
{
	json_t *event = revise_next(before, answer->now_ns);

	if (answer->is_note) {
		add_note(event, answer);
		return event;
	}
	json_object_set_new(event, "acknowledged", words(answer, "note"));
	json_object_set_new(event, "state", json_string("ack"));
	return event;
}

/* --- whether there is anything to say -------------------------------------------------- */

static enum answer_verdict weigh(
	const struct answer *answer, const json_t *event, struct answer_result *result)
{
	const char *id = event_string(event, "event_id");
	const json_t *before = json_object_get(event, "acknowledged");

	if (answer->is_note) {
		if (json_array_size(json_object_get(event, "notes")) < ANSWER_NOTES_MAX)
			return ANSWER_GIVEN;
		snprintf(result->sentence, sizeof(result->sentence),
			"%.48s has %d notes, and takes no more", id, ANSWER_NOTES_MAX);
		return ANSWER_REFUSED;
	}
	if (strcmp(event_string(event, "state"), "resolved") == 0) {
		snprintf(result->sentence, sizeof(result->sentence),
			"%.48s is over since %.19sZ: there is nothing to acknowledge (a note can "
			"be "
			"added)",
			id, event_string(event, "at"));
		return ANSWER_REFUSED;
	}
	if (before == NULL)
		return ANSWER_GIVEN;
	snprintf(result->sentence, sizeof(result->sentence),
		"%.48s was acknowledged before, at %.19sZ: nothing is changed (a note can be "
		"added)",
		id, event_string(before, "at"));
	return ANSWER_NEEDLESS;
}

/* --- writing down ---------------------------------------------------------------------- */

struct desk {
	const char *results_dir;
	struct state *state;
	const struct answer *answer;
};

/* No program acts on what a person says, unless it asks for `ack`. */
static enum answer_verdict write_down(const struct desk *desk, const struct incident *incident,
	struct answer_result *result_r, struct failure *why)
{
	json_t *event = revision_of(desk->answer, incident_newest(incident));
	json_t *sinks = outbox_sinks(desk->state, event, why);
	const struct outbox_order order = {.sinks = sinks,
		.doubt = desk->answer->is_note ? "a note is nothing to act on" : NULL,
		.is_answer = true,
		.now_ns = desk->answer->now_ns};
	bool stored = false;
	int result = -1;

	if (sinks != NULL)
		result = revise_store(desk->results_dir, desk->state, incident, event, &order,
			&stored, why);
	json_decref(sinks);
	if (stored)
		result_r->event = event;
	else
		json_decref(event);
	return result == 0 ? ANSWER_GIVEN : ANSWER_FAILED;
}

/* --- the whole ------------------------------------------------------------------------- */

static enum answer_verdict find_and_write(
	const struct desk *desk, struct answer_result *result_r, struct failure *why)
{
	struct incident incident;
	enum answer_verdict verdict = ANSWER_FAILED;
	int found = incident_find(desk->results_dir, desk->state, desk->answer->event, &incident,
		result_r->sentence, why);

	if (found == 1)
		verdict = ANSWER_REFUSED;
	if (found == 0)
		verdict = weigh(desk->answer, incident_newest(&incident), result_r);
	if (verdict == ANSWER_GIVEN)
		verdict = write_down(desk, &incident, result_r, why);
	incident_free(&incident);
	return verdict;
}

/* Where nothing was ever run, nothing is made. */
static struct state *open_existing(const char *results_dir, struct failure *why)
{
	struct state *state = state_open_to_read(results_dir, why);

	if (state == NULL)
		return NULL;
	state_close(&state);
	return state_open(results_dir, why);
}

enum answer_verdict answer_give(const char *results_dir, const struct answer *answer,
	struct answer_result *result_r, struct failure *why)
{
	struct desk desk = {.results_dir = results_dir, .answer = answer};
	enum answer_verdict verdict = ANSWER_FAILED;
	int lock;

	*result_r = (struct answer_result){0};
	desk.state = open_existing(results_dir, why);
	if (desk.state == NULL)
		return ANSWER_FAILED;
	lock = lock_take_rules(results_dir, why);
	if (lock >= 0)
		verdict = find_and_write(&desk, result_r, why);
	lock_release(lock);
	state_close(&desk.state);
	return verdict;
}
