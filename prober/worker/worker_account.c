#include "worker_account_private.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record.h"
#include "step.h"

#include "ban.h"

/* A step that sends may have to try again. */
#define MAILS_PER_STEP 16
/* Each is a write to disk, for which all other workers wait. */
#define STATES_PER_MAIL 4
/* Asked about and settled, over a whole run. */
#define ASKED_MAX 65536
/* For each step: its phases all at once, and notes several times a second. */
#define FRAMES_AT_ONCE 128
#define FRAMES_PER_SECOND 32

int worker_account_open(struct worker_account *account, const struct worker_job *job)
{
	*account = (struct worker_account){.job = job, .mails = json_object()};
	account->tracks = calloc(job->journey->step_count + 1, sizeof(*account->tracks));
	return account->mails != NULL && account->tracks != NULL ? 0 : -1;
}

void worker_account_free(struct worker_account *account)
{
	for (size_t i = 0; account->tracks != NULL && i < account->job->journey->step_count; i++)
		json_decref(account->tracks[i].record);
	free(account->tracks);
	json_decref(account->mails);
	json_decref(account->sandbox);
	json_decref(account->sandbox_missing);
	json_decref(account->vantage_state);
	*account = (struct worker_account){0};
}

/* --- checks ---------------------------------------------------------------------------- */

/* Index in the journey; its count if there is no such step. */
static size_t find_step(const struct worker_account *account, const char *id)
{
	const struct journey *journey = account->job->journey;
	size_t i = 0;

	while (i < journey->step_count && (id == NULL || strcmp(journey->steps[i].id, id) != 0))
		i++;
	return i;
}

static int no_such_step(const char *what, const char *id, struct failure *why)
{
	return failure_set(why, ERROR_WORKER_PROTOCOL,
		"%s of step \"%s\", which is not in the scenario", what, id != NULL ? id : "");
}

/* An outcome comes with its reasons, and with no others. */
static int check_outcome(const json_t *record, struct failure *why)
{
	const char *id = account_text(record, "id"), *type = account_text(record, "error_type");
	enum outcome outcome = (enum outcome)name_index(outcome_names, account_text(record, "outcome"));
	bool explained = type != NULL && account_text(record, "error") != NULL &&
		account_text(record, "blame") != NULL;
	bool fits = false;

	switch (outcome) {
	case OUTCOME_PASS:
		fits = type == NULL && account_text(record, "proof") != NULL;
		break;
	case OUTCOME_WARN:
		fits = explained && account_text(record, "proof") != NULL;
		break;
	case OUTCOME_FAIL:
	case OUTCOME_ERROR:
		fits = explained &&
			outcome_of_blame((enum blame)(
				name_index(blame_names, account_text(record, "blame")) + 1)) == outcome;
		break;
	case OUTCOME_SKIPPED:
		fits = type == NULL && account_text(record, "reason") != NULL;
		break;
	}
	if (fits)
		return 0;
	return failure_set(why, ERROR_WORKER_PROTOCOL,
		"step \"%s\": outcome %s does not go with the proof, reason or error it gives", id,
		outcome_name(outcome));
}

static int check_step(const struct worker_account *account, const json_t *record, size_t *index_r,
	struct failure *why)
{
	const char *id = account_text(record, "id");
	size_t index = find_step(account, id);
	const struct step *step = &account->job->journey->steps[index];
	char what[ACCOUNT_NAME_SIZE + 8];

	if (index == account->job->journey->step_count)
		return no_such_step("a record", id, why);
	snprintf(what, sizeof(what), "step %s", step->id);
	if (frame_check((const struct field *const[]){record_step, step->type->facts, NULL}, record,
		    what, why) != 0)
		return -1;
	if (strcmp(account_text(record, "type"), step->type->name) != 0)
		return failure_set(why, ERROR_WORKER_PROTOCOL, "step \"%s\" is not of type %s", id,
			account_text(record, "type"));
	*index_r = index;
	return check_outcome(record, why);
}

static size_t mails_allowed(const struct worker_account *account)
{
	const struct journey *journey = account->job->journey;
	size_t count = 0;

	for (size_t i = 0; i < journey->step_count; i++)
		count += journey->steps[i].type->sends_mail;
	return count * MAILS_PER_STEP;
}

/* --- frames ---------------------------------------------------------------------------- */

