/* dns_private - questions and their raw answers, for the files that know record types. */
#ifndef MAILPROBE_DNS_PRIVATE_H
#define MAILPROBE_DNS_PRIVATE_H

#include <stdbool.h>

#include "dns.h"

/* RFC 1035, 3.2.2, RFC 3596 and RFC 6698. */
enum dns_type {
	DNS_TYPE_A = 1,
	DNS_TYPE_NS = 2,
	DNS_TYPE_PTR = 12,
	DNS_TYPE_MX = 15,
	DNS_TYPE_TXT = 16,
	DNS_TYPE_AAAA = 28,
	DNS_TYPE_TLSA = 52, /* asked with AD set, so that a validating resolver answers with it */
};

struct dns_question {
	const char *name;
	enum dns_type type;
	bool done;
	int status;            /* of c-ares; ARES_SUCCESS: there is an answer */
	unsigned char *answer; /* the whole message */
	int length;
};

/* Asks all of them at once; each is answered or has failed when this returns, at the latest at
 * the deadline. Free each with dns_question_free. */
void dns_ask(struct dns *dns, struct dns_question *questions, size_t count,
	struct deadline deadline);
void dns_question_free(struct dns_question *question);

/* Turns a status of c-ares into a dns.* failure about a name. Returns -1. */
int dns_refuse(const char *name, int status, struct failure *why);

#endif
