/* imap - a conversation with a mailstore (RFC 3501), by libetpan over our stream.
 *
 * Only what is known to be safe in libetpan 1.9.4 is called, and imap_guard stands before its
 * parser. Phases that belong to the connection are begun here (greeting, starttls, auth); those
 * that belong to the user's action are begun by the step.
 */
#ifndef MAILPROBE_IMAP_H
#define MAILPROBE_IMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "failure.h"
#include "sasl.h"
#include "stream.h"

struct imap;

struct imap_mailbox {
	uint32_t messages;
	uint32_t uid_next;     /* 0: the server did not say */
	uint32_t uid_validity; /* 0: the server did not say */
};

/* A fetched message; free it with imap_message_free. */
struct imap_message {
	char *text; /* RFC 5322, as it lies in the mailbox */
	size_t length;
	int64_t internal_date_ns; /* wall clock, whole seconds; 0: not given */
	uint32_t number; /* its place in the mailbox as of now */
	uint32_t size; /* of the whole message, where it was asked for; 0: not given */
};

/* Takes the stream over (closes it on failure too) and waits for the greeting. A greeting of
 * BYE is imap.bye; one of PREAUTH before TLS, tls.starttls_stripped. */
struct imap *imap_open(struct stream *stream, struct failure *why);

/* STARTTLS (RFC 2595); what the server said it can do before is forgotten. */
int imap_start_tls(struct imap *imap, struct peer_facts *facts, struct failure *why);

/* AUTHENTICATE by the mechanism that sasl_choose picks (with initial response where the server
 * has SASL-IR, RFC 4959), else the command LOGIN; what it was goes to *mechanism_r. Never in
 * plain text, but to the loopback. Fails with auth.*. */
int imap_login(struct imap *imap, const struct sasl_identity *who, const char **mechanism_r,
	struct failure *why);

/* True if the server has said so since the last login or STARTTLS. */
bool imap_has(struct imap *imap, const char *capability);

/* SELECT, or EXAMINE, which changes nothing. A NO is imap.no. */
int imap_select(struct imap *imap, const char *mailbox, bool examine,
	struct imap_mailbox *mailbox_r, struct failure *why);

/* NOOP: lets the server tell what is new. *news_r is true if it has spoken of the mailbox's
 * messages since the last NOOP or SELECT: their mere number may stay the same while one goes and
 * another comes. */
int imap_noop(struct imap *imap, bool *news_r, struct failure *why);

/* STATUS of a mailbox that is not selected. */
int imap_status(struct imap *imap, const char *mailbox, struct imap_mailbox *mailbox_r,
	struct failure *why);

/* Messages of a mailbox that have not been seen (STATUS). */
int imap_unseen(struct imap *imap, const char *mailbox, uint32_t *unseen_r, struct failure *why);

struct imap_uids {
	uint32_t *uids; /* ascending */
	size_t count;
};

void imap_uids_free(struct imap_uids *found);

struct imap_search {
	const char *header, *value; /* a field that holds this; "": that is there at all */
	const char *text; /* or anything, quoted mails as well, with this in it; NULL: no */
	uint32_t uid_from, uid_to; /* both in the range; to 0: no end */
};

/* Sorts, and takes out what is in it twice. */
void imap_uids_sort(struct imap_uids *found);

/* UID SEARCH in the selected mailbox, one round trip; adds what it finds. */
int imap_search(struct imap *imap, const struct imap_search *what, struct imap_uids *found,
	struct failure *why);

/* Called for each message that is there, with its text as it was asked for, date and size. */
typedef void imap_each(void *context, uint32_t uid, const struct imap_message *message);

/* Some header fields of each, without setting \Seen; a round trip per thousand. */
int imap_fetch_fields(struct imap *imap, const uint32_t *uids, size_t count,
	const char *const names[], imap_each *each, void *context, struct failure *why);

/* The whole of each, in one round trip: the caller sees to it that they are not too large
 * together. */
int imap_fetch_all(struct imap *imap, const uint32_t *uids, size_t count, imap_each *each,
	void *context, struct failure *why);

/* From here on a message may have that many bytes, beside what relays add, where usually they
 * have 1 MB at most; 0: as usual. */
void imap_expect(struct imap *imap, size_t bytes);

/* The whole message without setting \Seen; *message_r is empty (text NULL) if it is gone. */
int imap_fetch(
	struct imap *imap, uint32_t uid, struct imap_message *message_r, struct failure *why);
void imap_message_free(struct imap_message *message);

/* Marks messages (ascending UIDs) deleted and expunges those alone (UIDPLUS, RFC 4315); two round
 * trips per thousand. Without UIDPLUS they stay marked: a plain EXPUNGE would take other people's
 * mail with it, so it is used only if `plain` allows it. */
int imap_delete(struct imap *imap, const uint32_t *uids, size_t count, bool plain,
	bool *expunged_r, struct failure *why);

/* The mailboxes for junk and for sent mail by SPECIAL-USE (RFC 6154), or by their usual names; "" where
 * there is none. */
struct imap_special {
	char junk[256], sent[256];
};
int imap_find_special(struct imap *imap, struct imap_special *special_r, struct failure *why);

struct imap_folder {
	char name[256];
	bool selectable;
};

/* LIST of all mailboxes, at most max, in the server's order. */
int imap_list(struct imap *imap, struct imap_folder *folders, size_t max, size_t *count_r,
	struct failure *why);

struct imap_quota {
	bool has_storage, has_messages;
	uint64_t storage_used_bytes, storage_limit_bytes;
	uint64_t messages_used, messages_limit;
};

/* GETQUOTAROOT (RFC 9208): the tightest limit of each kind over the mailbox's quota roots. */
int imap_get_quota(struct imap *imap, const char *mailbox, struct imap_quota *quota_r,
	struct failure *why);

struct imap_summary {
	uint32_t uid;
	uint32_t size;
	bool seen;
};

/* UID, size and flags of messages first to last by their number; at most max. */
int imap_summaries(struct imap *imap, uint32_t first, uint32_t last, struct imap_summary *list,
	size_t max, size_t *count_r, struct failure *why);

/* The header alone, or the first `bytes` of the whole message, without setting \Seen. */
int imap_fetch_header(
	struct imap *imap, uint32_t uid, struct imap_message *message_r, struct failure *why);
int imap_fetch_part(struct imap *imap, uint32_t uid, uint32_t bytes,
	struct imap_message *message_r, struct failure *why);

/* LOGOUT, and wait for its end. */
int imap_logout(struct imap *imap, struct failure *why);

struct stream *imap_stream(const struct imap *imap);

/* Closes without a word; nulls it. NULL is fine. */
void imap_close(struct imap **imap);

#endif
