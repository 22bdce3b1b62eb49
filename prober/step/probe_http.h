/* probe_http - a step's HTTP session, by the settings of its account, and what it leaves behind in
 * the record. For all steps that speak HTTP. */
#ifndef MAILPROBE_PROBE_HTTP_H
#define MAILPROBE_PROBE_HTTP_H

#include "http.h"
#include "probe.h"

/* Rows for a step type's facts. */
#define HTTP_FACTS                                                                                 \
	{"request_count", &field_integer, FIELD_METRIC, "requests, redirects included"},           \
		{"bytes", &field_integer, FIELD_METRIC,                                            \
			"received in all, as they came over the wire"},                            \
	{                                                                                          \
		"requests", &field_list, 0, "each of them, in order, at most 64",                  \
			.item = &field_object, .fields = http_request_fields                       \
	}

/* Opens a session; `hosts` are those that the scenario names, NULL at the end, and must outlive
 * it. With `pin` the first of them is at that address. NULL with local.resource. */
struct http *probe_http(struct probe *probe, const char *const *hosts, const struct address *pin,
	struct failure *why);

/* Puts the requests, their sums and the first connection's peer into an object. */
void probe_http_facts(json_t *facts, const struct http *http);

/* What a type with such sessions has as `preload`. */
void probe_http_preload(void);

#endif
