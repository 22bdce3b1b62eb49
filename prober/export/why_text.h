/* why_text - the explanation of an event as a person wants to read it. */
#ifndef MAILPROBE_WHY_TEXT_H
#define MAILPROBE_WHY_TEXT_H

#include <stdbool.h>
#include <stdio.h>

#include <jansson.h>

/* `all`: every data point; otherwise, if there are many, those that are over the limit. */
void why_print(const json_t *explanation, bool all, FILE *to);

#endif
