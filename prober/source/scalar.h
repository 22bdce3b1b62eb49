/* scalar - what a plain YAML scalar means by the core schema (YAML 1.2.2, 10.3.2), and so what
 * a JSON literal means, too. */
#ifndef MAILPROBE_SCALAR_H
#define MAILPROBE_SCALAR_H

#include <stddef.h>

#include <jansson.h>

/* null, true, false, a number, or else a string; NULL if it is no valid Unicode. */
json_t *scalar_json(const char *text, size_t length);

#endif
