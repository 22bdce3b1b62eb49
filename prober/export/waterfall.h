/* waterfall - a result record as a person wants to see it: each step, its phases on a time line,
 * the delivery times with their error bounds. */
#ifndef MAILPROBE_WATERFALL_H
#define MAILPROBE_WATERFALL_H

#include <stdbool.h>
#include <stdio.h>

#include <jansson.h>

struct waterfall_style {
	bool colour;
	bool unicode;
	int width; /* of the terminal, in columns */
	bool transcript; /* all of what was said, not only the end of what went wrong */
};

/* By the terminal's size and the locale; 80 columns where there is no terminal. */
struct waterfall_style waterfall_style(FILE *to, bool colour);

/* Where the line of the record lies. */
void waterfall_print_place(const json_t *record, const char *results_dir, FILE *to);

void waterfall_print(const json_t *record, const struct waterfall_style *style, FILE *to);

/* One line on what went wrong, for a log or a mail from cron; nothing on pass and warn. */
void waterfall_complain(const json_t *record, FILE *to);

#endif
