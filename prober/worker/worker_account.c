#include "worker_account.h"

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

static const char *text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

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
	const char *id = text_of(record, "id"), *type = text_of(record, "error_type");
	enum outcome outcome = (enum outcome)name_index(outcome_names, text_of(record, "outcome"));
	bool explained = type != NULL && text_of(record, "error") != NULL &&
		text_of(record, "blame") != NULL;
	bool fits = false;

	switch (outcome) {
	case OUTCOME_PASS:
		fits = type == NULL && text_of(record, "proof") != NULL;
		break;
	case OUTCOME_WARN:
		fits = explained && text_of(record, "proof") != NULL;
		break;
	case OUTCOME_FAIL:
	case OUTCOME_ERROR:
		fits = explained &&
			outcome_of_blame((enum blame)(
				name_index(blame_names, text_of(record, "blame")) + 1)) == outcome;
		break;
	case OUTCOME_SKIPPED:
		fits = type == NULL && text_of(record, "reason") != NULL;
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
	const char *id = text_of(record, "id");
	size_t index = find_step(account, id);
	const struct step *step = &account->job->journey->steps[index];
	char what[ACCOUNT_NAME_SIZE + 8];

	if (index == account->job->journey->step_count)
		return no_such_step("a record", id, why);
	snprintf(what, sizeof(what), "step %s", step->id);
	if (frame_check((const struct field *const[]){record_step, step->type->facts, NULL}, record,
		    what, why) != 0)
		return -1;
	if (strcmp(text_of(record, "type"), step->type->name) != 0)
		return failure_set(why, ERROR_WORKER_PROTOCOL, "step \"%s\" is not of type %s", id,
			text_of(record, "type"));
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
	const char *id = text_of(mail, "mail"), *step = text_of(mail, "step");
	size_t index = find_step(account, step);
	const json_t *known = json_object_get(account->mails, id);

	if (index == account->job->journey->step_count)
		return no_such_step("a mail", step, why);
	if (!account->job->journey->steps[index].type->sends_mail)
		return failure_set(why, ERROR_WORKER_PROTOCOL,
			"a mail of step \"%s\", which sends none", step);
	if (known != NULL && strcmp(text_of(known, "step"), step) != 0)
		return failure_set(why, ERROR_WORKER_PROTOCOL, "a mail of two steps");
	if (known == NULL && json_object_size(account->mails) >= mails_allowed(account))
		return failure_set(
			why, ERROR_WORKER_PROTOCOL, "more than %zu mails", mails_allowed(account));
	return json_object_set(account->mails, id, mail);
}

void worker_account_forget(struct worker_account *account, const json_t *mail)
{
	json_object_del(account->mails, text_of(mail, "mail"));
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

static int64_t run_clock(const struct worker_account *account)
{
	return clock_now() - account->job->origin.monotonic_ns;
}

static int take_progress(struct worker_account *account, const json_t *frame, struct failure *why)
{
	const char *phase = text_of(frame, "phase");
	size_t index = find_step(account, text_of(frame, "step"));
	int64_t now = run_clock(account), at;
	double seconds = json_number_value(json_object_get(frame, "at_seconds"));
	struct step_track *track = &account->tracks[index];

	if (index == account->job->journey->step_count)
		return no_such_step("progress", text_of(frame, "step"), why);
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
			text_of(record, "id"));
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

/* Whether a step must be in the result. With `only` others may come along. */
static bool is_wanted(const struct worker_account *account, size_t index)
{
	const char *only = account->job->only;

	return only == NULL || strcmp(account->job->journey->steps[index].id, only) == 0;
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
			&account->tracks[find_step(account, text_of(item, "id"))];

		json_decref(track->record);
		track->record = json_incref(item);
	}
	for (size_t i = 0; i < journey->step_count; i++)
		if (is_wanted(account, i) && account->tracks[i].record == NULL)
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
	const struct account *owner = journey_account(journey, text_of(frame, "account"));

	if (owner == NULL || owner->oauth2.token_url == NULL)
		return failure_set(why, ERROR_WORKER_PROTOCOL, "a token of nobody");
	if (++account->tokens > 2 * journey->account_count)
		return failure_set(why, ERROR_WORKER_PROTOCOL, "too many tokens");
	return 0;
}

