/* review - a month of events, rule by rule: how often each fired, what people did about it, and what
 * was over before anybody could: noise. */
#ifndef MAILPROBE_REVIEW_H
#define MAILPROBE_REVIEW_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "failure.h"

struct review_order {
	const char *results_dir;
	const char *month;      /* "2026-11" */
	int64_t from_ns, to_ns; /* of that month, UTC */
	int64_t noise_ns;       /* what was over sooner, and nobody answered, is noise */
};

/* "2026-11": fills in the month and its bounds; -1 if it is none. */
int review_month(const char *text, struct review_order *order);

/* The month that it is, in the same way; `text` is room for its name. */
void review_this_month(int64_t now_ns, char text[static 8], struct review_order *order);

/* Events that opened in that month: `month from to noise_seconds`, `rules`, the worst noise first, and
 * their `total`. Each of these has `fired acknowledged noted acted_on noise open`, and a rule
 * `dedup_key`, `severity` (the gravest) and `median_seconds` (of those that are over). A new object, or NULL with
 * local.storage. *unreadable_r: lines that are damaged. */
json_t *review(const struct review_order *order, size_t *unreadable_r, struct failure *why);

#endif