/* Its fields have been checked with the frame. */
static int take_mail(struct worker_account *account, json_t *mail, struct failure *why)
{
	const char *id = account_text(mail, "mail"), *step = account_text(mail, "step");
	size_t index = find_step(account, step);
	const json_t *known = json_object_get(account->mails, id);

	if (index == account->job->journey->step_count)
		return no_such_step("a mail", step, why);
	if (!account->job->journey->steps[index].type->sends_mail)
		return failure_set(why, ERROR_WORKER_PROTOCOL,
			"a mail of step \"%s\", which sends none", step);
	if (known != NULL && strcmp(account_text(known, "step"), step) != 0)
		return failure_set(why, ERROR_WORKER_PROTOCOL, "a mail of two steps");
	if (known == NULL && json_object_size(account->mails) >= mails_allowed(account))
		return failure_set(
			why, ERROR_WORKER_PROTOCOL, "more than %zu mails", mails_allowed(account));
	return json_object_set(account->mails, id, mail);
}

void worker_account_forget(struct worker_account *account, const json_t *mail)
{
	json_object_del(account->mails, account_text(mail, "mail"));
}

static int take_jail(struct worker_account *account, const json_t *frame, struct failure *why)
{
	struct text missing;
	json_t *name;
	size_t index;

	account->sandbox = json_incref(json_object_get(frame, "sandbox"));
	account->sandbox_missing = json_incref(json_object_get(frame, "missing"));
	if (!account->job->require_sandbox ||
		strcmp(json_string_value(account->sandbox), "full") == 0)
		return 0;
	text_init(&missing, 200);
	json_array_foreach(account->sandbox_missing, index, name)
		text_printf(&missing, "%s%s", index > 0 ? ", " : "", json_string_value(name));
	failure_set(why, ERROR_SANDBOX_REQUIRED,
		"a full sandbox is required, but here it is %s: %s missing",
		json_string_value(account->sandbox), missing.length > 0 ? missing.bytes : "?");
	text_free(&missing);
	return -1;
}

int64_t account_clock(const struct worker_account *account)
{
	return clock_now() - account->job->origin.monotonic_ns;
}

static int take_progress(struct worker_account *account, const json_t *frame, struct failure *why)
{
	const char *phase = account_text(frame, "phase");
	size_t index = find_step(account, account_text(frame, "step"));
	int64_t now = account_clock(account), at;
	double seconds = json_number_value(json_object_get(frame, "at_seconds"));
	struct step_track *track = &account->tracks[index];

	if (index == account->job->journey->step_count)
		return no_such_step("progress", account_text(frame, "step"), why);
	/* Time goes forwards, whatever it says. */
	at = seconds >= 0 && seconds < clock_seconds(now) ? llround(seconds * 1e9) : now;
	if (track->count > 0 && at < track->begins[track->count - 1])
		at = track->begins[track->count - 1];
	if (track->count == TIMINGS_MAX ||
		(track->count > 0 && strcmp(track->phases[track->count - 1], phase) == 0))
		return 0;
	text_copy(track->phases[track->count], ACCOUNT_NAME_SIZE, phase);
	track->begins[track->count++] = at;
	return 0;
}

static int take_step(struct worker_account *account, json_t *record, struct failure *why)
{
	size_t index = 0;

	if (check_step(account, record, &index, why) != 0)
		return -1;
	if (account->tracks[index].record != NULL)
		return failure_set(why, ERROR_WORKER_PROTOCOL, "step \"%s\" has ended twice",
			account_text(record, "id"));
	account->tracks[index].record = json_incref(record);
	return 0;
}

static int check_steps(
	const struct worker_account *account, const json_t *records, struct failure *why)
{
	size_t i, index = 0, last = 0;
	json_t *record;

	json_array_foreach(records, i, record)
	{
		if (check_step(account, record, &index, why) != 0)
			return -1;
		if (last > index)
			return failure_set(
				why, ERROR_WORKER_PROTOCOL, "the result's steps are not in order");
		last = index + 1;
	}
	return 0;
}

bool account_wants(const struct worker_account *account, size_t index)
{
	return journey_chooses(account->job->only, account->job->journey->steps[index].id);
}

