/* sweep - settles what earlier runs have left open, in a mailbox that a step has opened anyway.
 *
 * A mailbox is looked through from where the last run's sweep ended (a mark: UIDVALIDITY and
 * UIDNEXT), so that it costs no round trip if nothing has come since. What is found there with a
 * token that verifies is accounted for first, in one transaction, and only then deleted.
 */
#ifndef MAILPROBE_SWEEP_H
#define MAILPROBE_SWEEP_H

#include "field.h"
#include "imap.h"
#include "probe.h"

/* A mailbox as the session's SELECT or STATUS has shown it. */
struct sweep_place {
	const char *folder;
	uint32_t uid_validity, uid_next;
	int64_t looked_ns; /* when that was sent */
	bool junk;
	bool sent; /* copies that the sender's own server has filed: no arrivals */
};

#define SWEEP_PLACES_MAX 3

/* Sweeps the places; the first one is selected, before and afterwards. Tells what it has found as
 * facts. Only the first step of a run on each account does it; for others it does nothing. */
int sweep(struct probe *probe, struct imap *imap, const struct sweep_place *places, size_t count,
	struct failure *why);

/* The mail that this run has received in that place: if it was the next one, the next sweep may
 * begin behind it. */
void sweep_received(struct probe *probe, const char *folder, uint32_t uid);

/* Facts that a sweep sets. */
extern const struct field sweep_mailbox_fields[];
#define SWEEP_FACTS                                                                                \
	{"mailboxes", &field_list, 0, "how far they were looked through", .item = &field_object,   \
		.fields = sweep_mailbox_fields},                                                   \
		{"late_copies", &field_integer, 0,                                                 \
			"second copies of mails of earlier runs: counted in the ledger, deleted"}, \
		{"filed_copies", &field_integer, 0,                                                \
			"copies in the folder for sent mail, of settled mails of this account: "   \
			"deleted"},                                                                \
		{"leftovers", &field_integer, 0,                                                   \
			"mails of runs that were killed before they could delete them: deleted"},  \
	{                                                                                          \
		"strangers", &field_integer, 0,                                                    \
			"mails that look like ours and are not, or no more: neither counted nor "  \
			"touched"                                                                  \
	}

#endif
