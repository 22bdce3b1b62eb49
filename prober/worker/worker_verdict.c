/* What a worker's run comes to: a record for every step and mail, however it ended. */
#include <string.h>

#include "record.h"
#include "step.h"
#include "worker_account_private.h"

#include "ban.h"

static const struct account *account_of(const struct journey *journey, const struct step *step)
{
	const char *name = account_text(step->config, "account");

	if (name == NULL)
		name = account_text(step->config, "from");
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
	int64_t end = account_clock(account);

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
		if (account->tracks[i].record == NULL && account_wants(account, i))
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
		else if (account->complete || (!account_wants(account, i) && track->count == 0))
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
		if (!account->complete && strcmp(account_text(mail, "state"), "sending") == 0)
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
