/* encode - what a mail holds beyond ASCII (RFC 2045, RFC 2047), and content made up to a size. */
#ifndef MAILPROBE_ENCODE_H
#define MAILPROBE_ENCODE_H

#include <stddef.h>

#include "text.h"

/* Base64 in lines of 76 characters, CRLF at each end (RFC 2045, 6.8). */
void encode_base64(struct text *text, const char *bytes, size_t length);

/* The same of that many bytes that nothing can compress, always the same ones for an id: a mail
 * that is sent once more is the very same mail. */
void encode_filling(struct text *text, const char *id, size_t length);

/* A header's value: as it is if it is short ASCII, in encoded words otherwise, none of them cut
 * within a character (RFC 2047, 2 and 5). The value must be UTF-8 without control characters. */
void encode_words(struct text *text, const char *value);

#endif
