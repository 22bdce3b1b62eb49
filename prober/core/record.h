/* record - the field tables of what is written: results, events, trends.
 *
 * Keys are only ever added. A step type adds what it found out with a table of its own
 * (struct step_type, `facts`). Times in seconds are decimal; every start_seconds counts from
 * the start of the run.
 */
#ifndef MAILPROBE_RECORD_H
#define MAILPROBE_RECORD_H

#include "field.h"

#define RESULT_SCHEMA "mailprobe.result/1"
#define EVENT_SCHEMA "mailprobe.event/1"
#define TREND_SCHEMA "mailprobe.trend/1"

extern const struct field record_run[];
extern const struct field record_step[];
extern const struct field record_mail[];
extern const struct field record_hop[];
extern const struct field record_vantage[];
extern const struct field record_event[];
extern const struct field record_trend[];

/* States of a probe mail; what sends may leave, then what settles it. */
extern const char *const mail_states[];
/* Of them, what a run counts, and "duplicates": metrics of the whole scenario. */
extern const char *const mail_counts[];
/* A metric of each step whose server showed certificates, which its `tls_expires_at` is for. */
#define METRIC_TLS_DAYS_LEFT "tls_days_left"
/* No value of any run: for how long none could be judged. */
#define METRIC_AGE "age"
extern const char *const event_states[];
extern const char *const severities[];

#endif
