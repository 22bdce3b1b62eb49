/* incident - an event with all its revisions, as a person asks for it.
 *
 * events.jsonl has every revision; what is open now, state.db knows: the one that a rule remembers.
 */
#ifndef MAILPROBE_INCIDENT_H
#define MAILPROBE_INCIDENT_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "failure.h"
#include "state.h"

/* Whose events: of all, of one customer, or of one scenario. */
struct incident_choice {
	const char *customer, *scenario; /* NULL: all */
};

/* The newest revision of each event that is open, by customer, scenario and rule: a new array, or NULL
 * with local.storage. */
json_t *incidents_open(
	struct state *state, const struct incident_choice *choice, struct failure *why);

/* The newest revision of each event that there has ever been, in the order in which they opened: a new
 * array, or NULL with local.storage. *unreadable_r: lines that are damaged. */
json_t *incidents_all(const char *results_dir, const struct incident_choice *choice,
	size_t *unreadable_r, struct failure *why);

/* Calls back for each line of events.jsonl that can be read; there may be none. */
int incidents_read(const char *results_dir, void (*each)(void *context, const json_t *event),
	void *context, size_t *unreadable_r, struct failure *why);

#define INCIDENT_ID_SIZE 64

struct incident {
	json_t *revisions; /* all that were written, oldest first */
	json_t *open;      /* the newest one, if it is open, by the database or else by the lines */
	char rule[128];    /* of `open`, as rules.h has it */
};

/* Finds the event that `name` means: its id, so much of its beginning that it is the only one, or its
 * dedup_key, which means the newest. 0; 1 if there is none or there are several: then `sentence`
 * says so; -1 with local.storage. incident_free in any case. */
int incident_find(const char *results_dir, struct state *state, const char *name,
	struct incident *incident_r, char sentence[static 256], struct failure *why);
void incident_free(struct incident *incident);

/* Its newest revision, whoever knows it; lent. */
const json_t *incident_newest(const struct incident *incident);

#endif