/* A flood of frames is an attack on the supervisor. */
static int count_frame(struct worker_account *account, struct failure *why)
{
	size_t seconds = (size_t)(run_clock(account) / NS_PER_SECOND);
	size_t cap = (FRAMES_AT_ONCE + FRAMES_PER_SECOND * seconds) *
		(account->job->journey->step_count + 1);

	if (++account->frames > cap)
		return failure_set(why, ERROR_WORKER_PROTOCOL,
			"more than %zu frames in %zu seconds", cap, seconds);
	return 0;
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
	case FRAME_REFUSAL:
	case FRAME_COUNT:
		break;
	}
	return failure_set(
		why, ERROR_WORKER_PROTOCOL, "a %s frame the wrong way", frame_kinds[type].name);
}

/* --- the account ----------------------------------------------------------------------- */

static const struct account *account_of(const struct journey *journey, const struct step *step)
{
	const char *name = text_of(step->config, "account");

	if (name == NULL)
		name = text_of(step->config, "from");
	for (size_t i = 0; name != NULL && i < journey->account_count; i++)
		if (strcmp(journey->accounts[i].name, name) == 0)
			return &journey->accounts[i];
	return NULL;
}

/* The host that the step talks to, as far as its type tells; NULL if it does not. */
static const char *host_of(const struct step *step, const struct account *account)
{
	const char *const *needs = step->type->account_needs;

	if (account == NULL || needs == NULL || needs[0] == NULL)
		return NULL;
	return strcmp(needs[0], "submission") == 0 ? account->submission.host
		: strcmp(needs[0], "imap") == 0    ? account->imap.host
		: strcmp(needs[0], "pop3") == 0    ? account->pop3.host
						   : NULL;
}

static json_t *begin_record(
	const struct worker_account *account, const struct step *step, enum outcome outcome)
{
	const struct account *box = account_of(account->job->journey, step);
	json_t *record = json_pack("{s:s, s:s}", "id", step->id, "type", step->type->name);

	if (box != NULL)
		json_object_set_new(record, "account", json_string(box->name));
	json_object_set_new(record, "outcome", json_string(outcome_name(outcome)));
	return record;
}

/* The phases as far as they are known; the last one lasted until now. They add up. */
static void set_times(
	const struct worker_account *account, const struct step_track *track, json_t *record)
{
	struct clock_origin origin = account->job->origin;
	json_t *phases = json_array();
	char text[CLOCK_TIMESTAMP_SIZE];
	int64_t end = run_clock(account);

	json_object_set_new(record, "phases", phases);
	if (track->count == 0)
		return;
	for (size_t i = 0; i < track->count; i++) {
		int64_t until = i + 1 < track->count ? track->begins[i + 1] : end;

		json_array_append_new(phases,
			json_pack("{s:s, s:f, s:f}", "name", track->phases[i], "start_seconds",
				clock_seconds(track->begins[i]), "duration_seconds",
				clock_seconds(until - track->begins[i])));
	}
	clock_format(origin.wall_ns + track->begins[0], text);
	json_object_set_new(record, "started_at", json_string(text));
	json_object_set_new(record, "start_seconds", json_real(clock_seconds(track->begins[0])));
	json_object_set_new(
		record, "duration_seconds", json_real(clock_seconds(end - track->begins[0])));
}

