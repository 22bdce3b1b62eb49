/* sample - the metrics of one run: what is read off a result record, and how a row holds it. */
#ifndef MAILPROBE_SAMPLE_H
#define MAILPROBE_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "field.h"
#include "history.h"

#define METRIC_NAME_SIZE 200
/* More than any honest scenario has; a worker that was taken over cannot flood the store. */
#define SAMPLES_MAX 2048

/* Called with each metric of a record. */
typedef int sample_each(void *context, const char *metric, double value, bool censored);

/* Reads all metrics off a result record (see history.h for which). `facts` gives a step type's
 * table, or is NULL. Stops at the first call that returns -1, and returns that. */
int sample_record(const json_t *record, const struct field *(*facts)(const char *step_type),
	sample_each *each, void *context);

/* --- as bytes: 16 a sample, little-endian: metric, flags, IEEE 754 double --- */

#define SAMPLE_BYTES 16

void sample_pack(struct history_value value, unsigned char bytes[static SAMPLE_BYTES]);
struct history_value sample_unpack(const unsigned char bytes[static SAMPLE_BYTES]);

#endif
