/* combined_fields - the tables of rules, which combine limits. */
#ifndef MAILPROBE_COMBINED_FIELDS_H
#define MAILPROBE_COMBINED_FIELDS_H

#include "field.h"

extern const struct field combined_fields[];
extern const struct field member_fields[]; /* of a member that is an object */
extern const char *const combined_levels[];

#endif
