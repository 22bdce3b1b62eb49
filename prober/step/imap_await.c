/* imap_await - the receiver waits for a mail: confirms its arrival in the mailstore.
 *
 * Logged in and having looked once before the mail's final dot goes out, it then looks again and
 * again (NOOP, and a search as soon as something is new), at a small share of the time waited so
 * far. The delivery time is an interval: from the sending of the last look without the mail to
 * the answer of the first look with it. Absence is only believed to a fresh session. The junk
 * folder is looked at too. Our own mail is deleted, by UID; no other is touched. */
#include "step.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arrival.h"
#include "await.h"
#include "imap_account.h"
#include "record.h"
#include "sweep.h"
#include "trace.h"
#include "text.h"

#include "ban.h"

static const char *const junk_choices[] = {"warn", "fail", "pass", "require", NULL};

static const char *const keep_choices[] = {"nothing", "failures", NULL};

static const struct field fields[] = {
	{"account", &field_account, FIELD_REQUIRED, "account that receives"},
	{"mail", &field_mail, FIELD_REQUIRED, "id of the step that sends the mail"},
	{"within", &field_duration, 0, "how long the mail may take from its final 250", "\"60s\""},
	{"junk", &field_choice, 0, "if the mail is put in the junk folder; require: it must be",
		"\"warn\"", junk_choices},
	{"junk_folder", &field_text, 0, "the junk folder, if the server does not name one"},
	TRACE_FIELD,
	{"keep", &field_choice, 0,
		"which probe mails stay in the mailbox as evidence: nothing, or failures (late, in the "
		"junk folder, altered)",
		"\"nothing\"", keep_choices},
	{"expunge", &field_bool, 0,
		"where the server has no UIDPLUS: expunge the whole mailbox to be rid of our mail, and of "
		"all other mail that is marked as deleted",
		"false"},
	{0},
};

static const struct field facts[] = {
	{"mail", &field_name, 0, "id of the probe mail"},
	{"delivery_seconds", &field_seconds, 0, "the middle of the two bounds"},
	{"delivery_seconds_min", &field_seconds, 0, "when the last look without it was sent"},
	{"delivery_seconds_max", &field_seconds, 0, "when the first look with it was answered"},
	{"waited_seconds", &field_seconds, 0,
		"from the final 250 to the last look, if the mail was not there"},
	{"folder", &field_text, 0, "the mailbox it was found in"},
	{"internal_date", &field_timestamp, 0, "the server's date of arrival, whole seconds"},
	{"looks", &field_integer, 0, "how often it was looked for"},
	{"duplicates", &field_integer, FIELD_METRIC, "copies beyond the first"},
	{"fresh_session_only", &field_bool, 0,
		"the mail was there, but only a new session could see it"},
	TRACE_FACTS,
	{"ledger_wait_seconds", &field_seconds, 0,
		"our own waits for the ledger, outside of every phase"},
	SWEEP_FACTS,
	{0},
};

static const char *const phases[] = {"resolve", "connect", "tls", "greeting", "starttls", "auth",
	"select", "settle", "clean", "search", "wait", "recheck", "store", "logout", NULL};
static const char *const account_needs[] = {"imap", "password", NULL};

/* What earlier runs have left in these mailboxes, before the mail of this one can come. */
static int settle_earlier(struct probe *probe, struct arrival *arrival, struct failure *why)
{
	const struct place *all[] = {&arrival->inbox, &arrival->junk, &arrival->sent};
	struct sweep_place places[SWEEP_PLACES_MAX];
	size_t count = 0;

	for (size_t i = 0; i < SWEEP_PLACES_MAX; i++)
		if (all[i]->name[0] != '\0')
			places[count++] = (struct sweep_place){
				.folder = all[i]->name,
				.uid_validity = all[i]->uid_validity,
				.uid_next = all[i]->uid_next,
				.looked_ns = all[i]->opened_ns,
				.junk = all[i] == &arrival->junk,
				.sent = all[i] == &arrival->sent,
			};
	return sweep(probe, arrival->imap, places, count, why);
}

static int prepare(struct probe *probe, struct failure *why)
{
	struct arrival *arrival = calloc(1, sizeof(*arrival));
	bool news;

	if (arrival == NULL)
		return failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory");
	probe->state = arrival;
	arrival->imap = imap_account_open(probe, why);
	if (arrival->imap == NULL)
		return -1;
	timings_begin(&probe->timings, "select");
	if (arrival_open(probe, arrival, why) == -1 || settle_earlier(probe, arrival, why) == -1)
		return -1;
	timings_begin(&probe->timings, "search");
	arrival->inbox.absent_ns = clock_now();
	return imap_noop(arrival->imap, &news, why);
}

/* --- what was found -------------------------------------------------------------------- */

static void keep_facts(
	struct probe *probe, const struct arrival *arrival, const struct probe_mail *mail)
{
	char text[CLOCK_TIMESTAMP_SIZE];

	await_keep_facts(probe, mail);
	if (arrival->internal_date_ns == 0)
		return;
	clock_format(arrival->internal_date_ns, text);
	json_object_set_new(probe->facts, "internal_date", json_string(text));
}

