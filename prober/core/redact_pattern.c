#include "redact_pattern.h"

#include <string.h>

#include "redact_view.h"

#include "ban.h"

/* Of a secret that runs into the end of a text, as much as this is hidden too: fields cut off
 * what does not fit. Behind the cut there may be a quote, or half an escape. */
#define BEGINNING_MIN 6
#define BEHIND_CUT_MAX 8
/* A part of that many bytes is hidden wherever it stands: a server may say it in two lines, of
 * which we show one. */
#define PART_MIN 10

struct patterns {
	const struct pattern *list;
	size_t count;
};

/* Marks the bytes of the text that a match in the view came from. */
static void mark(const struct view *view, size_t at, const struct pattern *pattern, char *hit)
{
	size_t first = at >= pattern->before ? at - pattern->before : 0;
	size_t end = at + pattern->length + pattern->after;

	if (end > view->length)
		end = view->length;
	memset(hit + view->from[first], 1, view->from[end] - view->from[first]);
}

/* True if nothing but a quote or a broken escape stands between a cut and the end. */
static bool is_behind_cut(const char *at, const char *end)
{
	return at == end || (end - at <= BEHIND_CUT_MAX && strchr("\"'&\\%=", at[0]) != NULL);
}

/* The beginning of a secret, as far as the end of the text let it come. */
static void search_end(
	const struct view *view, const char *text, const struct pattern *pattern, char *hit)
{
	const char *end = view->bytes + view->length, *at = view->bytes;
	size_t length = view->from[view->length];
	size_t window = pattern->length + BEHIND_CUT_MAX;

	if (pattern->length <= BEGINNING_MIN)
		return;
	if (view->length > window)
		at = end - window;
	while ((at = memmem(at, (size_t)(end - at), pattern->bytes, BEGINNING_MIN)) != NULL) {
		size_t run = BEGINNING_MIN, first = (size_t)(at - view->bytes);

		while (at + run < end && run < pattern->length && at[run] == pattern->bytes[run])
			run++;
		if (run < pattern->length &&
			is_behind_cut(text + view->from[first + run], text + length)) {
			memset(hit + view->from[first], 1, length - view->from[first]);
			return;
		}
		at++;
	}
}

/* From a block of half that size, of which any part has one whole, as far as it is the same. */
static void search_parts(const struct view *view, const struct pattern *pattern, char *hit)
{
	const size_t block = PART_MIN / 2;
	const char *end = view->bytes + view->length;

	for (size_t from = 0; from + block <= pattern->length; from += block) {
		const char *at = view->bytes;

		while ((at = memmem(at, (size_t)(end - at), pattern->bytes + from, block)) !=
			NULL) {
			size_t place = (size_t)(at - view->bytes), left = 0, right = block;

			while (left < from && left < place &&
				at[-1 - (ptrdiff_t)left] == pattern->bytes[from - left - 1])
				left++;
			while (from + right < pattern->length && at + right < end &&
				at[right] == pattern->bytes[from + right])
				right++;
			if (left + right >= PART_MIN)
				memset(hit + view->from[place - left], 1,
					view->from[place + right] - view->from[place - left]);
			at++;
		}
	}
}

static void search_view(const struct view *view, const char *text, const struct patterns *all,
	bool any_case, char *hit)
{
	for (size_t i = 0; i < all->count; i++) {
		const struct pattern *pattern = &all->list[i];
		const char *at = view->bytes, *end = view->bytes + view->length;

		if (pattern->any_case != any_case)
			continue;
		while ((at = memmem(at, (size_t)(end - at), pattern->bytes, pattern->length)) !=
			NULL) {
			mark(view, (size_t)(at - view->bytes), pattern, hit);
			at++;
		}
		search_end(view, text, pattern, hit);
		if (pattern->in_parts)
			search_parts(view, pattern, hit);
	}
}

void patterns_search(
	const struct pattern *patterns, size_t count, const char *bytes, size_t length, char *hit)
{
	const struct patterns all = {.list = patterns, .count = count};

	for (enum view_kind kind = VIEW_RAW; kind < VIEW_COUNT; kind++) {
		struct view view;

		if (!view_applies(kind, bytes, length))
			continue;
		view_make(&view, kind, bytes, length, false);
		search_view(&view, bytes, &all, false, hit);
		view_lower(&view);
		search_view(&view, bytes, &all, true, hit);
		view_free(&view);
	}
}
