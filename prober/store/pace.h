/* pace - how old the newest run of a scenario may be, by how often it has been made. */
#ifndef MAILPROBE_PACE_H
#define MAILPROBE_PACE_H

#include <stddef.h>
#include <stdint.h>

#include "clock.h"
#include "history.h"

#define PACE_RUNS 21                                 /* that tell what is usual */
#define PACE_UNKNOWN (INT64_C(900) * NS_PER_SECOND) /* with fewer than 3 of them */

/* Three times the usual interval between runs (oldest first), in nanoseconds. */
int64_t pace_allowed(const struct run_mark *runs, size_t count);

#endif
