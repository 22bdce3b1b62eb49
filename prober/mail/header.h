/* header - reading header fields of a mail that anybody may have written (RFC 5322, 2.2). */
#ifndef MAILPROBE_HEADER_H
#define MAILPROBE_HEADER_H

#include <stdbool.h>
#include <stddef.h>

/* The unfolded value of the first field of that name, trimmed; false if there is none or it does
 * not fit. */
bool header_value(const char *text, size_t length, const char *name, char *value, size_t size);

/* The same for each field of that name in turn, from *at on, up to the `end` of the header: moves *at
 * behind the field. *fits_r says whether the value did; if not, what is in it is not to be used. */
bool header_next(const char **at, const char *end, const char *name, char *value, size_t size,
	bool *fits_r);

/* Where the body begins; the end of the text if there is none. */
const char *header_end(const char *text, size_t length);

#endif
