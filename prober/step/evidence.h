/* evidence - which conversations are kept with a record. */
#ifndef MAILPROBE_EVIDENCE_H
#define MAILPROBE_EVIDENCE_H

#include <jansson.h>

#include "probe.h"

/* Adds the transcript to the record of a step that did not pass, or that passed slowly: over a
 * figure in probe_run's `slow`, which `slow` in the record then names. */
void evidence_keep(const struct probe *probe, json_t *record);

#endif
