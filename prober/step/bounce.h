/* bounce - whether a mail that has not arrived has come back to its sender. */
#ifndef MAILPROBE_BOUNCE_H
#define MAILPROBE_BOUNCE_H

#include "probe.h"

/* Looks into the sender's INBOX, if the sender is an account that can be logged into by IMAP, and there
 * is time left; keeps in mail->bounce what says that the mail will not be delivered. Changes nothing
 * there, and is in no phase: no user waits for it. True if it has come back; false, too, if nobody could look. */
bool bounce_look(struct probe *probe, struct probe_mail *mail);

/* The keys bounce_* of a mail's record (record_mail). */
void bounce_describe(json_t *record, const struct dsn *dsn);

#endif
