/* assembly - a file together with all that it extends, merged, its variables put in.
 *
 *	extends: ../_common.yaml        or a list: later ones win over earlier ones, and the file
 *	                                itself over all. Maps are merged deeply, lists replace.
 *	vars: {domain: acme.test}       "${domain}" and "${domain:-else}" in any other string.
 *
 * A string that is nothing but one "${...}" becomes the variable's value as it is, number or
 * truth value included; within a longer string its text is put in. "$${" stands for "${".
 */
#ifndef MAILPROBE_ASSEMBLY_H
#define MAILPROBE_ASSEMBLY_H

#include "source.h"

#define ASSEMBLY_FILES_MAX 16

struct assembly {
	/* The file itself, then what it extends: what comes first wins. A pointer of the tree
	 * leads to the first source that has it. */
	struct source *sources[ASSEMBLY_FILES_MAX];
	size_t source_count;
	json_t *tree; /* without "extends" */
	json_t *broken; /* pointers of values about which all has been said */
	struct complaints *complaints;
};

/* Reads and merges. NULL if one of the files cannot be read. `complaints` must be empty. */
struct assembly *assembly_read(const char *file, struct complaints *complaints);

/* Puts the variables in. Complains about undefined ones and about those never used. */
void assembly_substitute(struct assembly *assembly);

/* The file that holds what the pointer leads to, or else its nearest parent. */
const struct source *assembly_source(const struct assembly *assembly, const char *pointer);

/* True if one of the files has it: a default has not. */
bool assembly_has(const struct assembly *assembly, const char *pointer);

/* A complaint about the key or value of that pointer, in the file that holds it. The pointer of
 * `complaint` need not be set. Nothing more is said of a value of which a variable is missing. */
void assembly_complain(const struct assembly *assembly, const char *pointer,
	enum field_spot spot, const struct complaint *complaint);

void assembly_free(struct assembly **assembly);

#endif
