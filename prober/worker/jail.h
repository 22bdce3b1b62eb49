/* jail - takes from this process, for good, whatever talking to servers does not need.
 *
 * What is left: memory, threads, clocks, TCP and UDP to anywhere, the descriptors that are open.
 * What is gone: files, programs, other processes, listening, more rights. docs/security.md has
 * the list, and what `partial` means.
 */
#ifndef MAILPROBE_JAIL_H
#define MAILPROBE_JAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <jansson.h>

#include "folder_grant.h"

enum jail_part {
	JAIL_LANDLOCK = 1,
	JAIL_SECCOMP = 2,
};

struct jail_limits {
	size_t address_space; /* bytes */
	size_t data;          /* bytes of writable memory of its own */
	size_t descriptors;
	size_t cpu_seconds;
	const struct folder_grant *grant; /* what is given back; NULL: nothing */
	unsigned int without; /* jail_parts to leave out, as on a kernel without: for tests */
};

#define JAIL_MISSING_MAX 16

struct jail_report {
	const char *missing[JAIL_MISSING_MAX]; /* literals such as "landlock" */
	size_t count;
	bool granted; /* what was to be in reach is */
};

/* First, right after the fork: a process group of its own, death with the parent (ends the
 * process if that is gone already), default signals, nothing open but standard input, output
 * and error (at /dev/null) and `keep`, which becomes JAIL_FD. Files can still be read. */
void jail_prepare(int keep, pid_t parent);

#define JAIL_FD 3

/* Then, once all files are read: the walls. There must be one thread only. Goes on without what
 * this kernel lacks and reports it. A process of root becomes nobody's, or that of the owner of
 * what is in reach. Without Landlock nothing is in reach: a path may lead anywhere, and seccomp sees
 * none. */
void jail_enter(const struct jail_limits *limits, struct jail_report *report);

/* "full", "partial" or "none". */
const char *jail_state(const struct jail_report *report);

/* The names of what is missing; a new reference. */
json_t *jail_missing(const struct jail_report *report);

/* The walls one by one; false if this kernel has no such thing. */
bool jail_landlock(const struct folder_grant *grant);
bool jail_seccomp(const struct folder_grant *grant);

#endif
