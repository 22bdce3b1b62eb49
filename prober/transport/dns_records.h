/* dns_records - many questions in one round, and what answers say: texts, names, TLSA. */
#ifndef MAILPROBE_DNS_RECORDS_H
#define MAILPROBE_DNS_RECORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "dns_private.h"

#define DNS_NAME_SIZE 280
#define DNS_TEXT_SIZE 2048
#define DNS_ROUND_MAX 400

/* Questions that are asked side by side. Large: keep it on the heap. */
struct dns_round {
	struct dns_question questions[DNS_ROUND_MAX];
	char names[DNS_ROUND_MAX][DNS_NAME_SIZE];
	size_t count;
};

/* Adds a question; its number, or -1 if there is no room. */
int dns_round_add(struct dns_round *round, enum dns_type type, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void dns_round_ask(struct dns *dns, struct dns_round *round, struct deadline deadline);
void dns_round_clear(struct dns_round *round);

/* 0: there is an answer, 1: there is nothing (of that type), -1: it cannot be known, and why. */
int dns_question_outcome(const struct dns_question *question, struct failure *why);

/* The texts of TXT records, each joined from its strings (RFC 7208, 3.3). Returns how many. */
size_t dns_take_texts(
	const struct dns_question *question, char (*texts)[DNS_TEXT_SIZE], size_t max);

/* The names that an address has (PTR). */
size_t dns_take_names(const struct dns_question *question, const struct address *address,
	char (*names)[DNS_NAME_SIZE], size_t max);

/* The IPv4 or IPv6 addresses of an answer, by its type; port 0. */
size_t dns_take_addresses(const struct dns_question *question, struct address *list, size_t max);

struct tlsa {
	unsigned int usage, selector, matching;
	size_t length; /* of the data */
	const unsigned char *data; /* lent by the question */
};

/* TLSA records; *validated_r says whether the resolver vouches for them (AD). */
size_t dns_take_tlsa(
	const struct dns_question *question, struct tlsa *list, size_t max, bool *validated_r);

/* The name below a zone that stands for an address: "1.2.0.192.ZONE", nibbles for IPv6. With zone
 * NULL, the reverse zone. */
void dns_reverse_name(
	const struct address *address, const char *zone, char name[static DNS_NAME_SIZE]);

#endif
