/* exchange_policy - what a domain promises to those who send to it (MTA-STS, RFC 8461; DANE, RFC
 * 7672), against what the exchanger that took the mail did. */
#ifndef MAILPROBE_EXCHANGE_POLICY_H
#define MAILPROBE_EXCHANGE_POLICY_H

#include <openssl/x509.h>

#include "field.h"
#include "probe.h"
#include "smtp.h"

extern const char *const exchange_policy_choices[];
extern const struct field mta_sts_facts[], dane_facts[];

#define EXCHANGE_POLICY_FIELDS                                                                     \
	{"policy", &field_choice, 0,                                                               \
		"warn or fail if the exchanger does not keep the domain's MTA-STS and DANE "       \
		"policies; off: they are not asked for",                                           \
		"\"off\"", .choices = exchange_policy_choices},                                    \
	{                                                                                          \
		"policy_port", &field_port, 0, "port of the host that has the MTA-STS policy",     \
			"443"                                                                      \
	}
/* Facts that exchange_policy_check sets. */
#define EXCHANGE_POLICY_FACTS                                                                      \
	{"mta_sts", &field_object, 0, "what the domain's MTA-STS policy says of this delivery",    \
		.fields = mta_sts_facts},                                                          \
	{                                                                                          \
		"dane", &field_object, 0, "what its TLSA records say", .fields = dane_facts        \
	}

/* What is kept of the delivery until there is time to judge it. */
struct exchange {
	char host[256]; /* of the exchanger that took the mail; "": none did */
	bool tls_verified;
	STACK_OF(X509) *chain; /* owned; NULL without TLS */
};

bool exchange_policy_wanted(const struct step *step);

/* The mail was taken by that host, over that stream, which is still open. */
void exchange_keep(struct exchange *exchange, const char *host, const struct peer_facts *peer,
	struct stream *stream);
void exchange_free(struct exchange *exchange);

/* Asks DNS and the policy's host; phase `policy`. Fails with smtp.policy, or warns of it, as the
 * step says. */
int exchange_policy_check(struct probe *probe, const struct exchange *exchange, const char *domain,
	struct failure *why);

#endif
