/* dns_control - whether a resolver works at all, asked of names that have nothing to do with what
 * has failed.
 *
 * A name below a domain is made up for each question, so that no cache can answer it: that the name
 * does not exist has to come from the domain's own servers, by way of our network.
 */
#ifndef MAILPROBE_DNS_CONTROL_H
#define MAILPROBE_DNS_CONTROL_H

#include <stdbool.h>
#include <stddef.h>

#include "dns.h"

#define DNS_CONTROLS_MAX 4

/* True if the resolver could find out about any of the domains, at most DNS_CONTROLS_MAX of them;
 * where there is none, about the root. Of the root, which a server of few zones refuses, a refusal
 * counts as an answer if the caller says so. */
bool dns_control(struct dns *dns, const char *const domains[], size_t count, bool refusal_counts,
	struct deadline deadline);

#endif
