/* imap_private - what the files of imap share. */
#ifndef MAILPROBE_IMAP_PRIVATE_H
#define MAILPROBE_IMAP_PRIVATE_H

#include <libetpan/libetpan.h>

#include "imap.h"
#include "imap_guard.h"

/* No answer to one command is longer. */
#define IMAP_ANSWER_BYTES (4 * 1024 * 1024)

struct imap {
	struct stream *stream;
	mailimap *session;
	struct imap_guard guard;
	size_t expected; /* bytes of a message that is larger than others */
	size_t announcements; /* of the guard's, that somebody was told of */
	int64_t quiet_ns; /* when an idling client last had nothing to read */
};

/* Before each command. */
void imap_begin(struct imap *imap);

/* Turns libetpan's code into a failure. What stopped the stream comes first: libetpan only
 * knows that something did. A refusal by the server becomes `refusal`. */
int imap_outcome(struct imap *imap, int code, const char *command, enum error_type refusal,
	struct failure *why);

/* What one answer to FETCH says of a message; returns its UID, 0 if it does not say. */
uint32_t imap_take_message(
	const struct mailimap_msg_att *attributes, struct imap_message *message);

/* What the server can do: asks, tells if it has said so, and forgets it. */
int imap_ask_capability(struct imap *imap, struct failure *why);
bool imap_knows_capability(const struct imap *imap);
void imap_forget_capability(struct imap *imap);

#endif
