#include "parse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libfyaml.h>

#include "scalar.h"
#include "syntax.h"
#include "text.h"

#include "ban.h"

/* A map or list that is not at its end yet. Values are attached to it as they begin. */
struct level {
	json_t *container;
	char *key; /* of a map, once read; its value is next */
	struct span key_span;
	size_t pointer_length; /* of the container's own pointer */
};

struct parse {
	struct source *source;
	struct complaints *complaints;
	struct level levels[SOURCE_DEPTH_MAX];
	size_t depth;
	struct text pointer;
	json_t *root;
	json_t *waste; /* values of keys that were given before */
	size_t documents;
	size_t place_room;
	bool is_wrong; /* go on for more complaints, but there will be no tree */
	bool is_over;
};

static void complain(struct parse *parse, struct span span, const char *code,
	const char *message, const char *hint)
{
	const struct complaint complaint = {.code = code,
		.pointer = parse->pointer.bytes != NULL ? parse->pointer.bytes : "",
		.message = message,
		.hint = hint};

	source_complain(parse->source, span, &complaint, parse->complaints);
	if (parse->complaints->count >= COMPLAINTS_MAX)
		parse->is_wrong = parse->is_over = true;
}

static void refuse(struct parse *parse, struct span span, const char *code,
	const char *message, const char *hint)
{
	complain(parse, span, code, message, hint);
	parse->is_wrong = true;
}

static void stop(struct parse *parse, struct span span, const char *code, const char *message,
	const char *hint)
{
	refuse(parse, span, code, message, hint);
	parse->is_over = true;
}

/* --- where things stand ---------------------------------------------------------------- */

static struct span span_of(struct fy_event *event)
{
	const struct fy_mark *begin = fy_event_start_mark(event);
	const struct fy_mark *end = fy_event_end_mark(event);

	if (begin == NULL || end == NULL || end->input_pos < begin->input_pos)
		return (struct span){0, 0};
	return (struct span){begin->input_pos, end->input_pos - begin->input_pos};
}

/* The marks of a quoted scalar leave out the quotes. */
static struct span scalar_span(struct fy_event *event)
{
	struct span span = span_of(event);
	enum fy_scalar_style style = fy_token_scalar_style(event->scalar.value);

	if ((style == FYSS_SINGLE_QUOTED || style == FYSS_DOUBLE_QUOTED) && span.at > 0) {
		span.at--;
		span.length += 2;
	}
	return span;
}

static void note_place(struct parse *parse, struct span key, struct span value)
{
	struct source *source = parse->source;

	if (source->place_count == parse->place_room) {
		size_t room = parse->place_room > 0 ? 2 * parse->place_room : 64;
		struct place *places = reallocarray(source->places, room, sizeof(*places));

		if (places == NULL) {
			stop(parse, value, "file", "out of memory", NULL);
			return;
		}
		source->places = places;
		parse->place_room = room;
	}
	/* A key that is given twice keeps its first place, as it keeps its first value. */
	if (json_object_get(source->index, parse->pointer.bytes) == NULL)
		json_object_set_new(source->index, parse->pointer.bytes,
			json_integer((json_int_t)source->place_count));
	source->places[source->place_count++] = (struct place){key, value};
	if (source->place_count > SOURCE_VALUES_MAX)
		stop(parse, value, "too-large", "this file has more values than any scenario needs",
			NULL);
}

/* --- attaching values ------------------------------------------------------------------ */

static struct level *top_level(struct parse *parse)
{
	return parse->depth > 0 ? &parse->levels[parse->depth - 1] : NULL;
}

static void pointer_cut(struct parse *parse, size_t length)
{
	parse->pointer.length = length;
	parse->pointer.bytes[length] = '\0';
}

static void complain_twice(struct parse *parse, const struct level *level)
{
	struct span first = source_find(parse->source, parse->pointer.bytes, FIELD_AT_KEY);
	char message[160], hint[64];
	int line = 1;

	for (size_t i = 0; i < first.at; i++)
		line += parse->source->bytes[i] == '\n';
	snprintf(message, sizeof(message), "the key \"%.80s\" is given twice", level->key);
	snprintf(hint, sizeof(hint), "the first one is in line %d", line);
	complain(parse, level->key_span, "duplicate-key", message, hint);
}

