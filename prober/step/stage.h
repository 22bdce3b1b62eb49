/* stage - all steps of a run: set up before the jail, played inside it.
 *
 * Steps that hang together (an await and the step that sends its mail) are a chain; chains run
 * side by side, a thread each. In a chain every `prepare` comes before the first `run`.
 */
#ifndef MAILPROBE_STAGE_H
#define MAILPROBE_STAGE_H

#include <jansson.h>

#include "probe.h"
#include "folder_grant.h"

struct stage;

/* Makes ready what the workers of a journey can share, before they are forked: TLS contexts (the
 * system's certificates cost tens of milliseconds to read), and the libraries of its step types.
 * What does not work is left for stage_set to report. */
void stage_preload(const struct journey *journey);

/* Reads what must be read before the process is confined: passwords, certificate stores,
 * resolver settings. What cannot be read fails only the steps that need it. `only` are step ids,
 * NULL at the end, or NULL for all. Never NULL. `run` must outlive the stage. */
struct stage *stage_set(const struct probe_run *run, const char *const *only);

/* Plays all chains to their end, at the latest by the run's deadline. The records come in the
 * scenario's order, as new references: steps by record_step, mails by record_mail. */
void stage_play(struct stage *stage, json_t **steps_r, json_t **mails_r);

/* How well this machine let us measure (record_vantage); a new reference. */
json_t *stage_vantage(struct stage *stage);

/* What its steps have opened to be read from inside the jail; whoever confines the process says there
 * if that is denied. The stage's own. */
struct folder_grant *stage_folder_grant(struct stage *stage);

void stage_strike(struct stage **stage);

#endif
