/* Looking for a mail in the mailboxes where it may arrive, and judging what is found. */
#include "arrival.h"

#include <stdlib.h>
#include <string.h>

#include "header.h"
#include "imap_account.h"
#include "text.h"
#include "token.h"

#include "ban.h"

#define LOOK_SHARE 50              /* pause: 1/50 of the time waited */
#define LOOK_FLOOR (2 * NS_PER_MS) /* a look costs the server a tenth of it */
#define LOOK_CAP NS_PER_SECOND
#define JUNK_SHARE 20
#define HEADER_MAX ((size_t)64 * 1024)

static void note_uids(struct place *place, const struct imap_mailbox *mailbox)
{
	place->uid_validity = mailbox->uid_validity;
	place->uid_next = place->uid_from = mailbox->uid_next;
}

static int open_beside(struct arrival *arrival, struct place *place, struct failure *why)
{
	struct imap_mailbox mailbox;

	place->absent_ns = place->opened_ns = clock_now();
	if (imap_status(arrival->imap, place->name, &mailbox, why) == -1)
		return -1;
	note_uids(place, &mailbox);
	return 0;
}

/* Some servers file a copy of what is submitted, for the sender to see. */
static bool may_file_copies(const struct probe *probe)
{
	return journey_submits(probe->run->journey, probe->account);
}

static int find_beside(struct probe *probe, struct arrival *arrival, struct failure *why)
{
	const char *named = step_string(probe->step, "junk_folder");
	struct imap_special special = {0};

	if ((named == NULL || may_file_copies(probe)) &&
		imap_find_special(arrival->imap, &special, why) == -1)
		return -1;
	text_copy(arrival->junk.name, sizeof(arrival->junk.name),
		named != NULL ? named : special.junk);
	if (may_file_copies(probe))
		text_copy(arrival->sent.name, sizeof(arrival->sent.name), special.sent);
	return 0;
}

int arrival_open(struct probe *probe, struct arrival *arrival, struct failure *why)
{
	struct imap_mailbox mailbox;

	text_copy(arrival->inbox.name, sizeof(arrival->inbox.name), "INBOX");
	arrival->inbox.opened_ns = clock_now();
	if (imap_select(arrival->imap, "INBOX", false, &mailbox, why) == -1)
		return -1;
	arrival->selected = &arrival->inbox;
	note_uids(&arrival->inbox, &mailbox);
	if (find_beside(probe, arrival, why) == -1)
		return -1;
	if (arrival->junk.name[0] != '\0' && open_beside(arrival, &arrival->junk, why) == -1)
		return failure_prefix(why, "junk folder \"%s\"", arrival->junk.name);
	if (arrival->sent.name[0] != '\0' && open_beside(arrival, &arrival->sent, why) == -1)
		return failure_prefix(why, "folder for sent mail \"%s\"", arrival->sent.name);
	return 0;
}

/* --- looking --------------------------------------------------------------------------- */

/* The mail has been found, as it lies in the selected place: what its text and its date tell is
 * kept here. Once for the first copy. */
static void examine(struct arrival *arrival, const struct probe_mail *mail,
	const struct imap_message *message)
{
	size_t length = (size_t)(header_end(message->text, message->length) - message->text);

	arrival->changed = probe_mail_changed(mail, message->text, message->length);
	arrival->internal_date_ns = message->internal_date_ns;
	free(arrival->header);
	arrival->header = strndup(message->text, length < HEADER_MAX ? length : HEADER_MAX);
}

/* Fetches one candidate: is it the mail? A mail without our valid token is never ours. */
static int judge(struct probe *probe, struct arrival *arrival, const struct probe_mail *mail,
	uint32_t uid, enum mail_match *match_r, struct failure *why)
{
	struct imap_message message;

	imap_expect(arrival->imap, mail->text_length);
	if (imap_fetch(arrival->imap, uid, &message, why) == -1)
		return -1;
	imap_expect(arrival->imap, 0);
	*match_r = message.text == NULL
		? MAIL_FOREIGN
		: probe_mail_match(probe->run->key, mail, message.text, message.length);
	if (*match_r != MAIL_FOREIGN && arrival->found == NULL)
		examine(arrival, mail, &message);
	imap_message_free(&message);
	return 0;
}