/* Puts the value into the container that is open, and leaves its pointer in parse->pointer. */
static void attach(struct parse *parse, json_t *value, struct span span)
{
	struct level *level = top_level(parse);
	struct span key = {0, 0};

	if (level == NULL) {
		parse->root = value;
	} else if (json_is_array(level->container)) {
		text_printf(&parse->pointer, "/%zu", json_array_size(level->container));
		json_array_append_new(level->container, value);
	} else {
		key = level->key_span;
		field_pointer_push(&parse->pointer, level->key);
		if (json_object_get(level->container, level->key) != NULL) {
			complain_twice(parse, level);
			json_array_append_new(parse->waste, value);
		} else {
			json_object_set_new(level->container, level->key, value);
		}
		free(level->key);
		level->key = NULL;
	}
	note_place(parse, key, span);
}

static bool wants_key(const struct level *level)
{
	return level != NULL && json_is_object(level->container) && level->key == NULL;
}

/* --- events ---------------------------------------------------------------------------- */

static void begin_container(struct parse *parse, json_t *container, struct fy_event *event)
{
	struct span span = span_of(event);
	size_t parent_length = parse->pointer.length;

	if (wants_key(top_level(parse))) {
		json_decref(container);
		stop(parse, (struct span){span.at, 1}, "syntax", "a key must be plain text", NULL);
		return;
	}
	if (parse->depth == SOURCE_DEPTH_MAX) {
		json_decref(container);
		stop(parse, (struct span){span.at, 1}, "too-deep",
			"maps and lists are nested more than 32 deep", NULL);
		return;
	}
	attach(parse, container, span);
	parse->levels[parse->depth++] =
		(struct level){.container = container, .pointer_length = parent_length};
}

static void end_container(struct parse *parse)
{
	struct level *level;

	if (parse->depth == 0)
		return;
	level = &parse->levels[--parse->depth];
	pointer_cut(parse, level->pointer_length);
	free(level->key);
	level->key = NULL;
}

static void take_key(struct parse *parse, struct level *level, struct fy_event *event)
{
	size_t length;
	const char *text = fy_token_get_text(event->scalar.value, &length);

	level->key_span = scalar_span(event);
	if (text == NULL || memchr(text, '\0', length) != NULL) {
		stop(parse, level->key_span, "syntax", "a key must be plain text", NULL);
		return;
	}
	level->key = strndup(text, length);
}

static void take_scalar(struct parse *parse, struct fy_event *event)
{
	struct level *level = top_level(parse);
	struct span span = scalar_span(event);
	size_t parent_length = parse->pointer.length;
	size_t length;
	const char *text;
	json_t *value;

	if (wants_key(level)) {
		take_key(parse, level, event);
		return;
	}
	text = fy_token_get_text(event->scalar.value, &length);
	if (text == NULL)
		text = "", length = 0;
	if (fy_token_scalar_style(event->scalar.value) == FYSS_PLAIN)
		value = scalar_json(text, length);
	else
		value = json_stringn(text, length);
	if (value == NULL) {
		stop(parse, span, "encoding", "this is no valid Unicode text", NULL);
		return;
	}
	if (level != NULL && level->key != NULL && secret_key(level->key))
		source_hide(parse->source, span);
	attach(parse, value, span);
	pointer_cut(parse, parent_length);
}

static void refuse_alias(struct parse *parse, struct fy_event *event)
{
	struct level *level = top_level(parse);
	struct span span = span_of(event);
	size_t parent_length = parse->pointer.length;

	if (span.at > 0) { /* the mark leaves out the star */
		span.at--;
		span.length++;
	}
	refuse(parse, span, "syntax", "anchors and aliases are not used here",
		"\"vars\" and \"extends\" share what is common");
	if (level == NULL || wants_key(level)) {
		parse->is_over = true;
		return;
	}
	attach(parse, json_null(), span);
	pointer_cut(parse, parent_length);
}

static void refuse_tag(struct parse *parse, struct fy_token *tag)
{
	const struct fy_mark *mark = tag != NULL ? fy_token_start_mark(tag) : NULL;

	if (mark != NULL)
		refuse(parse, (struct span){mark->input_pos, 1}, "syntax",
			"tags are not used here", "put a text that looks like a number in quotes");
}

