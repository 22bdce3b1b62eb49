/* delivery - the way to a domain's exchangers: where they are, a conversation with one of them,
 * and the table of what became of each. */
#ifndef MAILPROBE_DELIVERY_H
#define MAILPROBE_DELIVERY_H

#include "exchange_policy.h"
#include "mx.h"
#include "probe.h"
#include "smtp.h"

#define TARGETS_MAX 32

/* One address of one exchanger. */
struct target {
	struct exchanger exchanger;
	struct address address;
	struct failure unresolved; /* it has no address to try */
	bool tried;
};

struct delivery {
	struct target targets[TARGETS_MAX];
	size_t count;
	json_t *hosts;
	unsigned int down, deferring;
	struct failure first_down, first_deferring;
	struct tls_settings tls;
	struct exchange exchange; /* with the one that took the mail */
};

/* The exchangers of the receiver's domain and their addresses, best first; phase `resolve`. An
 * exchanger without an address that mail may go to is among them, with the reason. */
int delivery_look_up(struct probe *probe, struct delivery *delivery, struct failure *why);

/* Opens a conversation up to EHLO, with STARTTLS by the delivery's terms; NULL with the reason on
 * failure. */
struct smtp *delivery_open(struct probe *probe, const struct delivery *delivery,
	struct target *target, struct peer_facts *peer, struct failure *why);

/* The best exchanger that talks to us, as a foreign server goes down the list; *began_r is when
 * it was tried. Those that do not are noted. NULL if none does; why is then the first one's. */
struct smtp *delivery_open_first(struct probe *probe, struct delivery *delivery,
	struct target **target_r, int64_t *began_r, struct peer_facts *peer, struct failure *why);

/* A line of the table of hosts; with a reason, one that takes no mail, or that puts it off if it
 * had greeted us. */
void delivery_note_host(struct delivery *delivery, const struct target *target,
	const struct peer_facts *peer, int64_t began, bool greeted, const struct failure *why);

/* Forgets the table, before the mail is offered again. */
void delivery_clear_hosts(struct delivery *delivery);

/* Into a record: why the certificate would not be trusted, if so. */
void delivery_note_untrusted(json_t *record, const struct peer_facts *peer);

#endif
