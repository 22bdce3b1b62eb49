/* scenario_files - the scenario files that a command line means. */
#ifndef MAILPROBE_SCENARIO_FILES_H
#define MAILPROBE_SCENARIO_FILES_H

#include <jansson.h>

#include "complaint.h"

#define SCENARIO_FILES_DEFAULT "scenarios"

/* Each path is a file, or a directory that is walked for *.yaml, *.yml and *.json, without
 * schema.json and whatever begins with "_" (shared parts) or "."; "acme/mail" also means
 * scenarios/acme/mail.yaml. No path at all means scenarios/. A new array of file names, sorted,
 * each once; what cannot be read, and that nothing was found, is added to complaints. */
json_t *scenario_files(char *const paths[], size_t count, struct complaints *complaints);

#endif
