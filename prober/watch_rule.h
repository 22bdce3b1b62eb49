/* watch_rule - where a rule stands after one more run, and the event that follows from it.
 *
 * A rule is a limit, or several limits combined. It goes up at once, and down only after `keep`
 * good results in a row, no further than they all allow. While it flaps (flapping.h), its event stays
 * open as one, whatever the level; only a graver level is still told.
 */
#ifndef MAILPROBE_WATCH_RULE_H
#define MAILPROBE_WATCH_RULE_H

#include <jansson.h>

#include "failure.h"
#include "judge.h"
#include "watch_event.h"

/* What a rule says after a run that counts. All is lent. */
struct rule_look {
	const char *name;
	enum level crossed; /* the highest level whose condition holds */
	enum level (*held)(const void *context, enum level current); /* as judgement_held */
	int keep; /* so many good results in a row close it; 0: as many as is usual */
	const char *severity[LEVEL_COUNT];
	json_t *(*summarise)(const void *context, enum level level); /* a new string */
	const void *context;
	const json_t *values, *config, *evidence;
	const json_t *because;   /* the events that prove it, of a rule that combines limits; or NULL */
	const char *runbook_url; /* or NULL */
};

/* The level that a rule has reached, by its memory. */
enum level rule_level(const json_t *memory);

/* Takes the rule one run further, and tells its event if there is one to tell: an edge, open or
 * resolved, a change of severity, or that it flaps or does so no more. The level that it has then is put into *level_r. A run that
 * the memory has judged already changes nothing. */
int rule_apply(const struct watcher *watcher, const struct rule_look *look, const json_t *memory,
	enum level *level_r, struct failure *why);

/* Resolves the event of a rule that is no more. */
int rule_close(
	const struct watcher *watcher, const char *rule, const char *reason, struct failure *why);

#endif
