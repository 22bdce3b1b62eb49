/* imap_await - the receiver waits for a mail: confirms its arrival in the mailstore.
 *
 * Logged in and having looked once before the mail's final dot goes out, it then looks again and
 * again (NOOP, and a search as soon as something is new), at a small share of the time waited so
 * far. The delivery time is an interval: from the sending of the last look without the mail to
 * the answer of the first look with it. Absence is only believed to a fresh session. The junk
 * folder is looked at too. Our own mail is deleted, by UID; no other is touched. */
#include "step.h"

#include <stdlib.h>
#include <string.h>

#include "imap.h"
#include "imap_account.h"
#include "text.h"
#include "token.h"

#include "ban.h"

#define LOOK_SHARE 50              /* pause: 1/50 of the time waited */
#define LOOK_FLOOR (2 * NS_PER_MS) /* a look costs the server a tenth of it */
#define LOOK_CAP NS_PER_SECOND
#define JUNK_SHARE 20
#define MATCHES_MAX 64

static const char *const junk_choices[] = {"warn", "fail", "pass", "require", NULL};

static const struct field fields[] = {
	{"account", &field_account, FIELD_REQUIRED, "account that receives"},
	{"mail", &field_mail, FIELD_REQUIRED, "id of the step that sends the mail"},
	{"within", &field_duration, 0, "how long the mail may take from its final 250", "\"60s\""},
	{"junk", &field_choice, 0, "if the mail is put in the junk folder; require: it must be",
		"\"warn\"", junk_choices},
	{"junk_folder", &field_text, 0, "the junk folder, if the server does not name one"},
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
	{0},
};

static const char *const phases[] = {"resolve", "connect", "tls", "greeting", "starttls", "auth",
	"select", "search", "wait", "recheck", "store", "logout", NULL};
static const char *const account_needs[] = {"imap", "password", NULL};

/* One mailbox that is looked at. */
struct place {
	char name[256];
	uint32_t uid_from; /* mails of ours have this UID or a greater one */
	int64_t absent_ns; /* sending of the last look that found nothing */
};

struct await {
	struct imap *imap;
	struct place inbox, junk; /* junk.name is "" if there is none */
	struct place *selected;
	struct place *found;
	uint32_t uid;
	int64_t present_ns;
	unsigned int looks;
	enum mail_match match;
	int64_t internal_date_ns;
};

/* --- before the mail is sent ----------------------------------------------------------- */

static int open_places(struct probe *probe, struct await *await, struct failure *why)
{
	const char *named = step_string(probe->step, "junk_folder");
	struct imap_mailbox mailbox;

	text_copy(await->inbox.name, sizeof(await->inbox.name), "INBOX");
	if (imap_select(await->imap, "INBOX", false, &mailbox, why) == -1)
		return -1;
	await->selected = &await->inbox;
	await->inbox.uid_from = mailbox.uid_next;
	if (named != NULL)
		text_copy(await->junk.name, sizeof(await->junk.name), named);
	else if (imap_find_junk(await->imap, await->junk.name, sizeof(await->junk.name), why) == -1)
		return -1;
	if (await->junk.name[0] == '\0')
		return 0;
	await->junk.absent_ns = clock_now();
	if (imap_status(await->imap, await->junk.name, &mailbox, why) == -1)
		return failure_prefix(why, "junk folder \"%s\"", await->junk.name);
	await->junk.uid_from = mailbox.uid_next;
	return 0;
}

static int prepare(struct probe *probe, struct failure *why)
{
	struct await *await = calloc(1, sizeof(*await));
	bool news;

	if (await == NULL)
		return failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory");
	probe->state = await;
	await->imap = imap_account_open(probe, why);
	if (await->imap == NULL)
		return -1;
	timings_begin(&probe->timings, "select");
	if (open_places(probe, await, why) == -1)
		return -1;
	timings_begin(&probe->timings, "search");
	await->inbox.absent_ns = clock_now();
	return imap_noop(await->imap, &news, why);
}

/* --- looking --------------------------------------------------------------------------- */

/* Fetches one candidate: is it the mail? A mail without our valid token is never ours. */
static int judge(struct probe *probe, struct await *await, const struct probe_mail *mail,
	uint32_t uid, struct failure *why)
{
	struct imap_message message;

	if (imap_fetch(await->imap, uid, &message, why) == -1)
		return -1;
	await->match = message.text == NULL
		? MAIL_FOREIGN
		: probe_mail_match(probe->run->key, mail, message.text, message.length);
	await->internal_date_ns = message.internal_date_ns;
	imap_message_free(&message);
	return 0;
}

