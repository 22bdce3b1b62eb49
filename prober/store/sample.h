/* sample - the metrics of one run: what is read off a result record, and how a row holds it. */
#ifndef MAILPROBE_SAMPLE_H
#define MAILPROBE_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "field.h"
#include "history.h"

/* Of a mail, after the id of the step that sent it. */
#define METRIC_DELIVERY "delivery_seconds"
#define METRIC_NAME_SIZE 200
/* More than any honest scenario has; a worker that was taken over cannot flood the store. */
#define SAMPLES_MAX 2048

struct sample_value {
	double value;
	bool censored;
	unsigned int attempt; /* of a mail: the one that sent it; 0: the last */
};

/* Called with each metric of a record. */
typedef int sample_each(void *context, const char *metric, struct sample_value value);

/* Reads all metrics off a result record (see history.h for which). `facts` gives a step type's
 * table, or is NULL. Stops at the first call that returns -1, and returns that. */
int sample_record(const json_t *record, const struct field *(*facts)(const char *step_type),
	sample_each *each, void *context);

/* The attempt that sent a mail, as a row has it; 0: the last. */
unsigned int sample_attempt(const json_t *mail);

/* --- as bytes: 16 a sample, little-endian: metric, flags and attempt, IEEE 754 double --- */

#define SAMPLE_BYTES 16

void sample_pack(struct history_value value, unsigned char bytes[static SAMPLE_BYTES]);
struct history_value sample_unpack(const unsigned char bytes[static SAMPLE_BYTES]);

#endif
