/* policy - what a domain says in TXT records of the mail that it sends and takes: SPF (RFC 7208),
 * DMARC (RFC 7489), DKIM keys (RFC 6376), MTA-STS (RFC 8461), TLS reports (RFC 8460). Judges the
 * form only: what a record means for a mail, a receiver decides. */
#ifndef MAILPROBE_POLICY_H
#define MAILPROBE_POLICY_H

#include <stddef.h>

enum policy_kind { POLICY_SPF, POLICY_DMARC, POLICY_DKIM, POLICY_MTA_STS, POLICY_TLSRPT };
enum policy_verdict { POLICY_ABSENT, POLICY_GOOD, POLICY_BROKEN };

struct policy {
	enum policy_verdict verdict;
	char detail[320]; /* the record, or what is wrong with it */
	char id[33];      /* of a good MTA-STS record */
};

/* Judges all texts of one name: others than the kind's own are passed over. */
void policy_judge(
	enum policy_kind kind, const char *const *texts, size_t count, struct policy *policy_r);

#endif
