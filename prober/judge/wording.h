/* wording - numbers and limits in sentences, the same in every locale. */
#ifndef MAILPROBE_WORDING_H
#define MAILPROBE_WORDING_H

#include <stdbool.h>
#include <stddef.h>

#include "judge.h"

/* "in.delivery_seconds p95 74.2 s", "... p95 at least 60 s" */
void wording_subject(struct judgement *judgement, const struct limit *limit, enum level level,
	double value, bool at_least);

/* "74.2 s", "5%", "3" */
void wording_value(double value, enum limit_unit unit, char *text, size_t size);

/* " > 60 s", " reaches 60 s within 14d", as the condition that speaks for the level has it; "" for a limit without one. */
void wording_condition(const struct limit *limit, enum level level, char *text, size_t size);

/* "24h", as the scenario has it. */
const char *wording_over(const struct limit *limit);

#endif
