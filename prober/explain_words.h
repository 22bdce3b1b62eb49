/* explain_words - a limit as one says it. */
#ifndef MAILPROBE_EXPLAIN_WORDS_H
#define MAILPROBE_EXPLAIN_WORDS_H

#include <jansson.h>

#include "limit.h"

/* "warns when the p95 of in.delivery_seconds over 24h is > 30 s, is critical when it is > 60 s; closes
 * after 3 results in a row that are < 27 s": a new string. */
json_t *explain_limit(const struct limit *limit);

/* "p95 over 24h < 27 s", which makes a result a good one: a new string. */
json_t *explain_clearing(const struct limit *limit);

/* So many good results in a row close it. */
int explain_keep(const struct limit *limit);

#endif
