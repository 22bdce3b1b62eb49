/* review_text - a month of events as a table. */
#ifndef MAILPROBE_REVIEW_TEXT_H
#define MAILPROBE_REVIEW_TEXT_H

#include <stdio.h>

#include <jansson.h>

void review_print(const json_t *review, FILE *to);

#endif