static int find(struct arrival *arrival, const struct probe_mail *mail, uint32_t uid_from,
	struct imap_uids *found, struct failure *why)
{
	const struct imap_search what = {
		.header = TOKEN_HEADER, .value = mail->id, .uid_from = uid_from};

	return imap_search(arrival->imap, &what, found, why);
}

struct copies {
	const struct probe_mail *mail;
	struct imap_uids ours;
	size_t room;
};

static void take_copy(void *context, uint32_t uid, const struct imap_message *message)
{
	struct copies *copies = context;
	char token[sizeof(copies->mail->token)];

	if (copies->ours.count < copies->room &&
		header_value(message->text, message->length, TOKEN_HEADER, token, sizeof(token)) &&
		token_equal(token, copies->mail->token))
		copies->ours.uids[copies->ours.count++] = uid;
}

/* Those among the messages found whose token is the mail's, ascending. */
static int sift(struct arrival *arrival, const struct imap_uids *found, struct copies *copies,
	struct failure *why)
{
	static const char *const names[] = {TOKEN_HEADER, NULL};

	copies->room = found->count;
	copies->ours.uids = calloc(found->count + 1, sizeof(*copies->ours.uids));
	if (copies->ours.uids == NULL)
		return failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory");
	if (imap_fetch_fields(arrival->imap, found->uids, found->count, names, take_copy, copies,
		    why) == -1)
		return -1;
	imap_uids_sort(&copies->ours);
	return 0;
}

static int keep_ours(struct arrival *arrival, const struct probe_mail *mail,
	struct imap_uids *found, struct failure *why)
{
	struct copies copies = {.mail = mail};
	int result = sift(arrival, found, &copies, why);

	imap_uids_free(found);
	*found = copies.ours;
	return result;
}

/* Searches the selected place; on success arrival->found says whether the mail is there. */
static int search(struct probe *probe, struct arrival *arrival, const struct probe_mail *mail,
	struct failure *why)
{
	struct place *place = arrival->selected;
	struct imap_uids uids = {0};
	int64_t answered;
	int result = find(arrival, mail, place->uid_from, &uids, why);

	answered = clock_now();
	/* Several: their headers tell at once which is ours. */
	if (result == 0 && uids.count > 1)
		result = keep_ours(arrival, mail, &uids, why);
	for (size_t i = 0; i < uids.count && result == 0 && arrival->found == NULL; i++) {
		enum mail_match match = MAIL_FOREIGN;

		result = judge(probe, arrival, mail, uids.uids[i], &match, why);
		if (match == MAIL_FOREIGN)
			continue;
		arrival->match = match;
		arrival->found = place;
		arrival->uid = uids.uids[i];
		arrival->present_ns = answered;
	}
	imap_uids_free(&uids);
	return result;
}

int arrival_look(struct probe *probe, struct arrival *arrival, const struct probe_mail *mail,
	bool search_anyway, struct failure *why)
{
	int64_t sent = clock_now();
	bool news = false;

	arrival->looks++;
	if (imap_noop(arrival->imap, &news, why) == -1)
		return -1;
	if ((search_anyway || news) && search(probe, arrival, mail, why) == -1)
		return -1;
	if (arrival->found == NULL)
		arrival->inbox.absent_ns = sent;
	return 0;
}

static int select_place(struct arrival *arrival, struct place *place, struct failure *why)
{
	struct imap_mailbox mailbox;

	if (arrival->selected == place)
		return 0;
	if (imap_select(arrival->imap, place->name, false, &mailbox, why) == -1)
		return -1;
	arrival->selected = place;
	/* RFC 3501, 2.3.1.1: UIDs of before mean nothing now. */
	if (mailbox.uid_validity != place->uid_validity)
		place->uid_from = 1;
	place->uid_validity = mailbox.uid_validity;
	return 0;
}

static int look_junk(struct probe *probe, struct arrival *arrival, const struct probe_mail *mail,
	struct failure *why)
{
	int64_t sent = clock_now();
	struct imap_mailbox mailbox;