static void take_event(struct parse *parse, struct fy_event *event)
{
	switch (event->type) {
	case FYET_DOCUMENT_START:
		if (parse->documents++ > 0)
			stop(parse, span_of(event), "syntax", "a second document begins here",
				"one file, one scenario");
		break;
	case FYET_MAPPING_START:
		refuse_tag(parse, event->mapping_start.tag);
		begin_container(parse, json_object(), event);
		break;
	case FYET_SEQUENCE_START:
		refuse_tag(parse, event->sequence_start.tag);
		begin_container(parse, json_array(), event);
		break;
	case FYET_MAPPING_END:
	case FYET_SEQUENCE_END:
		end_container(parse);
		break;
	case FYET_SCALAR:
		refuse_tag(parse, event->scalar.tag);
		take_scalar(parse, event);
		break;
	case FYET_ALIAS:
		refuse_alias(parse, event);
		break;
	case FYET_NONE:
	case FYET_STREAM_START:
	case FYET_STREAM_END:
	case FYET_DOCUMENT_END:
		break;
	}
}

/* --- running the parser ----------------------------------------------------------------- */

static void complain_errors(struct parse *parse, struct fy_diag *diag, bool is_json)
{
	void *cursor = NULL;
	/* One cause may be reported by several layers of the parser; the first one knows best. */
	const struct fy_diag_error *error = fy_diag_errors_iterate(diag, &cursor);

	secret_hide_by_guess(parse->source);
	pointer_cut(parse, 0);
	parse->is_wrong = true;
	if (error != NULL)
		syntax_complain(parse->source, error->msg, error->line, error->column, is_json,
			parse->complaints);
	else
		refuse(parse, (struct span){parse->source->begin, 1}, "syntax",
			"the file cannot be parsed", NULL);
}

static struct fy_diag *diag_create(void)
{
	struct fy_diag_cfg config;
	struct fy_diag *diag;

	fy_diag_cfg_default(&config);
	config.fp = NULL;
	config.level = FYET_ERROR;
	config.colorize = false;
	diag = fy_diag_create(&config);
	/* Collected, it is ours to say; otherwise it would go to stderr. */
	if (diag != NULL)
		fy_diag_set_collect_errors(diag, true);
	return diag;
}

static void run_parser(struct parse *parse, struct fy_diag *diag, bool is_json)
{
	struct fy_parse_cfg config = {.diag = diag,
		.flags = FYPCF_QUIET | FYPCF_COLLECT_DIAG | FYPCF_DEFAULT_VERSION_1_2 |
			 (is_json ? FYPCF_JSON_FORCE : FYPCF_JSON_NONE)};
	struct fy_parser *parser = diag != NULL ? fy_parser_create(&config) : NULL;
	struct fy_event *event;

	if (parser == NULL || fy_parser_set_string(parser, parse->source->bytes,
				      parse->source->size) != 0) {
		stop(parse, (struct span){0, 0}, "file", "out of memory", NULL);
	}
	while (!parse->is_over && (event = fy_parser_parse(parser)) != NULL) {
		take_event(parse, event);
		fy_parser_event_free(parser, event);
	}
	if (!parse->is_over && fy_parser_get_stream_error(parser))
		complain_errors(parse, diag, is_json);
	if (parser != NULL)
		fy_parser_destroy(parser);
}

json_t *parse_source(struct source *source, bool is_json, struct complaints *complaints)
{
	struct parse parse = {
		.source = source, .complaints = complaints, .waste = json_array()};
	struct fy_diag *diag = diag_create();

	text_init(&parse.pointer, 2 * SOURCE_SIZE_MAX);
	text_puts(&parse.pointer, "");
	run_parser(&parse, diag, is_json);
	if (parse.root == NULL && !parse.is_wrong)
		complaints_add_file(complaints, source->file, "syntax", "the file is empty", NULL);
	while (parse.depth > 0)
		free(parse.levels[--parse.depth].key);
	if (parse.is_wrong) {
		json_decref(parse.root);
		parse.root = NULL;
	}
	json_decref(parse.waste);
	text_free(&parse.pointer);
	if (diag != NULL)
		fy_diag_destroy(diag); /* unlike an unref, it frees the collected errors */
	return parse.root;
}
