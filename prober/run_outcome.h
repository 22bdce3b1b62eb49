/* run_outcome - what a run comes to: the outcome of its gravest step. */
#ifndef MAILPROBE_RUN_OUTCOME_H
#define MAILPROBE_RUN_OUTCOME_H

#include <jansson.h>

/* Sets `outcome`, and for all but pass `error_type`, `error` and `blame` of the step that decided
 * it. What was proved against the platform comes before what could not be judged; a skipped step
 * decides only if there is nothing else. Where all passed only because some of it was tried again
 * (`attempts`), that is a warn, with the reasons of the first attempt. */
void run_outcome(json_t *record, const json_t *steps, const json_t *attempts);

#endif
