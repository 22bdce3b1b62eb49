/* reach - steps that doctor plays: whether secrets can be read and servers be reached from here.
 *
 * They are in no registry: no scenario can name them, and they leave no record in the results.
 */
#ifndef MAILPROBE_REACH_H
#define MAILPROBE_REACH_H

#include "step.h"

/* The account's secret can be used as it is stored. Opens no connection. */
extern const struct step_type reach_secret;
/* The account's submission server greets and, with `login`, takes its login. Sends nothing. */
extern const struct step_type reach_submission;
/* The account's POP3 server greets. */
extern const struct step_type reach_pop3;
/* `host` answers at `port`; with `tls`, its certificate is trusted. */
extern const struct step_type reach_imap;
extern const struct step_type reach_https;
/* The exchangers of `domain` greet at `port`. */
extern const struct step_type reach_exchangers;

#endif
