/* received - the trace on a mail: a field `Received` from each server that had it (RFC 5321, 4.4;
 * RFC 5322, 3.6.7).
 *
 * Every server writes it in a way of its own, and anybody may have written it: what is not
 * understood is left out, and nothing of it is believed here. */
#ifndef MAILPROBE_RECEIVED_H
#define MAILPROBE_RECEIVED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A mail that has gone through more servers than this is in a loop, or was made up. */
#define RECEIVED_MAX 32

/* One field. Texts are printable UTF-8, cut if they are too long, "" if they are not there. */
struct received {
	char helo[128];      /* what the sender called itself */
	char name[128];      /* what its address is called by DNS */
	char address[64];    /* its IP address, without brackets */
	char by[128];        /* what the server that wrote it calls itself */
	char with[32];       /* protocol, such as ESMTPS or LMTP */
	char id[96];         /* the server's name for the mail, such as its queue id */
	char recipient[128]; /* for: without angle brackets */
	bool dated;
	int64_t at_ns;         /* by its own clock, nanoseconds since 1970 UTC */
	int64_t resolution_ns; /* the instant lies in [at_ns, at_ns + resolution_ns) */
};

/* Reads the value of one field. Always fills received_r, as far as it goes. */
void received_parse(const char *value, struct received *received_r);

/* Reads all fields of a mail (RFC 5322, as it lies in the mailbox) in the order of its way: the
 * first server comes first. If there are more than RECEIVED_MAX, it is the last ones, and
 * *omitted_r says how many are left out. Returns their number. */
size_t received_read(const char *text, size_t length, struct received hops_r[static RECEIVED_MAX],
	size_t *omitted_r);

/* The date and time of RFC 5322, 3.3, and 4.3, with fractions of seconds where they are given;
 * comments and a missing day of the week are fine, a missing zone is not. */
bool received_date(const char *text, int64_t *at_ns_r, int64_t *resolution_ns_r);

#endif