/* Searches the selected place; on success await->found says whether the mail is there. */
static int search(struct probe *probe, struct await *await, const struct probe_mail *mail,
	struct failure *why)
{
	struct place *place = await->selected;
	uint32_t uids[MATCHES_MAX];
	size_t count = 0;
	int64_t answered;

	if (imap_search_header(await->imap, TOKEN_HEADER, mail->id, place->uid_from, uids,
		    MATCHES_MAX, &count, why) == -1)
		return -1;
	answered = clock_now();
	for (size_t i = 0; i < count && await->found == NULL; i++) {
		if (judge(probe, await, mail, uids[i], why) == -1)
			return -1;
		if (await->match == MAIL_FOREIGN)
			continue;
		await->found = place;
		await->uid = uids[i];
		await->present_ns = answered;
	}
	return 0;
}

static int look_inbox(struct probe *probe, struct await *await, const struct probe_mail *mail,
	bool search_anyway, struct failure *why)
{
	int64_t sent = clock_now();
	bool news = false;

	await->looks++;
	if (imap_noop(await->imap, &news, why) == -1)
		return -1;
	if ((search_anyway || news) && search(probe, await, mail, why) == -1)
		return -1;
	if (await->found == NULL)
		await->inbox.absent_ns = sent;
	return 0;
}

static int select_place(struct await *await, struct place *place, struct failure *why)
{
	struct imap_mailbox mailbox;

	if (await->selected == place)
		return 0;
	if (imap_select(await->imap, place->name, false, &mailbox, why) == -1)
		return -1;
	await->selected = place;
	return 0;
}

static int look_junk(struct probe *probe, struct await *await, const struct probe_mail *mail,
	struct failure *why)
{
	int64_t sent = clock_now();
	struct imap_mailbox mailbox;

	await->looks++;
	if (imap_status(await->imap, await->junk.name, &mailbox, why) == -1)
		return -1;
	if (mailbox.uid_next > await->junk.uid_from) {
		if (select_place(await, &await->junk, why) == -1 ||
			search(probe, await, mail, why) == -1)
			return -1;
		if (await->found != NULL)
			return 0;
		await->junk.uid_from = mailbox.uid_next;
		/* What came into INBOX meanwhile was told to nobody. */
		if (select_place(await, &await->inbox, why) == -1 ||
			look_inbox(probe, await, mail, true, why) == -1)
			return -1;
	}
	if (await->found == NULL)
		await->junk.absent_ns = sent;
	return 0;
}

static int64_t pause_after(int64_t waited)
{
	int64_t pause = waited / LOOK_SHARE;

	if (pause < LOOK_FLOOR)
		return LOOK_FLOOR;
	return pause > LOOK_CAP ? LOOK_CAP : pause;
}

/* Looks until the mail is found or the time is up. */
static int watch(struct probe *probe, struct await *await, const struct probe_mail *mail,
	struct deadline until, struct failure *why)
{
	int64_t began = clock_now(), junk_due = began + NS_PER_SECOND;
	bool first = true;

	while (await->found == NULL && !deadline_passed(until)) {
		int64_t now;

		/* The first search does without a hint: the mail may have come with the answer
		 * to an earlier command. */
		if (look_inbox(probe, await, mail, first, why) == -1)
			return -1;
		first = false;
		now = clock_now();
		if (await->found == NULL && await->junk.name[0] != '\0' && now >= junk_due) {
			if (look_junk(probe, await, mail, why) == -1)
				return -1;
			junk_due = clock_now() + (now - began) / JUNK_SHARE + NS_PER_SECOND;
		}
		if (await->found == NULL)
			clock_sleep_until(deadline_earlier(
				until, deadline_in(pause_after(clock_now() - began))));
	}
	return 0;
}

/* Some servers show an old session an old mailbox: absence is believed to a new one only. */
static int recheck(struct probe *probe, struct await *await, const struct probe_mail *mail,
	struct failure *why)
{
	struct timings aside = {0};
	struct timings kept = probe->timings;
	int64_t sent = clock_now();
	struct imap *fresh;