static void describe(struct text *text, const struct worker_account *account, size_t index,
	const struct failure *why)
{
	const struct step *step = &account->job->journey->steps[index];
	const struct step_track *track = &account->tracks[index];
	const char *host = host_of(step, account_of(account->job->journey, step));

	text_printable(text, why->text, strlen(why->text));
	if (why->type == ERROR_SANDBOX_REQUIRED)
		return;
	if (track->count == 0) {
		text_printf(text, ", before %s began", step->type->name);
		return;
	}
	text_printf(text, " while %s", step->type->name);
	if (host != NULL)
		text_printf(text, " talked to %s", host);
	text_printf(text, " in phase %s", track->phases[track->count - 1]);
}

static json_t *broken_record(
	const struct worker_account *account, size_t index, const struct failure *why)
{
	const struct step *step = &account->job->journey->steps[index];
	const struct step_track *track = &account->tracks[index];
	json_t *record = begin_record(account, step, OUTCOME_ERROR);
	struct text text;

	text_init(&text, (size_t)FAILURE_TEXT_SIZE * 2);
	describe(&text, account, index, why);
	json_object_set_new(record, "error_type", json_string(error_info(why->type)->name));
	if (track->count > 0)
		json_object_set_new(
			record, "error_phase", json_string(track->phases[track->count - 1]));
	json_object_set_new(record, "error", json_string(text.bytes));
	json_object_set_new(record, "blame", json_string(blame_name(error_info(why->type)->blame)));
	set_times(account, track, record);
	text_free(&text);
	return record;
}

static json_t *skipped_record(const struct worker_account *account, size_t index)
{
	json_t *record =
		begin_record(account, &account->job->journey->steps[index], OUTCOME_SKIPPED);

	json_object_set_new(
		record, "reason", json_string("the run ended before this step could begin"));
	json_object_set_new(record, "phases", json_array());
	return record;
}

/* Whether the worker's end is this step's error: each that was going on; if none was, the first
 * that was still to come, since an error must show somewhere; without its sandbox, all. */
static bool is_hit(const struct worker_account *account, size_t index, const struct failure *why)
{
	bool any = false;

	for (size_t i = 0; i < account->job->journey->step_count; i++)
		any |= account->tracks[i].record == NULL && account->tracks[i].count > 0;
	if (any)
		return account->tracks[index].count > 0;
	if (why->type == ERROR_SANDBOX_REQUIRED)
		return true;
	for (size_t i = 0; i < index; i++)
		if (account->tracks[i].record == NULL && is_wanted(account, i))
			return false;
	return true;
}

static json_t *close_steps(const struct worker_account *account, const struct failure *why)
{
	json_t *steps = json_array();

	for (size_t i = 0; i < account->job->journey->step_count; i++) {
		const struct step_track *track = &account->tracks[i];

		if (track->record != NULL)
			json_array_append(steps, track->record);
		else if (account->complete || (!is_wanted(account, i) && track->count == 0))
			continue;
		else if (is_hit(account, i, why))
			json_array_append_new(steps, broken_record(account, i, why));
		else
			json_array_append_new(steps, skipped_record(account, i));
	}
	return steps;
}

/* The final dot may or may not have gone out: nobody is left who knows. */
static json_t *close_mails(const struct worker_account *account)
{
	json_t *mails = json_array(), *mail;
	const char *id;

	json_object_foreach(account->mails, id, mail)
	{
		if (!account->complete && strcmp(text_of(mail, "state"), "sending") == 0)
			json_object_set_new(mail, "state", json_string("unknown"));
		json_array_append(mails, mail);
	}
	return mails;
}

json_t *worker_account_close(struct worker_account *account, const struct failure *why)
{
	json_t *whole = json_object();

	json_object_set_new(whole, "steps", close_steps(account, why));
	json_object_set_new(whole, "mails", close_mails(account));
	if (account->sandbox != NULL)
		json_object_set(whole, "sandbox", account->sandbox);
	if (account->vantage_state != NULL)
		json_object_set(whole, "vantage_state", account->vantage_state);
	if (account->sandbox_missing != NULL && json_array_size(account->sandbox_missing) > 0)
		json_object_set(whole, "sandbox_missing", account->sandbox_missing);
	return whole;
}
