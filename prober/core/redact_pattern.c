#include "redact_pattern.h"

#include <stdlib.h>
#include <string.h>

#include "redact_view.h"

#include "ban.h"

/* Of a secret that runs into the end of a text, as much as this is hidden too: fields cut off
 * what does not fit. Behind the cut there may be a quote, or half an escape. */
#define BEGINNING_MIN 6
#define BEHIND_CUT_MAX 8
/* A part of that many bytes is hidden wherever it stands: a server may say it in two lines, of
 * which we show one. Any such part has the whole of a block. */
#define PART_MIN 10
#define BLOCK 5

/* --- places where a pattern may begin ---------------------------------------------------- */

static uint32_t hash(const char *at)
{
	const unsigned char *bytes = (const unsigned char *)at;
	uint32_t three = bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16;

	return three * 0x9e3779b1U >> 16;
}

/* Places in a pattern that are looked for: its beginning, or that of each block. */
static size_t next_place(const struct pattern *pattern, size_t place)
{
	return pattern->in_parts ? place + BLOCK : pattern->length;
}

void patterns_add(struct patterns *patterns, struct pattern pattern)
{
	struct pattern *grown = realloc(patterns->list, (patterns->count + 1) * sizeof(*grown));

	if (grown == NULL)
		abort();
	patterns->list = grown;
	grown[patterns->count++] = pattern;
	for (size_t i = 0; i + 3 <= pattern.length; i = next_place(&pattern, i)) {
		uint32_t bit = hash(pattern.bytes + i);

		patterns->starts[pattern.any_case][bit / 64] |= UINT64_C(1) << bit % 64;
	}
}

void patterns_clear(struct patterns *patterns)
{
	for (size_t i = 0; i < patterns->count; i++) {
		explicit_bzero(patterns->list[i].bytes, patterns->list[i].length);
		free(patterns->list[i].bytes);
	}
	free(patterns->list);
	explicit_bzero(patterns, sizeof(*patterns));
}

/* --- searching --------------------------------------------------------------------------- */

struct search {
	const struct patterns *patterns;
	const char *text;
	char *hit;
	const struct view *view;
};

/* Marks the bytes of the text that a match in the view came from. */
static void mark(const struct search *search, size_t first, size_t end)
{
	const struct view *view = search->view;

	if (end > view->length)
		end = view->length;
	memset(search->hit + view->from[first], 1, view->from[end] - view->from[first]);
}

/* True if nothing but a quote or a broken escape stands between a cut and the text's end. */
static bool is_behind_cut(const struct search *search, size_t at)
{
	size_t place = search->view->from[at], end = search->view->from[search->view->length];

	return place == end ||
		(end - place <= BEHIND_CUT_MAX && strchr("\"'&\\%=", search->text[place]) != NULL);
}

/* How far view and pattern agree from two places on, to the right or to the left of them. */
static size_t run_right(
	const struct view *view, size_t at, const struct pattern *pattern, size_t place)
{
	size_t run = 0;

	while (at + run < view->length && place + run < pattern->length &&
		view->bytes[at + run] == pattern->bytes[place + run])
		run++;
	return run;
}

static size_t run_left(
	const struct view *view, size_t at, const struct pattern *pattern, size_t place)
{
	size_t run = 0;

	while (run < at && run < place &&
		view->bytes[at - run - 1] == pattern->bytes[place - run - 1])
		run++;
	return run;
}

static void try_pattern(const struct search *search, size_t at, const struct pattern *pattern)
{
	const struct view *view = search->view;

	for (size_t i = 0; i + 3 <= pattern->length; i = next_place(pattern, i)) {
		size_t right, left;

		if (view->bytes[at] != pattern->bytes[i])
			continue;
		right = run_right(view, at, pattern, i);
		left = run_left(view, at, pattern, i);
		if (left + right == pattern->length)
			mark(search, at - left > pattern->before ? at - left - pattern->before : 0,
				at + right + pattern->after);
		else if (left == i && left + right >= BEGINNING_MIN &&
			is_behind_cut(search, at + right))
			mark(search, at - left, view->length);
		else if (pattern->in_parts && left + right >= PART_MIN)
			mark(search, at - left, at + right);
	}
}

static void search_view(const struct search *search, bool any_case)
{
	const struct patterns *patterns = search->patterns;
	const struct view *view = search->view;

	for (size_t at = 0; at + 3 <= view->length; at++) {
		uint32_t bit = hash(view->bytes + at);

		if ((patterns->starts[any_case][bit / 64] >> bit % 64 & 1) == 0)
			continue;
		for (size_t i = 0; i < patterns->count; i++)
			if (patterns->list[i].any_case == any_case)
				try_pattern(search, at, &patterns->list[i]);
	}
}

void patterns_search(const struct patterns *patterns, const char *bytes, size_t length, char *hit)
{
	for (enum view_kind kind = VIEW_RAW; kind < VIEW_COUNT; kind++) {
		struct view view;
		const struct search search = {
			.patterns = patterns, .text = bytes, .hit = hit, .view = &view};

		if (!view_applies(kind, bytes, length))
			continue;
		view_make(&view, kind, bytes, length, false);
		search_view(&search, false);
		view_lower(&view);
		search_view(&search, true);
		view_free(&view);
	}
}
