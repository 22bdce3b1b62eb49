/* probe_mail - a mail of ours: its identity, its text, and recognising it again.
 *
 * Identity is a token in a header of its own, `Mailprobe-Token: v1.<mail>.<hmac>`: the mail's id
 * is 128 bits of time and randomness, the HMAC-SHA256 binds id, envelope and the hash of the
 * content, so that a stray, forged or altered mail is never taken for ours.
 */
#ifndef MAILPROBE_PROBE_MAIL_H
#define MAILPROBE_PROBE_MAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "dsn.h"
#include "failure.h"
#include "uuid.h"

#define MAIL_KEY_SIZE 32
#define LEG_SIZE 160

struct mail_key {
	unsigned char bytes[MAIL_KEY_SIZE];
};

/* Reads <results_dir>/token.key, or makes it (random, 0600, synced) if there is none. Fails with
 * config.secret if it is readable by others, local.storage if it cannot be made. */
int mail_key_load(const char *results_dir, struct mail_key *key_r, struct failure *why);

/* What signs the mails of one scenario, made from the folder's key (HKDF-like: HMAC-SHA256 over
 * the names): scenarios and customers that share a mailbox never take each other's mail for
 * theirs, and no worker holds more than its own. */
void mail_key_derive(const struct mail_key *master, const char *customer, const char *scenario,
	struct mail_key *key_r);

struct probe_mail {
	char id[UUID_SIZE];
	char step[65];
	char await[65];
	char message_id[192]; /* without angle brackets */
	char from[256];
	char to[256];
	char token[160];      /* value of the header */
	char content_hash[65];
	char leg[LEG_SIZE];
	char state[24]; /* mail_states */
	char helo[128];       /* what we called ourselves to the server that has it; "" if not reached */
	int64_t offered_ns;   /* monotonic: sending of MAIL; 0: not reached */
	int64_t sending_ns;   /* monotonic; 0: not reached */
	int64_t accepted_ns; /* monotonic; 0: not accepted */
	char first_try_at[32]; /* RFC 3339, of a mail that was deferred; "" otherwise */
	char reply[512];
	/* Set by an await. */
	bool found;
	int64_t absent_ns; /* sending of the last look without it */
	int64_t present_ns; /* answer of the first look with it */
	char folder[256];
	uint32_t uid_validity, uid; /* of the last copy that was counted; 0: unknown */
	unsigned int duplicates;
	bool deleted;
	bool own_subject; /* the scenario's: it has to arrive as it was */
	struct dsn bounce; /* what came back for it; .kind DSN_NONE: nothing has */
	json_t *hops; /* record_hop, in the order of its way; owned; NULL: not known */
	bool kept;
	char *text; /* RFC 5322, CRLF; owned */
	size_t text_length;
};

struct mail_order {
	const struct mail_key *key;
	const char *customer;
	const char *scenario;
	const char *vantage;
	const char *step;
	const char *from; /* addresses */
	const char *to;
	const char *leg;
	const char *content; /* "gtube", "eicar": what filters must stop; NULL: nothing */
	size_t size;         /* bytes of the text, or of the attachment; 0: what it takes */
	bool attachment;     /* a file of that size beside the text */
	bool utf8;           /* the text holds more than ASCII */
	const char *subject; /* UTF-8; NULL: one of ours */
	const char *id;  /* of a mail that is sent once more; NULL: a new one */
	int64_t wall_ns; /* for Date */
};

/* Writes a mail: *mail_r is the caller's until probe_mail_free. */
struct probe_mail *probe_mail_compose(const struct mail_order *order);
void probe_mail_free(struct probe_mail **mail);

/* What a fetched mail turns out to be. */
enum mail_match {
	MAIL_OURS,    /* token verifies and the content is unchanged */
	MAIL_ALTERED, /* token verifies for this id, but the content, or a subject of the scenario's,
		       * is not what was sent */
	MAIL_FOREIGN, /* no token, another mail's, or a forged one: never touch it */
};

/* What has been changed of an altered mail: "subject", "attachment" or "body". */
const char *probe_mail_changed(const struct probe_mail *mail, const char *text, size_t length);

/* Compares a fetched mail (RFC 5322, as it lies in the mailbox) with what was sent. */
enum mail_match probe_mail_match(const struct mail_key *key, const struct probe_mail *mail,
	const char *text, size_t length);

#endif
