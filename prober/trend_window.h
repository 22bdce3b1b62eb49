/* trend_window - one window of one metric: its percentiles and how far they can be trusted. */
#ifndef MAILPROBE_TREND_WINDOW_H
#define MAILPROBE_TREND_WINDOW_H

#include <stddef.h>

#include <jansson.h>

#include "quantile.h"
#include "rollup.h"

/* A new object (record.h, window_fields) of n values, which it reorders. */
json_t *trend_window(struct observation *observations, size_t n);

/* The same by a roll-up, whose percentiles are off by a little; NULL: of no value. */
json_t *trend_window_rolled(const struct rollup_metric *metric);

#endif