	arrival->looks++;
	if (imap_status(arrival->imap, arrival->junk.name, &mailbox, why) == -1)
		return -1;
	if (mailbox.uid_next > arrival->junk.uid_from) {
		if (select_place(arrival, &arrival->junk, why) == -1 ||
			search(probe, arrival, mail, why) == -1)
			return -1;
		if (arrival->found != NULL)
			return 0;
		arrival->junk.uid_from = mailbox.uid_next;
		/* What came into INBOX meanwhile was told to nobody. */
		if (select_place(arrival, &arrival->inbox, why) == -1 ||
			arrival_look(probe, arrival, mail, true, why) == -1)
			return -1;
	}
	if (arrival->found == NULL)
		arrival->junk.absent_ns = sent;
	return 0;
}

static int64_t pause_after(int64_t waited)
{
	int64_t pause = waited / LOOK_SHARE;

	if (pause < LOOK_FLOOR)
		return LOOK_FLOOR;
	return pause > LOOK_CAP ? LOOK_CAP : pause;
}

int arrival_watch(struct probe *probe, struct arrival *arrival, const struct probe_mail *mail,
	struct deadline until, struct failure *why)
{
	int64_t began = clock_now(), junk_due = began + NS_PER_SECOND;
	bool first = true;

	while (arrival->found == NULL && !deadline_passed(until)) {
		int64_t now;

		/* The first search does without a hint: the mail may have come with the answer
		 * to an earlier command. */
		if (arrival_look(probe, arrival, mail, first, why) == -1)
			return -1;
		first = false;
		now = clock_now();
		if (arrival->found == NULL && arrival->junk.name[0] != '\0' && now >= junk_due) {
			if (look_junk(probe, arrival, mail, why) == -1)
				return -1;
			junk_due = clock_now() + (now - began) / JUNK_SHARE + NS_PER_SECOND;
		}
		if (arrival->found == NULL)
			clock_sleep_until(deadline_earlier(
				until, deadline_in(pause_after(clock_now() - began))));
	}
	return 0;
}

int arrival_recheck(struct probe *probe, struct arrival *arrival, const struct probe_mail *mail,
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
	imap_close(&arrival->imap);
	arrival->imap = fresh;
	arrival->selected = NULL;
	if (select_place(arrival, &arrival->inbox, why) == -1 ||
		search(probe, arrival, mail, why) == -1)
		return -1;
	if (arrival->found == NULL && arrival->junk.name[0] != '\0' &&
		(select_place(arrival, &arrival->junk, why) == -1 ||
			search(probe, arrival, mail, why) == -1))
		return -1;
	if (arrival->found == NULL) {
		arrival->inbox.absent_ns = sent;
		return 0;
	}
	/* The old session's looks proved nothing: all that is sure is when the mail was sent. */
	arrival->found->absent_ns = 0;
	json_object_set_new(probe->facts, "fresh_session_only", json_true());
	return 0;
}

int arrival_clean_up(
	struct probe *probe, struct arrival *arrival, struct probe_mail *mail, struct failure *why)
{
	bool plain = step_bool(probe->step, "expunge"), expunged = false;
	struct copies copies = {.mail = mail};
	struct imap_uids found = {0};
	int result = 0;

	if (!mail->kept)
		result = imap_delete(arrival->imap, &arrival->uid, 1, plain, &mail->deleted, why);
	if (result == 0)
		result = find(arrival, mail, arrival->uid + 1, &found, why);
	if (result == 0)
		result = sift(arrival, &found, &copies, why);
	if (result == 0 && copies.ours.count > 0) {
		mail->duplicates = (unsigned int)copies.ours.count;
		mail->uid = copies.ours.uids[copies.ours.count - 1];
		result = imap_delete(arrival->imap, copies.ours.uids, copies.ours.count, plain,
			&expunged, why);
	}
	imap_uids_free(&found);
	imap_uids_free(&copies.ours);
	return result;
}

void arrival_close(struct arrival **arrival)
{
	if (*arrival == NULL)
		return;
	imap_close(&(*arrival)->imap);
	free((*arrival)->header);
	free(*arrival);
	*arrival = NULL;
}
