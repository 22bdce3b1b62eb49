/* imap_account - opening an account's mailstore, for all steps that read mail. */
#ifndef MAILPROBE_IMAP_ACCOUNT_H
#define MAILPROBE_IMAP_ACCOUNT_H

#include "imap.h"
#include "probe.h"

/* Connects, secures and logs in; phases up to `auth`. NULL on failure. */
struct imap *imap_account_open(struct probe *probe, struct failure *why);

/* The same at one address of the server's name; what is known of the peer goes to peer_r instead of
 * the facts. */
struct imap *imap_account_open_at(struct probe *probe, const struct address *address,
	struct peer_facts *peer_r, struct failure *why);

/* The usual ending: notes what the connection was like, and logs out. */
int imap_account_leave(struct probe *probe, struct imap *imap, struct failure *why);

/* A whole `run`: opens the account, lets `visit` do what the step is for, closes. */
int imap_account_visit(struct probe *probe,
	int (*visit)(struct probe *probe, struct imap *imap, struct failure *why),
	struct failure *why);

#endif
