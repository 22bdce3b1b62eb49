/* trend_window - one window of one metric: its percentiles and how far they can be trusted. */
#ifndef MAILPROBE_TREND_WINDOW_H
#define MAILPROBE_TREND_WINDOW_H

#include <stddef.h>

#include <jansson.h>

#include "quantile.h"

/* A new object (record.h, window_fields) of n values, which it reorders. */
json_t *trend_window(struct observation *observations, size_t n);

#endif
