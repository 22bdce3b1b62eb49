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

int lines_read_open(int fd, const char *path, void (*each)(void *context, const struct line *line),
	void *context, struct failure *why)
{
	FILE *file = fdopen(fd, "re");
	char *bytes = NULL;
	size_t size = 0, number = 0;
	ssize_t length;
	int result = 0;

	if (file == NULL) {
		close(fd);
		return storage_failure(why, "read", path);
	}
	while ((length = getline(&bytes, &size, file)) > 0) {
		struct line line = {.number = ++number, .bytes = bytes, .length = (size_t)length};
		json_t *record = NULL;

		line.verdict = judge(bytes, line.length, &record);
		line.record = record;
		each(context, &line);
		json_decref(record);
	}
	if (ferror(file))
		result = storage_failure(why, "read", path);
	free(bytes);
	fclose(file);
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
