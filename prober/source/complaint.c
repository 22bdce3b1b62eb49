#include "complaint.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

#include "ban.h"

#define SAY_MAX 1024

static char *copy(const char *string)
{
	return string != NULL ? strdup(string) : NULL;
}

/* Keys and texts of a file end up in messages: nothing in them may act on a terminal. */
static char *printable(const char *string)
{
	struct text text;

	if (string == NULL)
		return NULL;
	text_init(&text, SAY_MAX);
	text_printable(&text, string, strlen(string));
	if (text.bytes == NULL)
		text_puts(&text, "");
	return text.bytes;
}

static bool same_string(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool same(const struct complaint *a, const struct complaint *b)
{
	return a->line == b->line && a->column == b->column && same_string(a->code, b->code) &&
	       same_string(a->file, b->file) && same_string(a->message, b->message);
}

/* What complaints_add has copied is ours, though nobody is to change it. */
static void drop(const char *string)
{
	free((char *)(uintptr_t)string);
}

static void complaint_free(const struct complaint *complaint)
{
	drop(complaint->file);
	drop(complaint->source_line);
	drop(complaint->pointer);
	drop(complaint->code);
	drop(complaint->message);
	drop(complaint->hint);
}

/* Takes the complaint over. An included file is read for each scenario that includes it, yet
 * what is wrong with it needs to be said once. */
static void take(struct complaints *complaints, struct complaint *complaint)
{
	struct complaint *items;

	for (size_t i = 0; i < complaints->count; i++) {
		if (same(&complaints->items[i], complaint)) {
			complaint_free(complaint);
			return;
		}
	}
	items = reallocarray(complaints->items, complaints->count + 1, sizeof(*items));
	if (items == NULL) {
		complaint_free(complaint);
		complaints->errors++; /* never let a wrong file pass */
		return;
	}
	complaints->items = items;
	complaints->items[complaints->count++] = *complaint;
	if (!complaint->is_warning)
		complaints->errors++;
}

void complaints_add(struct complaints *complaints, const struct complaint *complaint)
{
	struct complaint taken = *complaint;

	if (complaints->count >= COMPLAINTS_MAX) {
		complaints->errors += !complaint->is_warning;
		return;
	}
	taken.file = printable(complaint->file);
	taken.source_line = copy(complaint->source_line);
	taken.pointer = printable(complaint->pointer);
	taken.code = copy(complaint->code);
	taken.message = printable(complaint->message);
	taken.hint = printable(complaint->hint);
	take(complaints, &taken);
}

void complaints_add_file(struct complaints *complaints, const char *file, const char *code,
	const char *message, const char *hint)
{
	struct complaint complaint = {
		.file = file, .pointer = "", .code = code, .message = message, .hint = hint};

	complaints_add(complaints, &complaint);
}

static int compare(const void *a, const void *b, void *first)
{
	const struct complaint *x = a, *y = b;
	bool x_first = same_string(x->file, first), y_first = same_string(y->file, first);

	if (x_first != y_first)
		return x_first ? -1 : 1;
	if (strcmp(x->file, y->file) != 0)
		return strcmp(x->file, y->file);
	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	if (x->column != y->column)
		return x->column < y->column ? -1 : 1;
	return strcmp(x->message, y->message);
}

static size_t listed_errors(const struct complaints *complaints)
{
	size_t errors = 0;

	for (size_t i = 0; i < complaints->count; i++)
		errors += !complaints->items[i].is_warning;
	return errors;
}

void complaints_move(struct complaints *to, struct complaints *from, const char *first)
{
	to->errors += from->errors - listed_errors(from);
	if (from->count > 0)
		qsort_r(from->items, from->count, sizeof(*from->items), compare,
			(void *)(uintptr_t)first);
	for (size_t i = 0; i < from->count; i++)
		take(to, &from->items[i]);
	free(from->items);
	*from = (struct complaints){.items = NULL};
}

struct paint {
	const char *title, *dim, *plain;
};

static void print_source(const struct complaint *complaint, FILE *to, struct paint paint)
{
	char number[16];
	int gutter = snprintf(number, sizeof(number), "%d", complaint->line);

	fprintf(to, "%s%s |%s %s\n", paint.dim, number, paint.plain, complaint->source_line);
	fprintf(to, "%s%*s |%s %*s%s", paint.dim, gutter, "", paint.plain, complaint->indent, "",
		paint.title);
	for (int i = 0; i < complaint->width || i == 0; i++)
		fputc('^', to);
	fprintf(to, "%s%s%s\n", paint.plain, complaint->hint != NULL ? " " : "",
		complaint->hint != NULL ? complaint->hint : "");
}

static void print_one(const struct complaint *complaint, FILE *to, bool colour)
{
	struct paint paint = {"", "", ""};

	if (colour)
		paint = (struct paint){complaint->is_warning ? "\x1b[1;33m" : "\x1b[1;31m",
			"\x1b[2m", "\x1b[0m"};
	fprintf(to, "%s%s[%s]:%s %s\n", paint.title, complaint->is_warning ? "warning" : "error",
		complaint->code, paint.plain, complaint->message);
	if (complaint->line > 0)
		fprintf(to, "%s  -->%s %s:%d:%d\n", paint.dim, paint.plain, complaint->file,
			complaint->line, complaint->column);
	else
		fprintf(to, "%s  -->%s %s\n", paint.dim, paint.plain, complaint->file);
	if (complaint->source_line != NULL)
		print_source(complaint, to, paint);
	else if (complaint->hint != NULL)
		fprintf(to, "  %s\n", complaint->hint);
}

void complaints_print(const struct complaints *complaints, FILE *to, bool colour)
{
	for (size_t i = 0; i < complaints->count; i++) {
		if (i > 0)
			fputc('\n', to);
		print_one(&complaints->items[i], to, colour);
	}
	if (complaints->errors > listed_errors(complaints))
		fprintf(to, "\n... and %zu more errors\n",
			complaints->errors - listed_errors(complaints));
}

json_t *complaints_json(const struct complaints *complaints)
{
	json_t *array = json_array();

	for (size_t i = 0; i < complaints->count; i++) {
		const struct complaint *it = &complaints->items[i];

		json_array_append_new(array,
			json_pack("{s:s, s:i, s:i, s:s, s:s, s:s, s:s, s:s?}", "file", it->file,
				"line", it->line, "column", it->column, "pointer", it->pointer,
				"severity", it->is_warning ? "warning" : "error", "code",
				it->code, "message", it->message, "hint", it->hint));
	}
	return array;
}

void complaints_free(struct complaints *complaints)
{
	for (size_t i = 0; i < complaints->count; i++)
		complaint_free(&complaints->items[i]);
	free(complaints->items);
	*complaints = (struct complaints){.items = NULL};
}
