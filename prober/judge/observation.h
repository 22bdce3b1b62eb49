/* observation - what a run has shown of one part of the platform: slow, or as usual. Between
 * attribute.c and observe.c alone. */
#ifndef MAILPROBE_OBSERVATION_H
#define MAILPROBE_OBSERVATION_H

#include <stdbool.h>
#include <stddef.h>

#include "baseline.h"

#define OBSERVATIONS_MAX 256
#define SUSPECTS_MAX 2

/* Who may be to blame. Two are the same if role and host are. */
struct suspect {
	const char *role; /* a literal */
	char host[128];
	char component[64];
	char where[192]; /* for people: which phase, or between which hops */
};

struct observation {
	struct suspect suspects[SUSPECTS_MAX]; /* the likelier one first */
	size_t suspect_count;                  /* 0 and slow: nobody can explain it */
	bool slow;
	bool certain; /* the measurement itself proves it, whatever foreign clocks show */
	char metric[160];
	const char *leg;     /* or NULL */
	double value, usual; /* seconds */
};

struct observations {
	struct observation items[OBSERVATIONS_MAX];
	size_t count;
};

void observe_record(const json_t *record, const struct baseline *baseline, struct observations *to);

#endif
