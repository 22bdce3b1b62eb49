/* default_limits - what raises an event in a scenario that has no `limits` of its own. */
#ifndef MAILPROBE_DEFAULT_LIMITS_H
#define MAILPROBE_DEFAULT_LIMITS_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "journey.h"

/* The limits of a scenario with these steps, as an author would write them: a new list. Steps without a
 * type are passed over. `every_ns`: how often it is run; 0: it does not say. */
json_t *default_limits(const struct step *steps, size_t count, int64_t every_ns);

#endif
