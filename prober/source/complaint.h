/* complaint - what is wrong with a scenario file, and where, ready to be printed. */
#ifndef MAILPROBE_COMPLAINT_H
#define MAILPROBE_COMPLAINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <jansson.h>

struct complaint {
	const char *file;       /* the one that holds the text, which may be an included one */
	int line, column; /* from 1, in characters; 0: about the file as a whole */
	int width;        /* of the marked text, in terminal cells */
	int indent;       /* of the marked text in source_line, in terminal cells */
	const char *source_line; /* printable, cut to fit, secrets masked; NULL if there is none */
	const char *pointer;     /* RFC 6901; "" for the whole file */
	const char *code;        /* stable, such as "unknown-key" */
	const char *message;
	const char *hint; /* or NULL */
	bool is_warning;
};

/* A file with more than that is not worth reading on. */
#define COMPLAINTS_MAX 100

struct complaints {
	struct complaint *items;
	size_t count;
	size_t errors; /* without the warnings; those that are not in the list included */
};

/* A copy of `complaint` is added, unless the list holds the very same. Past COMPLAINTS_MAX, errors
 * are only counted. */
void complaints_add(struct complaints *complaints, const struct complaint *complaint);

/* About a whole file. */
void complaints_add_file(struct complaints *complaints, const char *file, const char *code,
	const char *message, const char *hint);

/* Moves all of `from` behind `to`, in the order of file (that of `first` before all others),
 * line and column. */
void complaints_move(struct complaints *to, struct complaints *from, const char *first);

/* Each as title, file:line:column, the line, a caret, a hint. */
void complaints_print(const struct complaints *complaints, FILE *to, bool colour);

/* Array of {file,line,column,pointer,code,message,hint,severity}; a new reference. */
json_t *complaints_json(const struct complaints *complaints);

void complaints_free(struct complaints *complaints);

#endif
