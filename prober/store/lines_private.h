/* lines_private - what the files of lines share. */
#ifndef MAILPROBE_LINES_PRIVATE_H
#define MAILPROBE_LINES_PRIVATE_H

#include <stddef.h>

#include "lines.h"

#define SUM_KEY ",\"line_crc32\":\""
#define SUM_DIGITS 8
#define SUM_LENGTH (sizeof(SUM_KEY) - 1 + SUM_DIGITS + sizeof("\"}") - 1)

/* All of it, over interruptions; -1 with errno. */
int lines_write_all(int fd, const char *bytes, size_t length);

/* Opens a file and takes the lock of those who change it. One that was rewritten while we waited
 * (lines_sift) has another file in its place by then: that one is opened. A
 * descriptor, or -1. */
int lines_open_locked(
	int folder, const char *name, int flags, const char *path, struct failure *why);

/* The same as lines_read, of an open file, which it closes. */
int lines_read_open(int fd, const char *path, void (*each)(void *context, const struct line *line),
	void *context, struct failure *why);

#endif
