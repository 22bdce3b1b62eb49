/* rollup_private - how a roll-up is put together, by its runs or from its bytes. */
#ifndef MAILPROBE_ROLLUP_PRIVATE_H
#define MAILPROBE_ROLLUP_PRIVATE_H

#include "rollup.h"

/* The metric of that id, made if it is not there; NULL if memory is out. */
struct rollup_metric *rollup_metric(struct rollup *rollup, uint32_t metric);

/* Of no run any more, with room for the next ones: its metrics stay, without values. */
void rollup_empty(struct rollup *rollup);

/* Whether it takes in that metric. */
bool rollup_wants(const struct rollup *rollup, uint32_t metric);

/* Counts n of a metric's values as censored, the least of which has that bound. */
void rollup_censor(struct rollup_metric *metric, uint64_t n, double least_bound);

void rollup_count_type(struct rollup *rollup, const char *type, uint64_t n);

#endif
