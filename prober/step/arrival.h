/* arrival - looking for a mail where it may arrive: INBOX and the junk folder of one mailbox.
 *
 * One purpose: to know when it was there first, and that it is ours. What is made of it is the
 * step's business. */
#ifndef MAILPROBE_ARRIVAL_H
#define MAILPROBE_ARRIVAL_H

#include <stdint.h>

#include "imap.h"
#include "probe.h"

/* One mailbox that is looked at. */
struct place {
	char name[256];
	uint32_t uid_validity;
	uint32_t uid_next; /* before the mail was sent */
	uint32_t uid_from; /* mails of ours have this UID or a greater one */
	int64_t opened_ns; /* when that was asked for */
	int64_t absent_ns; /* sending of the last look that found nothing */
};

struct arrival {
	struct imap *imap;
	struct place inbox, junk; /* junk.name is "" if there is none */
	struct place sent; /* where copies of what the account sends may be filed; .name "": nowhere */
	struct place *selected;
	struct place *found;
	unsigned int looks;
	/* Once it is found; `found` is NULL before. */
	uint32_t uid;
	int64_t present_ns; /* answer of the first look with it */
	enum mail_match match;
	const char *changed; /* of an altered mail: which part of it */
	int64_t internal_date_ns; /* wall clock of the server, whole seconds; 0: not given */
	char *header;             /* of the mail as it lies there; owned; NULL: no memory for it */
};

/* Selects INBOX and finds the other folders, before the mail is sent. */
int arrival_open(struct probe *probe, struct arrival *arrival, struct failure *why);

/* One look into INBOX (NOOP, and a search if something is new, or anyway). */
int arrival_look(struct probe *probe, struct arrival *arrival, const struct probe_mail *mail,
	bool search_anyway, struct failure *why);

/* Looks until the mail is found or the time is up. */
int arrival_watch(struct probe *probe, struct arrival *arrival, const struct probe_mail *mail,
	struct deadline until, struct failure *why);

/* Looks with a new session, which takes the old one's place: some servers show an old session an
 * old mailbox, so absence is believed to a new one only. */
int arrival_recheck(struct probe *probe, struct arrival *arrival, const struct probe_mail *mail,
	struct failure *why);

/* Ends the session and frees what was kept. NULL is fine; nulls it. */
void arrival_close(struct arrival **arrival);

/* Deletes the mail that was found (unless it is kept) and further copies of it, which it counts;
 * all of them carry the valid token. */
int arrival_clean_up(
	struct probe *probe, struct arrival *arrival, struct probe_mail *mail, struct failure *why);

#endif
