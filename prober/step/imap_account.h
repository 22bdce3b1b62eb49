/* imap_account - opening an account's mailstore, for all steps that read mail. */
#ifndef MAILPROBE_IMAP_ACCOUNT_H
#define MAILPROBE_IMAP_ACCOUNT_H

#include "imap.h"
#include "probe.h"

/* Connects, secures and logs in; phases up to `auth`. NULL on failure. */
struct imap *imap_account_open(struct probe *probe, struct failure *why);

#endif
