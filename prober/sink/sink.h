/* sink - where events go: a webhook, Alertmanager, a program that heals.
 *
 * A sink type is one const descriptor at the foot of its file, and one line in meson.build. It
 * makes a request of an event and nothing else: sockets, retries and order are others' business
 * (post.c, courier.h, outbox.h), so that they are the same for all.
 */
#ifndef MAILPROBE_SINK_H
#define MAILPROBE_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "clock.h"
#include "failure.h"
#include "field.h"
#include "text.h"

struct http;
struct sink_type;

/* One sink of a scenario, checked. Lives as long as the scenario. */
struct sink {
	const struct sink_type *type;
	const char *name;
	const json_t *config;
};

/* One revision of an event on its way to a sink. */
struct sink_event {
	const json_t *event;
	const char *id;     /* "<event_id>.<revision>": the same at each attempt */
	const char *secret; /* of the sink's setting "secret"; NULL: it has none */
	int64_t wall_ns;    /* of this attempt */
	int64_t every_ns;   /* how often the scenario is run; 0: not known */
};

#define SINK_HEADERS_MAX 4
#define SINK_HEADER_SIZE 256
#define SINK_BODY_MAX ((size_t)1 << 20)

struct sink_request {
	struct text url;
	struct text body;
	const char *content_type;
	char headers[SINK_HEADERS_MAX][SINK_HEADER_SIZE]; /* "Name: value" */
	size_t header_count;
};

struct sink_type {
	const char *name;           /* of its file and in scenarios */
	const char *summary;        /* half a sentence */
	const struct field *fields; /* its settings, beside sink_common_fields */
	/* Fills in url, body, content_type and headers of a POST. Fails with config.secret. NULL:
	 * the sink is a program, which hook.h runs. */
	int (*compose)(const struct sink *sink, const struct sink_event *event,
		struct sink_request *request, struct failure *why);
	bool stands; /* it forgets an open event that is not said again */
};

/* All of them, NULL at the end. */
extern const struct sink_type *const sink_types[];
/* Settings that each sink has. */
extern const struct field sink_common_fields[];

/* The row of a field table that all senders over HTTP share. */
#define SINK_CA_FILE                                                                               \
	{                                                                                          \
		"ca_file", &field_text, 0,                                                         \
			"PEM file of the authorities to trust instead of the system's; relative "  \
			"to the "                                                                  \
			"scenario file"                                                            \
	}

/* NULL if there is none of that name. */
const struct sink_type *sink_type_find(const char *name);

/* A setting; NULL if it was left out. */
const char *sink_string(const struct sink *sink, const char *name);
/* Nanoseconds; 0 if it was left out. */
int64_t sink_duration(const struct sink *sink, const char *name);

/* Appends "Name: value"; what does not fit is a mistake of the type's. */
void sink_header(struct sink_request *request, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* The JSON text of the object becomes the body; takes the reference. */
void sink_body(struct sink_request *request, json_t *object);

/* "" if the event has no such string. */
const char *event_string(const json_t *event, const char *key);
/* Where it was seen from. */
const char *event_vantage(const json_t *event);

enum sink_verdict {
	SINK_TAKEN,
	SINK_LATER,   /* try again: the network, 408, 429, 5xx, a redirect, credentials */
	SINK_REFUSED, /* this event will never be taken */
};

struct sink_answer {
	enum sink_verdict verdict;
	int64_t retry_after_ns; /* what the server asked for; 0: nothing */
	char sentence[256];     /* how it went; holds nothing that the server made up */
};

/* Composes and posts the event over an open session, and judges the answer. */
void sink_post(struct http *http, const struct sink *sink, const struct sink_event *event,
	struct deadline deadline, struct sink_answer *answer_r);

/* What Retry-After asks for at that time (RFC 9110, 10.2.3): nanoseconds, a day at most; 0 if it
 * makes no sense. */
int64_t sink_retry_after(const char *value, int64_t wall_ns);

#endif
