/* imap_idle - IDLE (RFC 2177) of our own: libetpan's loses an announcement that comes before, or
 * with, the server's consent, and dies of some consents.
 *
 * What a server announces is a claim, not a proof: it may announce what is not there, or nothing.
 */
#ifndef MAILPROBE_IMAP_IDLE_H
#define MAILPROBE_IMAP_IDLE_H

#include "imap.h"

/* A change that the server announced. Instants are monotonic. */
struct imap_news {
	bool expunged; /* message `number` is gone; otherwise there are `number` messages now */
	uint32_t number;
	int64_t quiet_ns; /* nothing that we had not read was there yet */
	int64_t at_ns;    /* receipt of the line */
};

/* A mailbox must be selected. The number of changes that were told ahead of the server's consent:
 * all of them, for each one that is missed makes a number mean another message. Fails with imap.push
 * if the server refuses, with limit.size if there are more than max. */
int imap_idle_begin(struct imap *imap, struct imap_news *news, size_t max, struct failure *why);

/* The next news: 1, or 0 if there is none until then. Other lines, such as "still here", pass. A
 * line that the server does not finish within some seconds is tcp.timeout. */
int imap_idle_next(
	struct imap *imap, struct deadline until, struct imap_news *news_r, struct failure *why);

/* DONE, and wait for the answer. The next imap_noop says if there was news since. */
int imap_idle_end(struct imap *imap, struct failure *why);

/* What the answer to the last command, DONE among them, told of messages that are gone: at most
 * max, in the server's order. */
size_t imap_idle_expunged(struct imap *imap, struct imap_news *news, size_t max);

#endif
