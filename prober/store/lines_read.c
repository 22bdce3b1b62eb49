/* The reading half of lines.h. */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "checksum.h"
#include "folder.h"
#include "lines_private.h"

#include "ban.h"

/* `line` without its line end. */
static bool sum_is_right(const char *line, size_t length)
{
	char want[SUM_LENGTH + 1];
	size_t body;

	if (length <= SUM_LENGTH)
		return false;
	body = length - SUM_LENGTH;
	snprintf(want, sizeof(want), SUM_KEY "%08x\"}", (unsigned int)checksum_crc32(line, body));
	return memcmp(line + body, want, SUM_LENGTH) == 0;
}

static enum line_verdict judge(const char *line, size_t length, json_t **record_r)
{
	if (line[length - 1] != '\n')
		return LINE_TORN;
	if (!sum_is_right(line, length - 1))
		return LINE_DAMAGED;
	*record_r = json_loadb(line, length - 1, JSON_REJECT_DUPLICATES, NULL);
	return *record_r != NULL ? LINE_GOOD : LINE_DAMAGED;
}

struct lines {
	FILE *file;
	char *path; /* for sentences */
	char *bytes;
	size_t size, number;
	json_t *record;
};

static struct lines *open_descriptor(int fd, const char *path, struct failure *why)
{
	struct lines *lines = calloc(1, sizeof(*lines));

	if (lines == NULL || (lines->path = strdup(path)) == NULL) {
		failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory");
		close(fd);
		free(lines);
		return NULL;
	}
	lines->file = fdopen(fd, "re");
	if (lines->file == NULL) {
		storage_failure(why, "read", path);
		close(fd);
		lines_close(&lines);
	}
	return lines;
}

struct lines *lines_open(const char *path, struct failure *why)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0) {
		storage_failure(why, "open", path);
		return NULL;
	}
	return open_descriptor(fd, path, why);
}

int lines_next(struct lines *lines, struct line *line_r, struct failure *why)
{
	ssize_t length = getline(&lines->bytes, &lines->size, lines->file);

	json_decref(lines->record);
	lines->record = NULL;
	if (length <= 0)
		return ferror(lines->file) ? storage_failure(why, "read", lines->path) : 0;
	*line_r = (struct line){
		.number = ++lines->number, .bytes = lines->bytes, .length = (size_t)length};
	line_r->verdict = judge(lines->bytes, line_r->length, &lines->record);
	line_r->record = lines->record;
	return 1;
}

void lines_close(struct lines **lines)
{
	if (*lines == NULL)
		return;
	if ((*lines)->file != NULL)
		fclose((*lines)->file);
	json_decref((*lines)->record);
	free((*lines)->bytes);
	free((*lines)->path);
	free(*lines);
	*lines = NULL;
}

int lines_read_open(int fd, const char *path, void (*each)(void *context, const struct line *line),
	void *context, struct failure *why)
{
	struct lines *lines = open_descriptor(fd, path, why);
	struct line line;
	int result;

	if (lines == NULL)
		return -1;
	while ((result = lines_next(lines, &line, why)) == 1)
		each(context, &line);
	lines_close(&lines);
	return result;
}

int lines_read(const char *path, void (*each)(void *context, const struct line *line),
	void *context, struct failure *why)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return storage_failure(why, "open", path);
	return lines_read_open(fd, path, each, context, why);
}
