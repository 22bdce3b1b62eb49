/* event_text - an event as a person wants to see it, or as a line of JSON. */
#ifndef MAILPROBE_EVENT_TEXT_H
#define MAILPROBE_EVENT_TEXT_H

#include <stdio.h>

#include <jansson.h>

/* A paragraph: how it stands, since when, what it is called; its summary; what people said. */
void event_print(const json_t *event, FILE *to);

/* One line of a table: when, state, severity, summary. */
void event_print_row(const json_t *event, FILE *to);

void event_print_json(const json_t *event, FILE *to);

#endif
