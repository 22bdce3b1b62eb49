/* verdicts - what the receiver's servers have written into a mail's header about it: who it is from
 * (RFC 8601), and whether it is spam. Anybody may write such fields; see whose are read. */
#ifndef MAILPROBE_VERDICTS_H
#define MAILPROBE_VERDICTS_H

#include <stdbool.h>
#include <stddef.h>

/* Results are words of RFC 8601, 2.7, in lower case; "" where there is none. */
struct authentication {
	char authserv_id[128]; /* who says so */
	char spf[16];
	char dkim[16]; /* of several signatures, the best */
	char dmarc[16];
};

/* Whose field Authentication-Results counts: the one of exactly this name, or (NULL) any of whom
 * the receiver is known by, which is a name that `by` (what the last server calls itself) is
 * equal to or below, or one at or below `domain` (of the receiving address). The topmost such
 * field counts: what came with the mail lies below of what the receiver wrote. */
struct authserv {
	const char *id;
	const char *by;
	const char *domain;
};

/* False if there is no such field. */
bool authentication_read(const char *text, size_t length, const struct authserv *whose,
	struct authentication *found_r);

struct spam_verdict {
	bool has_flag, flag; /* X-Spam-Flag, or the first word of X-Spam-Status or X-Spam */
	bool has_score;
	double score, limit; /* X-Spam-Status, X-Spamd-Result, X-Spam-Score; limit 0: not given */
	bool has_level;
	int level; /* Exchange's spam confidence level, -1 to 9 */
};

/* The topmost field of each kind counts. */
void spam_read(const char *text, size_t length, struct spam_verdict *found_r);

#endif
