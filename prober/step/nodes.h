/* nodes - every address behind a server's name, and not only the one that answers first: each
 * gets a verdict of its own, so that one broken node of a pool is told from a broken pool. */
#ifndef MAILPROBE_NODES_H
#define MAILPROBE_NODES_H

#include "field.h"
#include "probe.h"

#define NODES_MAX 16

extern const char *const nodes_choices[];
extern const struct field nodes_facts[];

#define NODES_FIELD                                                                                \
	{                                                                                          \
		"hosts", &field_choice, 0,                                                         \
			"each: every address behind the server's name is tried; first: one that "  \
			"answers",                                                                 \
			"\"first\"", .choices = nodes_choices                                      \
	}
/* Facts that nodes_report sets. */
#define NODES_FACTS                                                                                \
	{"hosts", &field_list, 0, "each address that was tried", .item = &field_object,            \
		.fields = nodes_facts},                                                            \
	{                                                                                          \
		"hosts_down", &field_integer, FIELD_METRIC | FIELD_COUNT, "those that did not work"              \
	}

struct nodes {
	struct address list[NODES_MAX];
	bool tried[NODES_MAX];
	size_t count;
	unsigned int down;
	struct failure first_down;
	json_t *hosts;
};

/* Does at one address what the step is for. */
typedef int node_visit(struct probe *probe, const struct address *address,
	struct peer_facts *peer_r, struct failure *why);

bool nodes_wanted(const struct step *step);

/* Finds them: phase `resolve`. */
int nodes_find(struct probe *probe, const struct endpoint *endpoint, struct nodes *nodes,
	struct failure *why);

/* One after the other, until one works; its peer is the step's. What is tried in vain before that is
 * the phase `failover`. After refused credentials no
 * other is tried: that would lock the account. */
int nodes_first(struct probe *probe, struct nodes *nodes, node_visit *visit, struct failure *why);

/* All that were not tried, in the one phase `others`. */
void nodes_others(struct probe *probe, struct nodes *nodes, node_visit *visit);

/* Sets the facts, and warns if some are down. Frees what was gathered. */
void nodes_report(struct probe *probe, struct nodes *nodes);

#endif