/* Where the mail was found, against what the scenario expects of it. */
static int verdict(struct probe *probe, const struct arrival *arrival,
	const struct probe_mail *mail, struct failure *why)
{
	const char *junk = step_string(probe->step, "junk");

	if (arrival->match == MAIL_ALTERED)
		return await_altered(mail, arrival->changed, why);
	if (arrival->found == &arrival->junk && strcmp(junk, "fail") == 0)
		return failure_set(why, ERROR_MAIL_SPAM,
			"the mail was put in the junk folder \"%s\"", mail->folder);
	if (arrival->found == &arrival->junk && strcmp(junk, "warn") == 0)
		probe_warn(probe, ERROR_MAIL_SPAM, "the mail was put in the junk folder \"%s\"",
			mail->folder);
	if (arrival->found != &arrival->junk && strcmp(junk, "require") == 0)
		return failure_set(why, ERROR_SECURITY_ACCEPTED,
			"the mail was put in %s, and should have been stopped as junk",
			mail->folder);
	await_warn_duplicates(probe, mail);
	return 0;
}

static const char *state_of(const struct arrival *arrival)
{
	if (arrival->match == MAIL_ALTERED)
		return "altered";
	return arrival->found == &arrival->junk ? "junked" : "delivered";
}

/* Into the ledger first: once it is deleted, nothing else tells of it. */
static int account_for(
	struct probe *probe, struct arrival *arrival, struct probe_mail *mail, struct failure *why)
{
	const char *state = state_of(arrival);

	mail->found = true;
	mail->absent_ns = arrival->found->absent_ns;
	mail->present_ns = arrival->present_ns;
	mail->uid = arrival->uid;
	mail->uid_validity = arrival->found->uid_validity;
	mail->kept = strcmp(step_string(probe->step, "keep"), "failures") == 0 &&
		strcmp(state, "delivered") != 0;
	text_copy(mail->folder, sizeof(mail->folder), arrival->found->name);
	return probe_mail_settled(probe, mail, state, why);
}

static int settle(
	struct probe *probe, struct arrival *arrival, struct probe_mail *mail, struct failure *why)
{
	struct failure unsynced = {0};
	bool accounted = account_for(probe, arrival, mail, &unsynced) == 0;
	int result = 0;

	/* What the ledger does not have yet must stay where it is; it is proved all the same. */
	if (accounted) {
		timings_begin(&probe->timings, "store");
		result = arrival_clean_up(probe, arrival, mail, why);
	}
	trace_keep(probe, arrival->header, arrival->internal_date_ns, mail);
	keep_facts(probe, arrival, mail);
	if (result == -1)
		return failure_prefix(why, "the mail arrived, but could not be deleted");
	if (accounted)
		sweep_received(probe, mail->folder, arrival->uid);
	probe_prove(probe, "found with a valid token in %s of %s, %s", mail->folder,
		probe->account->address,
		mail->kept              ? "and kept"
			: !accounted    ? "and left there: the ledger cannot be written"
			: mail->deleted ? "and deleted"
					: "and marked as deleted (no UIDPLUS)");
	probe_peer_facts(probe, imap_stream(arrival->imap));
	timings_begin(&probe->timings, "logout");
	if (imap_logout(arrival->imap, why) == -1)
		return -1;
	return verdict(probe, arrival, mail, why);
}

/* --- the step -------------------------------------------------------------------------- */

static int missing(struct probe *probe, const struct arrival *arrival,
	struct probe_mail *mail, const struct await *await, struct failure *why)
{
	char where[sizeof(arrival->junk.name) + 16];

	snprintf(where, sizeof(where), "INBOX%s%s", arrival->junk.name[0] != '\0' ? " or " : "",
		arrival->junk.name);
	return await_missing(probe, mail, await, arrival->inbox.absent_ns, where, why);
}

/* What a listener in the chain may want to know before the mail is removed. */
static void note_arrival(const struct arrival *arrival, struct probe_mail *mail)
{
	mail->found = true;
	mail->absent_ns = arrival->found->absent_ns;
	mail->present_ns = arrival->present_ns;
	text_copy(mail->folder, sizeof(mail->folder), arrival->found->name);
}

static int run(struct probe *probe, struct failure *why)
{
	struct arrival *arrival = probe->state;
	struct probe_mail *mail = probe_mail_of(probe, step_string(probe->step, "mail"));
	struct await await = await_begin(probe, mail);

	stream_set_deadline(imap_stream(arrival->imap), probe->deadline);
	if (arrival_watch(probe, arrival, mail, await.until, why) == -1)
		return -1;
	/* One more look by the old session, so that what only the new one sees tells on it. */
	if (arrival->found == NULL && arrival_look(probe, arrival, mail, true, why) == -1)
		return -1;
	if (arrival->found == NULL) {
		timings_begin(&probe->timings, "recheck");
		if (arrival_recheck(probe, arrival, mail, why) == -1)
			return -1;
	}
	json_object_set_new(probe->facts, "looks", json_integer(arrival->looks));
	if (arrival->found == NULL)
		return missing(probe, arrival, mail, &await, why);
	note_arrival(arrival, mail);
	probe->put_off = journey_listens(probe->run->journey, step_string(probe->step, "mail"));
	return probe->put_off ? 0 : settle(probe, arrival, mail, why);
}

/* The listeners are through, and the mail may go. */
static int after(struct probe *probe, struct failure *why)
{
	struct arrival *arrival = probe->state;

	stream_set_deadline(imap_stream(arrival->imap), probe->deadline);
	return settle(probe, arrival, probe_mail_of(probe, step_string(probe->step, "mail")), why);
}

static void finish(struct probe *probe)
{
	struct arrival *arrival = probe->state;

	arrival_close(&arrival);
	probe->state = NULL;
}

const struct step_type step_imap_await = {
	.name = "imap_await",
	.summary = "wait for a mail to arrive in the mailstore",
	.fields = fields,
	.facts = facts,
	.phases = phases,
	.account_needs = account_needs,
	.looks_through = true,
	.prepare = prepare,
	.run = run,
	.after = after,
	.finish = finish,
};
