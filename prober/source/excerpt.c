/* Shows a part of a source: line and column, the line made fit for a terminal, and where in it
 * the caret goes. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "source.h"
#include "text.h"

#include "ban.h"

#define LINE_CELLS 100L /* longer lines are cut around the mark */
#define LEAD_CELLS 40  /* what stays before it */
#define ELLIPSIS "..."

/* Draws the characters of a line that fall into cells from..to, and notes where the marked ones
 * come to lie. */
struct pen {
	struct span mark;
	long from, to;
	long cell;
	long mark_begin, mark_end; /* cells; -1 before the mark */
	struct text line;
};

static bool is_continuation(char byte)
{
	return ((unsigned char)byte & 0xc0) == 0x80;
}

/* Cells of a UTF-8 character on a terminal, roughly: East Asian scripts and emoji take two,
 * combining accents none. */
static int cells_of(const char *bytes, size_t length)
{
	unsigned char first = (unsigned char)bytes[0];

	if (length == 2 && (first == 0xcc || (first == 0xcd && (unsigned char)bytes[1] < 0xb0)))
		return 0;
	if (length == 4)
		return 2;
	return length == 3 && ((first == 0xe1 && (unsigned char)bytes[1] < 0x86) ||
				      (first >= 0xe3 && first <= 0xed) ||
				      (first == 0xef && (unsigned char)bytes[1] >= 0xbc))
		       ? 2
		       : 1;
}

/* A unit is a character or a whole secret: bytes at..end of the source, drawn as `shown`. */
static void draw_unit(struct pen *pen, size_t at, size_t end, const char *shown, int cells)
{
	if (pen->mark_begin < 0 && end > pen->mark.at)
		pen->mark_begin = pen->cell;
	if (pen->cell >= pen->from && pen->cell + cells <= pen->to)
		text_puts(&pen->line, shown);
	pen->cell += cells;
	if (pen->mark_begin >= 0 && at < pen->mark.at + pen->mark.length)
		pen->mark_end = pen->cell;
}

static void draw_character(struct pen *pen, const char *bytes, size_t at, size_t length)
{
	char plain[2] = {bytes[at], '\0'};
	struct text shown;

	if (length == 1 && bytes[at] >= ' ' && bytes[at] <= '~') {
		draw_unit(pen, at, at + 1, plain, 1);
		return;
	}
	text_init(&shown, 64);
	if (bytes[at] == '\t')
		text_printf(&shown, "%*s", 8 - (int)(pen->cell % 8), "");
	else
		text_printable(&shown, bytes + at, length);
	if (shown.bytes == NULL)
		text_puts(&shown, "");
	/* Escaped as \u{...}, it has grown, and is ASCII. */
	draw_unit(pen, at, at + length, shown.bytes,
		length > 1 && shown.length == length ? cells_of(shown.bytes, length)
						     : (int)shown.length);
	text_free(&shown);
}

/* The end of the secret that `at` lies in, or 0. */
static size_t hidden_until(const struct source *source, size_t at)
{
	size_t low = 0, high = source->hidden_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct span *span = &source->hidden[middle];

		if (at >= span->at && at < span->at + span->length)
			return span->at + span->length;
		if (at < span->at)
			high = middle;
		else
			low = middle + 1;
	}
	return 0;
}

static bool is_beyond(const struct pen *pen, size_t at)
{
	return pen->mark_begin >= 0 && at > pen->mark.at + pen->mark.length &&
	       pen->cell > pen->mark_end + 2 * LINE_CELLS;
}

static void draw(struct pen *pen, const struct source *source, struct span line)
{
	size_t end = line.at + line.length;

	/* A line may be as long as the file: past the mark and what is shown, it does not matter. */
	for (size_t at = line.at; at < end && !is_beyond(pen, at);) {
		size_t hidden = hidden_until(source, at);
		size_t next = at + 1;

		if (hidden > 0) {
			next = hidden < end ? hidden : end;
			draw_unit(pen, at, next, "***", 3);
		} else {
			while (next < end && is_continuation(source->bytes[next]))
				next++;
			draw_character(pen, source->bytes, at, next - at);
		}
		at = next;
	}
	if (pen->mark_begin < 0)
		pen->mark_begin = pen->cell;
	if (pen->mark_end <= pen->mark_begin)
		pen->mark_end = pen->mark_begin + 1;
}

static struct span line_at(const struct source *source, size_t at)
{
	size_t begin = at, end = at;

	while (begin > source->begin && source->bytes[begin - 1] != '\n')
		begin--;
	while (end < source->size && source->bytes[end] != '\n')
		end++;
	while (end > begin && source->bytes[end - 1] == '\r')
		end--;
	return (struct span){begin, end - begin};
}

static void locate(const struct source *source, struct span line, size_t at,
	struct complaint *complaint)
{
	complaint->line = 1;
	for (size_t i = source->begin; i < line.at; i++)
		complaint->line += source->bytes[i] == '\n';
	complaint->column = 1;
	for (size_t i = line.at; i < at; i++)
		complaint->column += !is_continuation(source->bytes[i]);
}

static struct pen pen_make(struct span mark, long from, long to)
{
	struct pen pen = {
		.mark = mark, .from = from, .to = to, .mark_begin = -1, .mark_end = -1};

	text_init(&pen.line, (size_t)(8 * LINE_CELLS));
	return pen;
}

/* The line to be shown, and the caret's indent and width under it. */
static struct text draw_line(const struct source *source, struct span line, struct span mark,
	struct complaint *complaint)
{
	struct pen whole = pen_make(mark, 0, 0), part;
	struct text shown;
	long from = 0, to;

	draw(&whole, source, line);
	to = whole.cell;
	if (to > LINE_CELLS) {
		from = whole.mark_begin > LEAD_CELLS ? whole.mark_begin - LEAD_CELLS : 0;
		to = from + LINE_CELLS < whole.cell ? from + LINE_CELLS : whole.cell;
	}
	part = pen_make(mark, from, to);
	draw(&part, source, line);
	text_init(&shown, (size_t)(8 * LINE_CELLS));
	text_printf(&shown, "%s%s%s", from > 0 ? ELLIPSIS : "",
		part.line.bytes != NULL ? part.line.bytes : "",
		to < whole.cell ? ELLIPSIS : "");
	complaint->indent = (int)(part.mark_begin - from) + (from > 0 ? 3 : 0);
	if (part.mark_end > to)
		part.mark_end = to > part.mark_begin ? to : part.mark_begin + 1;
	complaint->width = (int)(part.mark_end - part.mark_begin);
	text_free(&whole.line);
	text_free(&part.line);
	return shown;
}

void source_complain(const struct source *source, struct span span,
	const struct complaint *complaint, struct complaints *complaints)
{
	struct complaint placed = *complaint;
	struct span line;
	struct text shown;

	if (complaints->count >= COMPLAINTS_MAX) {
		complaints_add(complaints, complaint);
		return;
	}
	if (span.at > source->size)
		span.at = source->size;
	/* The end of a file that ends in a line end is shown at its last line. */
	line = line_at(source, span.at);
	if (span.at == source->size && line.length == 0 && span.at > source->begin) {
		line = line_at(source, span.at - 1);
		span.at = line.at + line.length;
	}
	placed.file = source->file;
	locate(source, line, span.at, &placed);
	shown = draw_line(source, line, span, &placed);
	placed.source_line = shown.bytes;
	complaints_add(complaints, &placed);
	text_free(&shown);
}
