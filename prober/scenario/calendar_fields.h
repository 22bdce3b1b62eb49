/* calendar_fields - the tables of calendars and maintenance. */
#ifndef MAILPROBE_CALENDAR_FIELDS_H
#define MAILPROBE_CALENDAR_FIELDS_H

#include "field.h"

extern const struct field calendar_fields[];
extern const struct field maintenance_fields[];

#endif