	/* The new session's phases are all part of this one. */
	probe->timings = aside;
	fresh = imap_account_open(probe, why);
	probe->timings = kept;
	if (fresh == NULL)
		return failure_prefix(why, "looking again with a new session");
	imap_close(&await->imap);
	await->imap = fresh;
	await->selected = NULL;
	if (select_place(await, &await->inbox, why) == -1 || search(probe, await, mail, why) == -1)
		return -1;
	if (await->found == NULL && await->junk.name[0] != '\0' &&
		(select_place(await, &await->junk, why) == -1 ||
			search(probe, await, mail, why) == -1))
		return -1;
	if (await->found == NULL) {
		await->inbox.absent_ns = sent;
		return 0;
	}
	/* The old session's looks proved nothing: all that is sure is when the mail was sent. */
	await->found->absent_ns = 0;
	json_object_set_new(probe->facts, "fresh_session_only", json_true());
	return 0;
}

/* --- what was found -------------------------------------------------------------------- */

/* Deletes the mail and further copies of it; all of them carry the valid token. */
static int clean_up(
	struct probe *probe, struct await *await, struct probe_mail *mail, struct failure *why)
{
	uint32_t uids[MATCHES_MAX];
	size_t count = 0;
	bool expunged = false;

	if (imap_delete(await->imap, await->uid, &expunged, why) == -1 ||
		imap_search_header(await->imap, TOKEN_HEADER, mail->id, await->uid + 1, uids,
			MATCHES_MAX, &count, why) == -1)
		return -1;
	mail->deleted = expunged;
	for (size_t i = 0; i < count; i++) {
		enum mail_match match = await->match;

		if (judge(probe, await, mail, uids[i], why) == -1)
			return -1;
		if (await->match != MAIL_FOREIGN) {
			mail->duplicates++;
			if (imap_delete(await->imap, uids[i], &expunged, why) == -1)
				return -1;
		}
		await->match = match;
	}
	return 0;
}

static void copy_fact(struct probe *probe, const json_t *record, const char *name)
{
	json_t *value = json_object_get(record, name);

	if (value != NULL)
		json_object_set(probe->facts, name, value);
}

static void keep_facts(
	struct probe *probe, const struct await *await, const struct probe_mail *mail)
{
	json_t *record = probe_mail_record(probe->run, mail);
	char text[CLOCK_TIMESTAMP_SIZE];

	copy_fact(probe, record, "delivery_seconds");
	copy_fact(probe, record, "delivery_seconds_min");
	copy_fact(probe, record, "delivery_seconds_max");
	copy_fact(probe, record, "folder");
	copy_fact(probe, record, "duplicates");
	json_decref(record);
	if (await->internal_date_ns == 0)
		return;
	clock_format(await->internal_date_ns, text);
	json_object_set_new(probe->facts, "internal_date", json_string(text));
}

/* Where the mail was found, against what the scenario expects of it. */
static int verdict(struct probe *probe, const struct await *await, const struct probe_mail *mail,
	struct failure *why)
{
	const char *junk = step_string(probe->step, "junk");

	if (await->match == MAIL_ALTERED)
		return failure_set(why, ERROR_MAIL_ALTERED,
			"the mail arrived in %s, but its content is not what was sent",
			mail->folder);
	if (await->found == &await->junk && strcmp(junk, "fail") == 0)
		return failure_set(why, ERROR_MAIL_SPAM,
			"the mail was put in the junk folder \"%s\"", mail->folder);
	if (await->found == &await->junk && strcmp(junk, "warn") == 0)
		probe_warn(probe, ERROR_MAIL_SPAM, "the mail was put in the junk folder \"%s\"",
			mail->folder);
	if (await->found != &await->junk && strcmp(junk, "require") == 0)
		return failure_set(why, ERROR_SECURITY_ACCEPTED,
			"the mail was put in %s, and should have been stopped as junk",
			mail->folder);
	if (mail->duplicates > 0)
		probe_warn(probe, ERROR_MAIL_DUPLICATE, "the mail arrived %u times",
			mail->duplicates + 1);
	return 0;
}

static int settle(
	struct probe *probe, struct await *await, struct probe_mail *mail, struct failure *why)
{
	bool junked = await->found == &await->junk;
	int result;

