#include "source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "parse.h"
#include "text.h"

#include "ban.h"

static int refuse(struct complaints *complaints, const char *file, const char *code,
	const char *message, const char *hint)
{
	complaints_add_file(complaints, file, code, message, hint);
	return -1;
}

static int read_all(int fd, struct source *source)
{
	source->bytes = malloc(SOURCE_SIZE_MAX + 1);
	if (source->bytes == NULL)
		return -1;
	while (source->size <= SOURCE_SIZE_MAX) {
		ssize_t got = read(fd, source->bytes + source->size,
			SOURCE_SIZE_MAX + 1 - source->size);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return (int)got;
		source->size += (size_t)got;
	}
	return 0;
}

static int read_file(struct source *source, struct complaints *complaints)
{
	char message[128];
	struct stat status;
	/* Non-blocking, or else a pipe of that name would keep us waiting. */
	int fd = open(source->file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int result;

	if (fd < 0 || fstat(fd, &status) != 0) {
		snprintf(message, sizeof(message), "the file cannot be read: %s",
			strerror(errno));
		if (fd >= 0)
			close(fd);
		return refuse(complaints, source->file, "file", message, NULL);
	}
	if (!S_ISREG(status.st_mode)) {
		close(fd);
		return refuse(complaints, source->file, "file", "this is no regular file", NULL);
	}
	result = read_all(fd, source);
	snprintf(message, sizeof(message), "the file cannot be read: %s", strerror(errno));
	close(fd);
	if (result != 0)
		return refuse(complaints, source->file, "file", message, NULL);
	if (source->size > SOURCE_SIZE_MAX)
		return refuse(complaints, source->file, "file",
			"the file is larger than 1 MB, which no scenario is", NULL);
	return 0;
}

static int refuse_encoding(const struct source *source, size_t at, const char *message,
	const char *hint, struct complaints *complaints)
{
	const struct complaint complaint = {
		.code = "encoding", .pointer = "", .message = message, .hint = hint};

	source_complain(source, (struct span){at, 1}, &complaint, complaints);
	return -1;
}

static bool is_utf8(const char *bytes, size_t length)
{
	json_t *string = json_stringn(bytes, length);
	bool valid = string != NULL;

	json_decref(string);
	return valid;
}

/* The first byte that is not part of a valid character. */
static size_t find_bad_byte(const struct source *source)
{
	size_t at = 0;

	while (at < source->size) {
		size_t length = 1;

		while (length <= 4 && (at + length > source->size ||
					      !is_utf8(source->bytes + at, length)))
			length++;
		if (length > 4)
			return at;
		at += length;
	}
	return at;
}

static int check_encoding(struct source *source, struct complaints *complaints)
{
	const char *bytes = source->bytes;
	const char *nul;

	if (source->size >= 2 && (memcmp(bytes, "\xff\xfe", 2) == 0 ||
					 memcmp(bytes, "\xfe\xff", 2) == 0))
		return refuse(complaints, source->file, "encoding", "the file is in UTF-16",
			"save it as UTF-8");
	nul = memchr(bytes, '\0', source->size);
	if (nul != NULL)
		return refuse_encoding(source, (size_t)(nul - bytes), "the file holds a NUL byte",
			"this is no text", complaints);
	if (!is_utf8(bytes, source->size))
		return refuse_encoding(source, find_bad_byte(source),
			"the file is not valid UTF-8 from here on", "save it as UTF-8",
			complaints);
	if (source->size >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0)
		source->begin = 3;
	return 0;
}

static bool has_ending(const char *file, const char *ending)
{
	size_t length = strlen(file), want = strlen(ending);

	return length > want && strcmp(file + length - want, ending) == 0;
}

struct source *source_read(const char *file, struct complaints *complaints)
{
	struct source *source = calloc(1, sizeof(*source));
	bool is_json = has_ending(file, ".json");

	if (source == NULL)
		return NULL;
	source->file = strdup(file);
	source->index = json_object();
	if (!is_json && !has_ending(file, ".yaml") && !has_ending(file, ".yml"))
		refuse(complaints, file, "file",
			"the name of a scenario file ends in .yaml, .yml or .json", NULL);
	else if (read_file(source, complaints) == 0 && check_encoding(source, complaints) == 0)
		source->tree = parse_source(source, is_json, complaints);
	if (source->tree == NULL)
		source_free(&source);
	return source;
}

void source_free(struct source **source)
{
	if (*source == NULL)
		return;
	json_decref((*source)->tree);
	json_decref((*source)->index);
	if ((*source)->bytes != NULL)
		explicit_bzero((*source)->bytes, (*source)->size);
	free((*source)->bytes);
	free((char *)(uintptr_t)(*source)->file);
	free((*source)->places);
	free((*source)->hidden);
	free(*source);
	*source = NULL;
}

/* The place of the pointer, or of the nearest parent that has one. */
static const struct place *find_place(
	const struct source *source, const char *pointer, bool *is_parent_r)
{
	char *path = strdup(pointer);
	const struct place *place = NULL;

	*is_parent_r = false;
	while (path != NULL && place == NULL) {
		const json_t *number = json_object_get(source->index, path);
		char *slash = strrchr(path, '/');

		if (number != NULL)
			place = &source->places[json_integer_value(number)];
		else if (slash == NULL)
			break;
		else
			*slash = '\0';
		*is_parent_r = place == NULL;
	}
	free(path);
	return place;
}

struct span source_find(const struct source *source, const char *pointer, enum field_spot spot)
{
	bool is_parent;
	const struct place *place = find_place(source, pointer, &is_parent);
	const struct place *end = source->places + source->place_count;

	if (place == NULL)
		return (struct span){source->begin, 1};
	if (place->key.length > 0 &&
		(spot == FIELD_AT_KEY || is_parent || place->value.length == 0))
		return place->key;
	if (place->value.length > 0)
		return place->value;
	/* A map or list in block style has no text of its own: its first key stands for it. */
	if (place + 1 < end && place[1].key.length > 0)
		return place[1].key;
	return (struct span){place->value.at, 1};
}

/* Two neighbours that overlap become one: the spans stay in order and apart. */
static void merge_hidden(struct source *source, size_t left)
{
	struct span *a, *b;
	size_t end;

	if (left + 1 >= source->hidden_count)
		return;
	a = &source->hidden[left];
	b = a + 1;
	if (a->at + a->length <= b->at)
		return;
	end = b->at + b->length > a->at + a->length ? b->at + b->length : a->at + a->length;
	a->length = end - a->at;
	memmove(b, b + 1, (source->hidden_count - left - 2) * sizeof(*b));
	source->hidden_count--;
}

void source_hide(struct source *source, struct span span)
{
	size_t at = source->hidden_count;
	struct span *hidden;

	if (span.length == 0)
		return;
	hidden = reallocarray(source->hidden, at + 1, sizeof(*hidden));
	if (hidden == NULL)
		abort(); /* rather than show a secret */
	source->hidden = hidden;
	source->hidden_count++;
	for (; at > 0 && hidden[at - 1].at > span.at; at--)
		hidden[at] = hidden[at - 1];
	hidden[at] = span;
	merge_hidden(source, at);
	if (at > 0)
		merge_hidden(source, at - 1);
}
