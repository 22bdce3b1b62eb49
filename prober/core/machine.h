/* machine - whether the machine that we run on let us measure: its clocks, its sleep, its
 * processor.
 *
 * Somebody looks often (machine_look), at moments that were announced (machine_expect). Who looks
 * late did not get the processor; if the boot clock ran on without the monotonic one, the machine
 * was suspended; if the wall clock ran otherwise than the monotonic one, it was set. What is found
 * is a lapse: a time in which nothing that was measured is to be trusted. Figures are what is
 * certain, so at least that much was lost. Any thread may look.
 */
#ifndef MAILPROBE_MACHINE_H
#define MAILPROBE_MACHINE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "clock.h"
#include "error_type.h"

/* Moments between two looks, and a look that came so much late is a lapse. */
#define MACHINE_PERIOD (100 * NS_PER_MS)
#define MACHINE_STARVED (250 * NS_PER_MS)
/* The boot clock may be off by its resolution. */
#define MACHINE_SUSPENDED (100 * NS_PER_MS)
/* What adjusting a clock gradually does to it within a run is less. */
#define MACHINE_JUMPED NS_PER_SECOND

/* No machine was right that says it is earlier than this source: 2026-01-01, in wall-clock
 * nanoseconds. */
#define MACHINE_EPOCH (INT64_C(1767225600) * NS_PER_SECOND)

#define MACHINE_LAPSES_MAX 64

struct machine_lapse {
	enum error_type type; /* local.starved or local.suspended */
	int64_t from_ns, until_ns; /* on the monotonic clock */
	int64_t lost_ns;
};

struct machine {
	pthread_mutex_t lock;
	struct clock_origin origin;
	int64_t boot_ns; /* what the boot clock is ahead of the monotonic one */
	struct clock_discipline discipline;
	int64_t expected_ns; /* the next look; 0: nobody has announced one */
	int64_t looked_ns;
	int64_t delay_max_ns;
	int64_t suspended_ns;
	int64_t jump_ns; /* the largest so far, either way */
	struct machine_lapse lapses[MACHINE_LAPSES_MAX];
	size_t lapse_count;
};

/* From here on; the origin is the run's. Not for the jail. */
void machine_begin(struct machine *machine, struct clock_origin origin);

/* Looks, and announces the next look, which nobody else will be late for. Returns it. */
struct deadline machine_expect(struct machine *machine);

/* Nobody looks regularly any more. */
void machine_rest(struct machine *machine);

/* Looks: what is amiss up to now is noted. */
void machine_look(struct machine *machine);

/* Nanoseconds lost between two monotonic instants by lapses of that type. */
int64_t machine_lost(
	struct machine *machine, enum error_type type, int64_t from_ns, int64_t until_ns);

/* Why this machine's wall clock cannot tell whether a certificate is valid, in a few words; NULL
 * if it can. A trusted clock is one that somebody keeps true without the kernel's knowing. */
const char *machine_clock_doubt(struct machine *machine, bool trusted);

/* True if it is certainly wrong, whatever else vouches for it. */
bool machine_clock_is_wrong(struct machine *machine);

/* The object vantage_state of a record; a new reference. */
json_t *machine_json(struct machine *machine);

#endif
