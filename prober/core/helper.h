/* helper - runs a program that prints a secret: no shell, no terminal, five seconds at most. */
#ifndef MAILPROBE_HELPER_H
#define MAILPROBE_HELPER_H

#include <stddef.h>
#include <sys/types.h>

#include <jansson.h>

#include "failure.h"

/* Runs the words (program, then arguments; a program with a slash is looked for from base_dir)
 * in a process group of its own, with /dev/null as standard input and error, and gives what it
 * printed: the length, or -1 with config.secret. Nothing of the group is left behind. What it
 * printed never gets into the failure's sentence. */
ssize_t helper_output(
	const json_t *words, const char *base_dir, char *output, size_t size, struct failure *why);

#endif
