/* lines - the public record: JSON Lines, <results>/<customer>/<scenario>/YYYY-MM-DD.jsonl.
 *
 * Each line ends in the key "line_crc32", so that a flipped bit is found wherever the file went:
 * CRC-32 (as zlib and gzip have it), eight hexadecimal digits, of the line's bytes up to the
 * comma before that key.
 */
#ifndef MAILPROBE_LINES_H
#define MAILPROBE_LINES_H

#include <stddef.h>

#include <jansson.h>

#include "failure.h"

/* Appends the result record of a run to the file of its UTC day: one write(2), fsync, and an
 * fsync of each directory that was made. If the file ends in a torn line (a crash), the torn
 * part is moved to <file>.torn first. Fails with local.storage. */
int lines_append_result(const char *results_dir, const json_t *record, struct failure *why);

/* The same for <results>/events.jsonl. */
int lines_append_event(const char *results_dir, const json_t *event, struct failure *why);

/* Rewrites <results>/<customer>/<scenario>/trend.json: temporary file, fsync, rename. */
int lines_replace_trend(const char *results_dir, const json_t *trend, struct failure *why);

/* A record as the one line that is stored, line end included; the caller frees it. NULL if it is
 * no object or memory is out. */
char *lines_format(const json_t *record, size_t *length_r);

enum line_verdict {
	LINE_GOOD,
	LINE_DAMAGED, /* a bit was flipped, or it is no line of ours */
	LINE_TORN,    /* the last one, without its end: a crash */
};

struct line {
	enum line_verdict verdict;
	size_t number;     /* in the file, from 1 */
	const char *bytes; /* as they lie there, with the line end if it has one */
	size_t length;
	const json_t *record; /* NULL unless good */
};

/* A file, line by line, oldest first; memory does not grow with it. NULL, or -1 of lines_next, with
 * local.storage. */
struct lines;
struct lines *lines_open(const char *path, struct failure *why);
/* The next line: 1; 0 at the end. It lives until the next call. */
int lines_next(struct lines *lines, struct line *line_r, struct failure *why);
void lines_close(struct lines **lines);

/* Calls back for each line of a file. */
int lines_read(const char *path, void (*each)(void *context, const struct line *line),
	void *context, struct failure *why);

/* What becomes of a line that is sifted. */
enum line_fate {
	LINE_STAYS,
	LINE_GOES,
	LINE_ASIDE, /* appended to <file>.damaged, or <file>.torn if it has no end */
};

/* Rewrites a file without the lines that `judge` lets go: under the lock that appenders take, to a
 * temporary file that is synced and renamed, after what goes aside is on disk. A file of which
 * nothing goes is not touched; one of which nothing stays is removed. At a crash the file is as it
 * was before or as it is afterwards. `folder` is open at folder_path. */
int lines_sift(int folder, const char *folder_path, const char *name,
	enum line_fate (*judge)(void *context, const struct line *line), void *context,
	struct failure *why);

#endif