/* It takes the place of what was said of steps before; none of it counts if some is wrong. */
static int take_result(struct worker_account *account, const json_t *frame, struct failure *why)
{
	const struct journey *journey = account->job->journey;
	const json_t *steps = json_object_get(frame, "steps");
	json_t *item;
	size_t index;

	if (check_steps(account, steps, why) != 0)
		return -1;
	json_array_foreach(json_object_get(frame, "mails"), index,
		item) if (take_mail(account, item, why) != 0) return -1;
	json_array_foreach(steps, index, item)
	{
		struct step_track *track =
			&account->tracks[find_step(account, account_text(item, "id"))];

		json_decref(track->record);
		track->record = json_incref(item);
	}
	for (size_t i = 0; i < journey->step_count; i++)
		if (account_wants(account, i) && account->tracks[i].record == NULL)
			return failure_set(why, ERROR_WORKER_PROTOCOL,
				"the result has no record of step \"%s\"", journey->steps[i].id);
	account->vantage_state = json_incref(json_object_get(frame, "vantage_state"));
	account->complete = true;
	return 0;
}

/* Where it is kept is the supervisor's; here it is only counted: each is a write to disk. */
static int take_token(struct worker_account *account, const json_t *frame, struct failure *why)
{
	const struct journey *journey = account->job->journey;
	const struct account *owner = journey_account(journey, account_text(frame, "account"));

	if (owner == NULL || owner->oauth2.token_url == NULL)
		return failure_set(why, ERROR_WORKER_PROTOCOL, "a token of nobody");
	if (++account->tokens > 2 * journey->account_count)
		return failure_set(why, ERROR_WORKER_PROTOCOL, "too many tokens");
	return 0;
}

/* A flood of frames is an attack on the supervisor. */
static int count_frame(struct worker_account *account, struct failure *why)
{
	size_t seconds = (size_t)(account_clock(account) / NS_PER_SECOND);
	size_t cap = (FRAMES_AT_ONCE + FRAMES_PER_SECOND * seconds) *
		(account->job->journey->step_count + 1);

	if (++account->frames > cap)
		return failure_set(why, ERROR_WORKER_PROTOCOL,
			"more than %zu frames in %zu seconds", cap, seconds);
	return 0;
}

/* Each is work for the disk, for which all other workers wait. */
static int take_question(
	struct worker_account *account, const json_t *mails, struct failure *why)
{
	account->asked += json_array_size(mails) + 1;
	if (account->asked > ASKED_MAX)
		return failure_set(why, ERROR_WORKER_PROTOCOL,
			"more than %d mails of earlier runs", ASKED_MAX);
	return 0;
}

void worker_account_settle(struct worker_account *account, const json_t *mails)
{
	size_t index;
	json_t *mail;

	json_array_foreach(mails, index, mail)
	{
		const char *id = account_text(mail, "mail");

		if (json_object_get(account->mails, id) != NULL)
			json_object_set(account->mails, id, mail);
	}
}

int worker_account_take(
	struct worker_account *account, enum frame_type type, json_t *frame, struct failure *why)
{
	if (count_frame(account, why) != 0)
		return -1;
	/* What it says before it is confined, or of that again, cannot be right. */
	if ((type == FRAME_JAIL) != (account->sandbox == NULL) || account->complete)
		return failure_set(why, ERROR_WORKER_PROTOCOL, "a %s frame out of turn",
			frame_kinds[type].name);
	switch (type) {
	case FRAME_JAIL:
		return take_jail(account, frame, why);
	case FRAME_STATE:
		if (++account->states > STATES_PER_MAIL * mails_allowed(account))
			return failure_set(
				why, ERROR_WORKER_PROTOCOL, "more states than mails could have");
		return take_mail(account, json_object_get(frame, "mail"), why);
	case FRAME_RECALL:
	case FRAME_SETTLE:
		return take_question(account, json_object_get(frame, "mails"), why);
	case FRAME_INTENT:
		return take_mail(account, json_object_get(frame, "mail"), why);
	case FRAME_PROGRESS:
		return take_progress(account, frame, why);
	case FRAME_STEP:
		return take_step(account, json_object_get(frame, "record"), why);
	case FRAME_RESULT:
		return take_result(account, frame, why);
	case FRAME_TOKEN:
		return take_token(account, frame, why);
	case FRAME_ACK:
	case FRAME_RECALLED:
	case FRAME_REFUSAL:
	case FRAME_SENT:
	case FRAME_COUNT:
		break;
	}
	return failure_set(
		why, ERROR_WORKER_PROTOCOL, "a %s frame the wrong way", frame_kinds[type].name);
}
