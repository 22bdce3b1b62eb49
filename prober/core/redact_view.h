/* redact_view - a text with one kind of escape decoded, and where each byte of it came from. */
#ifndef MAILPROBE_REDACT_VIEW_H
#define MAILPROBE_REDACT_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "text.h"

enum view_kind {
	VIEW_RAW,
	VIEW_PERCENT,   /* %41, and + for a space */
	VIEW_QUOTED,    /* quoted-printable: =41, and = at a line's end */
	VIEW_BACKSLASH, /* JSON, IMAP and our own text_printable: \", \u0041, \x41, \u{41} */
	VIEW_ENTITY,    /* HTML: &amp; &#65; &#x41; */
	VIEW_COLON,     /* without colons, as fingerprints have them: 41:42 */
	VIEW_COUNT
};

/* Line breaks with the blanks around them, and NULs, are left out of every view. */
struct view {
	char *bytes;
	uint32_t *from; /* length + 1 offsets into the text */
	size_t length;
};

/* False if the view would be the same as VIEW_RAW. */
bool view_applies(enum view_kind kind, const char *text, size_t length);

/* Ends the process if there is no memory. */
void view_make(struct view *view, enum view_kind kind, const char *text, size_t length, bool lower);
void view_lower(struct view *view);
/* Wipes and frees. */
void view_free(struct view *view);

/* Appends a UTF-8 string as UTF-16; a byte that is no UTF-8 counts as Latin-1. */
void view_utf16(struct text *wide, const char *string, bool big_endian);

#endif
