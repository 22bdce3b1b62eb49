/* dns - names to addresses, with a deadline, by the resolvers of the scenario or the system.
 *
 * c-ares does the protocol. A channel belongs to one thread at a time.
 */
#ifndef MAILPROBE_DNS_H
#define MAILPROBE_DNS_H

#include <stddef.h>

#include <netinet/in.h>

#include "clock.h"
#include "failure.h"
#include "peer.h"

struct dns;

#define ADDRESS_TEXT_SIZE 64

struct address {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} socket;
	socklen_t length;
	char text[ADDRESS_TEXT_SIZE]; /* "192.0.2.1:25" or "[2001:db8::1]:25" */
};

/* Opens a channel; reads the system's settings if servers is NULL, otherwise a list such as
 * "127.0.0.1:5353,[::1]:53". Reads files: call it before the jail. Fails with
 * local.resource. */
struct dns *dns_create(const char *servers, struct failure *why);
void dns_destroy(struct dns **dns);

/* Fills in address and text from a literal IP address; false if host is none. */
bool address_literal(const char *host, int port, struct address *address_r);

/* Not on the public Internet: loopback, private, link-local, shared, unspecified (RFC 6890). */
bool address_is_private(const struct address *address);

/* The addresses of a host for a port: IPv6 ones first, then IPv4, at most max. Fails with a
 * dns.* type; a family without any record is no failure if the other has one. */
int dns_addresses(struct dns *dns, const char *host, int port, enum ip_choice ip,
	struct deadline deadline, struct address *list, size_t max, size_t *count_r,
	struct failure *why);

#endif