	mail->found = true;
	mail->absent_ns = await->found->absent_ns;
	mail->present_ns = await->present_ns;
	text_copy(mail->folder, sizeof(mail->folder), await->found->name);
	timings_begin(&probe->timings, "store");
	result = clean_up(probe, await, mail, why);
	keep_facts(probe, await, mail);
	probe_mail_moved(probe, mail,
		await->match == MAIL_ALTERED ? "altered"
			: junked             ? "junked"
					     : "delivered");
	if (result == -1)
		return failure_prefix(why, "the mail arrived, but could not be deleted");
	probe_prove(probe, "found with a valid token in %s of %s, %s", mail->folder,
		probe->account->address,
		mail->deleted ? "and deleted" : "and marked as deleted (no UIDPLUS)");
	probe_peer_facts(probe, imap_stream(await->imap));
	timings_begin(&probe->timings, "logout");
	if (imap_logout(await->imap, why) == -1)
		return -1;
	return verdict(probe, await, mail, why);
}

/* --- the step -------------------------------------------------------------------------- */

static int missing(struct probe *probe, const struct await *await, const struct probe_mail *mail,
	bool cut_short, struct failure *why)
{
	int64_t zero = mail->accepted_ns != 0 ? mail->accepted_ns : mail->sending_ns;
	double waited = clock_seconds(await->inbox.absent_ns - zero);

	json_object_set_new(probe->facts, "waited_seconds", json_real(waited));
	if (cut_short) {
		failure_set(why, ERROR_LIMIT_TIME,
			"the scenario's timeout ended the wait after %.1f s, before \"within\" had "
			"passed; the mail had not arrived",
			waited);
		why->blame = BLAME_CONFIG;
		return -1;
	}
	return failure_set(why, ERROR_MAIL_LATE,
		"the mail had not arrived in INBOX%s%s of %s %.1f s after it was accepted",
		await->junk.name[0] != '\0' ? " or " : "", await->junk.name,
		probe->account->address, waited);
}

/* The end of the wait, and of the step: what a server may take comes on top of `within`. */
static struct deadline set_deadlines(struct probe *probe, const struct await *await, int64_t zero)
{
	struct deadline until = {.at_ns = zero + step_duration(probe->step, "within")};
	struct deadline step = {.at_ns = until.at_ns + step_duration(probe->step, "timeout")};

	probe->deadline = deadline_earlier(probe->run->deadline, step);
	stream_set_deadline(imap_stream(await->imap), probe->deadline);
	return until;
}

static int run(struct probe *probe, struct failure *why)
{
	struct await *await = probe->state;
	struct probe_mail *mail = probe_mail_of(probe, step_string(probe->step, "mail"));
	struct deadline until, end;
	bool cut_short;

	until = set_deadlines(
		probe, await, mail->accepted_ns != 0 ? mail->accepted_ns : mail->sending_ns);
	/* A recheck of the mailbox must still fit before the run's end. */
	end = (struct deadline){.at_ns = probe->run->deadline.at_ns - NS_PER_SECOND / 2};
	cut_short = end.at_ns < until.at_ns;
	text_copy(mail->await, sizeof(mail->await), probe->step->id);
	json_object_set_new(probe->facts, "mail", json_string(mail->id));
	timings_begin(&probe->timings, "wait");
	probe_note(probe, "the mail, for up to %.0f s",
		clock_seconds(step_duration(probe->step, "within")));
	if (watch(probe, await, mail, deadline_earlier(until, end), why) == -1)
		return -1;
	/* One more look by the old session, so that what only the new one sees tells on it. */
	if (await->found == NULL && look_inbox(probe, await, mail, true, why) == -1)
		return -1;
	if (await->found == NULL) {
		timings_begin(&probe->timings, "recheck");
		if (recheck(probe, await, mail, why) == -1)
			return -1;
	}
	json_object_set_new(probe->facts, "looks", json_integer(await->looks));
	if (await->found == NULL)
		return missing(probe, await, mail, cut_short, why);
	return settle(probe, await, mail, why);
}

static void finish(struct probe *probe)
{
	struct await *await = probe->state;

	if (await == NULL)
		return;
	imap_close(&await->imap);
	free(await);
	probe->state = NULL;
}

const struct step_type step_imap_await = {
	.name = "imap_await",
	.summary = "wait for a mail to arrive in the mailstore",
	.fields = fields,
	.facts = facts,
	.phases = phases,
	.account_needs = account_needs,
	.prepare = prepare,
	.run = run,
	.finish = finish,
};
