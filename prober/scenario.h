/* scenario - a user journey as its author wrote it: loaded, checked, every complaint at once.
 *
 * YAML (.yaml, .yml) or strict JSON (.json). Nothing is sent before a whole file is found
 * right.
 */
#ifndef MAILPROBE_SCENARIO_H
#define MAILPROBE_SCENARIO_H

#include <stdio.h>

#include <jansson.h>

#include "field.h"
#include "journey.h"
#include "limit.h"

struct scenario {
	struct journey journey;
	const char *file;
	const struct limit *limits;
	size_t limit_count;
};

/* One complaint, ready to be printed. */
struct complaint {
	char *file;
	int line, column; /* from 1 */
	int width;        /* of the marked text */
	char *source_line;
	char *pointer;
	char *code;
	char *message;
	char *hint; /* or NULL */
	bool is_warning;
};

struct complaints {
	struct complaint *items;
	size_t count;
	size_t errors; /* without the warnings */
};

/* Loads and checks one file. NULL if there is an error; what is wrong is added to complaints
 * either way (a scenario may come with warnings). */
struct scenario *scenario_load(const char *file, struct complaints *complaints);
void scenario_free(struct scenario **scenario);

/* Each as title, file:line:column, the line, a caret, a hint. */
void complaints_print(const struct complaints *complaints, FILE *to, bool colour);
/* Array of {file,line,column,pointer,code,message,hint}; a new reference. */
json_t *complaints_json(const struct complaints *complaints);
void complaints_free(struct complaints *complaints);

/* Field tables of the file, of an account, of a limit (for docs and schema). */
extern const struct field scenario_fields[];
extern const struct field account_fields[];
extern const struct field limit_fields[];

/* JSON Schema of a scenario file, draft-07; a new reference. */
json_t *scenario_schema(void);

#endif
