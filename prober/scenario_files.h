/* scenario_files - the scenario files that a command line means. */
#ifndef MAILPROBE_SCENARIO_FILES_H
#define MAILPROBE_SCENARIO_FILES_H

#include <stddef.h>

#include <jansson.h>

#include "complaint.h"

#define SCENARIO_FILES_DEFAULT "scenarios"

struct scenario;

/* Each path is a file, or a directory that is walked for *.yaml, *.yml and *.json, without
 * schema.json and whatever begins with "_" (shared parts) or "."; "acme/mail" also means
 * scenarios/acme/mail.yaml. No path at all means scenarios/. A new array of file names, sorted,
 * each once; what cannot be read, and that nothing was found, is added to complaints. */
json_t *scenario_files(char *const paths[], size_t count, struct complaints *complaints);

/* All that was found right, in the order of the files' names. */
struct scenario_set {
	struct scenario **scenarios;
	size_t count;
	size_t refused; /* files that are not */
};

/* Loads what the paths mean. Two scenarios of one customer must not have the same name: their
 * histories would be mixed. */
struct scenario_set scenario_set_load(
	char *const paths[], size_t count, struct complaints *complaints);
void scenario_set_free(struct scenario_set *set);

#endif
