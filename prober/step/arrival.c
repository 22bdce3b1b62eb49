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
#define MATCHES_MAX 64
#define HEADER_MAX ((size_t)64 * 1024)

int arrival_open(struct probe *probe, struct arrival *arrival, struct failure *why)
{
	const char *named = step_string(probe->step, "junk_folder");
	struct imap_mailbox mailbox;

	text_copy(arrival->inbox.name, sizeof(arrival->inbox.name), "INBOX");
	if (imap_select(arrival->imap, "INBOX", false, &mailbox, why) == -1)
		return -1;
	arrival->selected = &arrival->inbox;
	arrival->inbox.uid_from = mailbox.uid_next;
	if (named != NULL)
		text_copy(arrival->junk.name, sizeof(arrival->junk.name), named);
	else if (imap_find_junk(
			 arrival->imap, arrival->junk.name, sizeof(arrival->junk.name), why) == -1)
		return -1;
	if (arrival->junk.name[0] == '\0')
		return 0;
	arrival->junk.absent_ns = clock_now();
	if (imap_status(arrival->imap, arrival->junk.name, &mailbox, why) == -1)
		return failure_prefix(why, "junk folder \"%s\"", arrival->junk.name);
	arrival->junk.uid_from = mailbox.uid_next;
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

/* Searches the selected place; on success arrival->found says whether the mail is there. */
static int search(struct probe *probe, struct arrival *arrival, const struct probe_mail *mail,
	struct failure *why)
{
	struct place *place = arrival->selected;
	uint32_t uids[MATCHES_MAX];
	size_t count = 0;
	int64_t answered;

	if (imap_search_header(arrival->imap, TOKEN_HEADER, mail->id, place->uid_from, uids,
		    MATCHES_MAX, &count, why) == -1)
		return -1;
	answered = clock_now();
	for (size_t i = 0; i < count && arrival->found == NULL; i++) {
		enum mail_match match;

		if (judge(probe, arrival, mail, uids[i], &match, why) == -1)
			return -1;
		if (match == MAIL_FOREIGN)
			continue;
		arrival->match = match;
		arrival->found = place;
		arrival->uid = uids[i];
		arrival->present_ns = answered;
	}
	return 0;
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
	uint32_t uids[MATCHES_MAX];
	size_t count = 0;
	bool expunged = false;

	if (imap_delete(arrival->imap, arrival->uid, &expunged, why) == -1 ||
		imap_search_header(arrival->imap, TOKEN_HEADER, mail->id, arrival->uid + 1, uids,
			MATCHES_MAX, &count, why) == -1)
		return -1;
	mail->deleted = expunged;
	for (size_t i = 0; i < count; i++) {
		enum mail_match match;

		if (judge(probe, arrival, mail, uids[i], &match, why) == -1)
			return -1;
		if (match == MAIL_FOREIGN)
			continue;
		mail->duplicates++;
		if (imap_delete(arrival->imap, uids[i], &expunged, why) == -1)
			return -1;
	}
	return 0;
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
