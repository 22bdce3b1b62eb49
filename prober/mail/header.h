/* header - reading header fields of a mail that anybody may have written (RFC 5322, 2.2). */
#ifndef MAILPROBE_HEADER_H
#define MAILPROBE_HEADER_H

#include <stdbool.h>
#include <stddef.h>

/* The unfolded value of the first field of that name, trimmed; false if there is none or it does
 * not fit. */
bool header_value(const char *text, size_t length, const char *name, char *value, size_t size);

/* Where the body begins; the end of the text if there is none. */
const char *header_end(const char *text, size_t length);

#endif
