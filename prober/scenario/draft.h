/* draft - a scenario while it is being checked. Used by scenario.c and this folder alone. */
#ifndef MAILPROBE_DRAFT_H
#define MAILPROBE_DRAFT_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "assembly.h"
#include "field.h"
#include "journey.h"
#include "step.h"

/* A setting that names something else: an account, or the step that sends a mail. */
struct reference {
	const struct field *field;
	const char *name;
	char *pointer;
	size_t step; /* who refers */
};

struct draft_step {
	struct step step; /* type NULL: there is none of that name */
	char *pointer;    /* of its settings: "/steps/0/smtp_send" */
};

struct draft {
	struct assembly *assembly;
	json_t *tree; /* the assembly's */
	struct draft_step *steps; /* those that can be understood */
	size_t step_count;
	struct reference *references;
	size_t reference_count;
};

/* Where a remark belongs and what it is, but for its message. */
struct remark {
	const char *pointer;
	enum field_spot spot;
	const char *code;
	const char *hint; /* or NULL */
	bool is_warning;
};

void draft_complain(const struct draft *draft, const struct remark *remark,
	const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Checks what the tables say of the whole file, and puts in what was left out. */
void draft_check_fields(struct draft *draft);

/* Checks each step by its type's table, puts in what was left out, and fills steps and
 * references. */
void draft_check_steps(struct draft *draft);

/* Checks what no table can know: references, needs, times. */
void draft_check_sense(struct draft *draft);

/* Checks metric and conditions of each limit; puts in the built-in ones if there are none. */
void draft_check_limits(struct draft *draft);

/* Checks each sink by its type's table, and puts in what was left out. */
void draft_check_sinks(struct draft *draft);

/* Checks what no table can know of calendars and maintenance. */
void draft_check_plan(const struct draft *draft);
/* Checks that rules name what there is. */
void draft_check_rules(const struct draft *draft);
bool draft_has_calendar(const struct draft *draft, const char *name);
void draft_calendar_hint(
	const struct draft *draft, const char *wrong, char hint[static FIELD_MESSAGE_SIZE]);

/* Warns of a secret that stands in the file itself: all who see the file see it. `owner` is the
 * pointer of the object that has it. */
void draft_warn_inline(const struct draft *draft, const char *owner, const json_t *settings,
	const char *key, const char *what);

/* A field_complain that hands on what a table has found; the context is the draft. */
void draft_complain_field(void *context, const struct field_complaint *complaint);

/* The object of the account, or NULL if there is none or it is no map. */
json_t *draft_account(const struct draft *draft, const char *name);

/* Nanoseconds of a duration in the object; 0 if it is not there or wrong. */
int64_t draft_duration(const json_t *object, const char *key);

void draft_free(struct draft *draft);

#endif
