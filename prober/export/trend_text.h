/* trend_text - a trend record as a person wants to see it: how many runs failed, and for each
 * metric a small chart, its percentiles, and what is remarkable about it. */
#ifndef MAILPROBE_TREND_TEXT_H
#define MAILPROBE_TREND_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <jansson.h>

struct trend_style {
	bool colour;
	bool unicode;
};

/* By the locale. */
struct trend_style trend_style(bool colour);

#define TREND_CHART_COLUMNS 28

/* Whose it is, up to when, and the failure rates. */
void trend_print_head(const json_t *trend, const struct trend_style *style, FILE *to);

/* One metric of it; columns are the chart's values, NAN where there is none. */
void trend_print_metric(const char *name, const json_t *metric,
	const double columns[static TREND_CHART_COLUMNS], const struct trend_style *style,
	FILE *to);

#endif
