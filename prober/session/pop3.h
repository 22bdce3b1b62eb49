/* pop3 - a thin dialogue of a mail program with a maildrop (RFC 1939), one function a command.
 *
 * Runs on a libetpan mailstream over our stream; docs/decisions.md says why libetpan's own POP3 is
 * left alone. Nothing here deletes a message. Phases that belong to the connection are begun
 * here (greeting, starttls, auth); those that belong to the user's action are begun by the step.
 */
#ifndef MAILPROBE_POP3_H
#define MAILPROBE_POP3_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "failure.h"
#include "sasl.h"
#include "stream.h"

struct pop3;

/* RFC 1939, 7: 1 to 70 printable characters. */
#define POP3_UID_SIZE 71

struct pop3_entry {
	uint32_t number; /* within this session */
	uint32_t size;   /* as the server states it */
	char uid[POP3_UID_SIZE];
};

/* Takes the stream over (closes it on failure too) and waits for the greeting. */
struct pop3 *pop3_open(struct stream *stream, struct failure *why);

/* STLS (RFC 2595); what the server said it can do before is forgotten. */
int pop3_start_tls(struct pop3 *pop3, struct peer_facts *facts, struct failure *why);

/* AUTH (RFC 5034) by the mechanism that sasl_choose picks, else USER and PASS; what it was goes to
 * *mechanism_r. Never in plain text, but to the loopback. Fails with auth.*. */
int pop3_login(struct pop3 *pop3, const struct sasl_identity *who, const char **mechanism_r,
	struct failure *why);

/* What the server says it can do (CAPA, RFC 2449); true if it does not know CAPA. Asks after STLS
 * and after the login anew. */
int pop3_ask_capability(struct pop3 *pop3, struct failure *why);
bool pop3_has(const struct pop3 *pop3, const char *capability);

/* STAT. A refusal of this and of what follows is pop3.err. */
int pop3_stat(struct pop3 *pop3, uint32_t *messages_r, uint64_t *bytes_r, struct failure *why);

/* UIDL of all; keeps those of messages from `first` on, at most max. *total_r: how many there
 * were. */
int pop3_uidl(struct pop3 *pop3, uint32_t messages, uint32_t first, struct pop3_entry *list,
	size_t max, size_t *count_r, size_t *total_r, struct failure *why);

/* LIST of one message: its size. */
int pop3_size(struct pop3 *pop3, struct pop3_entry *entry, struct failure *why);

/* The message: by TOP with that many lines of its body, or (lines < 0) by RETR, which lets many
 * servers mark it as read. *bytes_r: of text, without what the protocol adds. */
int pop3_read(
	struct pop3 *pop3, uint32_t number, long lines, uint64_t *bytes_r, struct failure *why);

/* QUIT, and wait for its end. */
int pop3_quit(struct pop3 *pop3, struct failure *why);

struct stream *pop3_stream(const struct pop3 *pop3);

/* Closes without a word; nulls it. NULL is fine. */
void pop3_close(struct pop3 **pop3);

#endif
