#include "assembly.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "text.h"

#include "ban.h"

/* The files that are being read, innermost first: one that turns up again closes a cycle. */
struct chain {
	const struct chain *outer;
	const char *real_path;
};

static json_t *read_merged(
	struct assembly *assembly, const char *file, const struct chain *outer);

static void complain_extends(const struct assembly *assembly, const struct source *source,
	const char *pointer, const char *message, const char *hint)
{
	const struct complaint complaint = {
		.code = "extends", .pointer = pointer, .message = message, .hint = hint};

	source_complain(source, source_find(source, pointer, FIELD_AT_VALUE), &complaint,
		assembly->complaints);
}

static void merge(json_t *base, json_t *over)
{
	const char *key;
	json_t *value;

	json_object_foreach(over, key, value) {
		json_t *below = json_object_get(base, key);

		if (json_is_object(below) && json_is_object(value))
			merge(below, value);
		else
			json_object_set(base, key, value);
	}
}

/* Relative to the file that says it; the caller frees it. */
static char *resolve_path(const char *file, const char *path)
{
	const char *slash = strrchr(file, '/');
	char *resolved = NULL;

	if (path[0] == '/' || slash == NULL)
		return strdup(path);
	if (asprintf(&resolved, "%.*s/%s", (int)(slash - file), file, path) < 0)
		return NULL;
	return resolved;
}

static json_t *read_one_extended(struct assembly *assembly, const struct source *source,
	const char *path, const char *pointer, const struct chain *chain)
{
	char *file = resolve_path(source->file, path);
	char *real_path = file != NULL ? realpath(file, NULL) : NULL;
	char message[FIELD_MESSAGE_SIZE];
	json_t *tree = NULL;
	const struct chain *outer = chain;

	while (outer != NULL && real_path != NULL && strcmp(outer->real_path, real_path) != 0)
		outer = outer->outer;
	if (real_path == NULL || access(real_path, R_OK) != 0) {
		snprintf(message, sizeof(message), "the file cannot be read: %s", strerror(errno));
		complain_extends(assembly, source, pointer, message,
			"the path starts at the folder of this file");
	} else if (outer != NULL) {
		complain_extends(assembly, source, pointer,
			"the files extend each other in a circle", NULL);
	} else {
		tree = read_merged(assembly, file, chain);
	}
	free(real_path);
	free(file);
	return tree;
}

/* Of several, the last one wins: it is read first, to come first among the sources, and merged
 * last. */
static json_t *read_extended(struct assembly *assembly, const struct source *source,
	const json_t *extends, const struct chain *chain)
{
	size_t count = json_is_array(extends) ? json_array_size(extends) : 1;
	json_t *merged = json_object();

	for (size_t i = count; i-- > 0;) {
		const json_t *item = json_is_array(extends) ? json_array_get(extends, i) : extends;
		char pointer[32] = "/extends";
		json_t *tree;

		if (json_is_array(extends))
			snprintf(pointer, sizeof(pointer), "/extends/%zu", i);
		if (!json_is_string(item) || json_string_length(item) == 0) {
			complain_extends(assembly, source, pointer,
				"\"extends\" must be the path of a file, or a list of them", NULL);
			continue;
		}
		tree = read_one_extended(
			assembly, source, json_string_value(item), pointer, chain);
		if (!json_is_object(tree)) {
			if (tree != NULL)
				complain_extends(assembly, source, pointer,
					"that file is no map of keys and values", NULL);
			json_decref(tree);
			continue;
		}
		merge(tree, merged);
		json_decref(merged);
		merged = tree;
	}
	return merged;
}

/* The file's tree on top of what it extends; a new reference, or NULL. */
static json_t *read_merged(
	struct assembly *assembly, const char *file, const struct chain *outer)
{
	char *real_path;
	struct source *source;
	json_t *extends, *tree;

	if (assembly->source_count == ASSEMBLY_FILES_MAX) {
		complaints_add_file(assembly->complaints, file, "extends",
			"a scenario may be made of at most 16 files", NULL);
		return NULL;
	}
	source = source_read(file, assembly->complaints);
	if (source == NULL)
		return NULL;
	assembly->sources[assembly->source_count++] = source;
	tree = json_incref(source->tree);
	extends = json_incref(json_object_get(tree, "extends"));
	if (extends == NULL)
		return tree;
	json_object_del(tree, "extends");
	real_path = realpath(file, NULL);
	if (real_path != NULL) {
		struct chain chain = {outer, real_path};

		tree = read_extended(assembly, source, extends, &chain);
		merge(tree, source->tree);
		json_decref(source->tree);
	}
	json_decref(extends);
	free(real_path);
	return tree;
}

/* A key given twice does not keep the rest from being judged; a file that could not be read
 * does: half of what could be said would be its fault. */
static bool is_readable(const struct complaints *complaints)
{
	for (size_t i = 0; i < complaints->count; i++)
		if (!complaints->items[i].is_warning &&
			strcmp(complaints->items[i].code, "duplicate-key") != 0)
			return false;
	return true;
}

struct assembly *assembly_read(const char *file, struct complaints *complaints)
{
	struct assembly *assembly = calloc(1, sizeof(*assembly));

	if (assembly == NULL)
		return NULL;
	assembly->complaints = complaints;
	assembly->broken = json_object();
	assembly->tree = read_merged(assembly, file, NULL);
	if (assembly->tree == NULL || !is_readable(complaints))
		assembly_free(&assembly);
	return assembly;
}

const struct source *assembly_source(const struct assembly *assembly, const char *pointer)
{
	const struct source *found = NULL;
	char *path = strdup(pointer);
	char *slash = path;

	while (path != NULL && slash != NULL && found == NULL) {
		for (size_t i = 0; i < assembly->source_count && found == NULL; i++)
			if (json_object_get(assembly->sources[i]->index, path) != NULL)
				found = assembly->sources[i];
		slash = strrchr(path, '/');
		if (slash != NULL)
			*slash = '\0';
	}
	free(path);
	return found != NULL ? found : assembly->sources[0];
}

bool assembly_has(const struct assembly *assembly, const char *pointer)
{
	const struct source *source = assembly_source(assembly, pointer);

	return json_object_get(source->index, pointer) != NULL;
}

void assembly_complain(const struct assembly *assembly, const char *pointer,
	enum field_spot spot, const struct complaint *complaint)
{
	struct complaint placed = *complaint;
	const struct source *source = assembly_source(assembly, pointer);

	if (json_object_get(assembly->broken, pointer) != NULL)
		return;
	placed.pointer = pointer;
	source_complain(
		source, source_find(source, pointer, spot), &placed, assembly->complaints);
}

void assembly_free(struct assembly **assembly)
{
	if (*assembly == NULL)
		return;
	json_decref((*assembly)->tree);
	json_decref((*assembly)->broken);
	for (size_t i = 0; i < (*assembly)->source_count; i++)
		source_free(&(*assembly)->sources[i]);
	free(*assembly);
	*assembly = NULL;
}
