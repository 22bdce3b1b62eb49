/* mx - the exchangers of a mail domain (RFC 5321 section 5.1, RFC 7505). */
#ifndef MAILPROBE_MX_H
#define MAILPROBE_MX_H

#include <stdbool.h>
#include <stddef.h>

#include "clock.h"
#include "dns.h"
#include "failure.h"

struct exchanger {
	char host[256];
	int preference;
	unsigned int lot; /* random: decides among equals */
};

/* The exchangers, the best first; those of one preference in random order, as load is shared
 * among them. A domain without MX but with an address is its own exchanger: *implicit_r. Fails
 * with dns.nullmx (the domain takes no mail), dns.policy (an exchanger that is an IP address), or
 * another dns.* type. */
int mx_lookup(struct dns *dns, const char *domain, struct deadline deadline,
	struct exchanger *list, size_t max, size_t *count_r, bool *implicit_r,
	struct failure *why);

#endif
