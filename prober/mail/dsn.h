/* dsn - reading what came back: a delivery status notification (RFC 3464), or an older kind of bounce
 * that quotes the mail. Anybody may have written it. */
#ifndef MAILPROBE_DSN_H
#define MAILPROBE_DSN_H

#include <stddef.h>

enum dsn_kind {
	DSN_NONE,    /* no bounce, or one that does not quote a mail of ours */
	DSN_FAILED,  /* the mail will not be delivered */
	DSN_DELAYED, /* it is still being tried */
};

struct dsn {
	enum dsn_kind kind;
	char token[160];  /* of the mail that it quotes; not verified */
	char status[16];  /* RFC 3463, such as 5.1.1; "" if it does not say */
	char host[256];   /* that refused the mail; "" if it does not say */
	char text[512];   /* what that host said, or the line that tells */
};

/* Reads a message as it lies in the mailbox. */
void dsn_read(const char *text, size_t length, struct dsn *dsn_r);

#endif
