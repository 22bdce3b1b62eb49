/* find_run - one stored run by what a person calls it. */
#ifndef MAILPROBE_FIND_RUN_H
#define MAILPROBE_FIND_RUN_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "failure.h"
#include "lines.h"

struct found_run {
	json_t *record;      /* NULL: none */
	char *line;          /* as it is stored, line end included */
	size_t matches;      /* runs that the name fits */
	size_t files;        /* that were looked into */
	size_t damaged;      /* lines on the way that cannot be read */
};

/* Finds the run that `name` means: a run id or its beginning, "last" (the newest of all),
 * or CUSTOMER/SCENARIO (its newest). Looks only into files that it can be in: a
 * run id (UUIDv7) begins with its time. `damage` is told of each line on the way that is damaged
 * or torn. Fails with local.storage. */
int find_run(const char *results_dir, const char *name,
	void (*damage)(void *context, const char *path, const struct line *line), void *context,
	struct found_run *found_r, struct failure *why);
/* Whether that can be the name of a run. */
bool find_run_is_name(const char *name);

void found_run_free(struct found_run *found);

#endif
