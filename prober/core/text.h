/* text - growable text with a hard cap, and making other people's bytes fit to be shown. */
#ifndef MAILPROBE_TEXT_H
#define MAILPROBE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Always ended by a NUL that `length` does not count. What goes beyond `cap` is dropped and
 * sets `overflowed`. */
struct text {
	char *bytes;
	size_t length;
	size_t capacity;
	size_t cap;
	bool overflowed;
};

void text_init(struct text *text, size_t cap);
void text_free(struct text *text);
void text_clear(struct text *text);
void text_append(struct text *text, const char *bytes, size_t length);
void text_puts(struct text *text, const char *string);
void text_printf(struct text *text, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Copies what fits into a fixed field, always ended; false if it was cut. */
bool text_copy(char *to, size_t size, const char *from);

/* Appends bytes of unknown origin as valid UTF-8 that is safe on any terminal and in any
 * format: control characters, C1, bidirectional overrides, line separators and invalid
 * sequences come out as \xNN or \u{NNNN}. A trailing CR LF is dropped. */
void text_printable(struct text *text, const char *bytes, size_t length);
/* The same into a fixed field. */
void text_printable_copy(char *to, size_t size, const char *bytes, size_t length);

/* True if the string holds CR, LF or NUL before length: never put that on a wire. */
bool text_breaks_line(const char *bytes, size_t length);

/* The candidate of names (NULL at the end) most like `wrong`, or NULL if none is near. */
const char *text_nearest(const char *wrong, const char *const names[]);

#endif
