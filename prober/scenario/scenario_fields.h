/* scenario_fields - the tables of a scenario file, and the JSON Schema made of them. */
#ifndef MAILPROBE_SCENARIO_FIELDS_H
#define MAILPROBE_SCENARIO_FIELDS_H

#include <jansson.h>

#include "field.h"
#include "step.h"

extern const struct field scenario_fields[];
extern const struct field account_fields[];
extern const struct field limit_fields[];
extern const struct field tls_fields[];

/* An item of "steps": a map of one step type to its settings. */
extern const struct field_kind field_step;

/* Choices of "starttls", in the order of enum starttls_policy, and of "ip". */
extern const char *const starttls_choices[];
extern const char *const ip_choices[];

/* The settings of a step of that type, as an object's schema; a new reference. */
json_t *step_schema(const struct step_type *type);

/* JSON Schema of a scenario file, draft-07; a new reference. */
json_t *scenario_schema(void);

#endif
