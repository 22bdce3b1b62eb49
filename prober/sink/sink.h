/* sink - where events go: a webhook, a pager, a chat, a cloud, a program that heals.
 *
 * A sink type is one const descriptor at the foot of its file, and one line in meson.build. It
 * makes a request of an event and nothing else: sockets, retries and order are others' business
 * (post.c, courier.h, outbox.h), so that they are the same for all. What is not HTTP is brought
 * by the type itself, over a connection of ours.
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

struct dns;
struct http;
struct http_reply;
struct sink_type;
struct tls_settings;
struct transcript;
struct trust;

/* One sink of a scenario, checked. Lives as long as the scenario. */
struct sink {
	const struct sink_type *type;
	const char *name;
	const json_t *config;
};

/* What a setting of the kind field_secret leads to. */
struct sink_secret {
	const char *name; /* of the setting; NULL at the end of a list */
	char *value;
};
#define SINK_SECRETS_MAX 4

/* One revision of an event on its way to a sink. */
struct sink_event {
	const json_t *event;
	const char *id;                    /* "<event_id>.<revision>": the same at each attempt */
	const struct sink_secret *secrets; /* NULL: it has none */
	int64_t wall_ns;                   /* of this attempt */
	int64_t every_ns;                  /* how often the scenario is run; 0: not known */
	unsigned int part; /* 0, then 1 and so on after a request that says `more` */
};

#define SINK_HEADERS_MAX 4
#define SINK_HEADER_SIZE 8192
#define SINK_BODY_MAX ((size_t)1 << 20)

struct sink_request {
	const char *method; /* POST unless it is changed */
	struct text url;
	struct text body;
	const char *content_type;
	char headers[SINK_HEADERS_MAX][SINK_HEADER_SIZE]; /* "Name: value" */
	size_t header_count;
	bool more; /* once this one is taken, the event has another part to be composed */
	/* Signed as AWS has it (Signature Version 4), for "region:service"; "": not. Lent. */
	char aws_scope[96];
	const char *access_key, *secret_key;
};

/* How a sink that does not speak HTTP gets where it wants to; lent. */
struct sink_way {
	struct dns *dns;
	const struct trust *trust;
	const struct tls_settings *tls;
	struct transcript *transcript;
	int local; /* what `reach` has opened; -1: nothing */
};

struct sink_answer;

struct sink_type {
	const char *name;           /* of its file and in scenarios */
	const char *summary;        /* half a sentence */
	const struct field *fields; /* its settings, beside sink_common_fields */
	/* Fills in url, body, content_type and headers of a request. Fails with config.secret. NULL:
	 * it is brought there by `bring`, or the sink is a program, which hook.h runs. */
	int (*compose)(const struct sink *sink, const struct sink_event *event,
		struct sink_request *request, struct failure *why);
	/* Whether a refusal is over soon, whatever its status says: some vendors say so in the body.
	 * May be NULL. */
	bool (*passes)(const struct http_reply *reply);
	/* Brings the event there by another protocol, in its time. */
	void (*bring)(const struct sink *sink, const struct sink_event *event,
		const struct sink_way *way, struct deadline deadline,
		struct sink_answer *answer_r);
	/* Opens, while there still are files, what `bring` writes to: a descriptor, -1 if it needs
	 * none, or -1 with a failure. May be NULL. */
	int (*reach)(const struct sink *sink, struct failure *why);
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

/* What a server that asks for it is shown of us (TLS client authentication), of senders over other
 * protocols than HTTP. */
#define SINK_CLIENT_CERTIFICATE "client_certificate"
#define SINK_CLIENT_KEY "client_key"

/* NULL if there is none of that name. */
const struct sink_type *sink_type_find(const char *name);

/* It is run, by hook.h, not sent. */
bool sink_is_program(const struct sink *sink);

/* A setting; NULL if it was left out. */
const char *sink_string(const struct sink *sink, const char *name);
/* Nanoseconds; 0 if it was left out. */
int64_t sink_duration(const struct sink *sink, const char *name);

/* What was read for a setting of the kind field_secret; NULL if it was left out. */
const char *sink_secret(const struct sink_event *event, const char *name);

/* Appends "Name: value"; what does not fit is a mistake of the type's. */
void sink_header(struct sink_request *request, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* The JSON text of the object becomes the body; takes the reference. */
void sink_body(struct sink_request *request, json_t *object);

/* "" if the event has no such string. */
const char *event_string(const json_t *event, const char *key);
/* Where it was seen from. */
const char *event_vantage(const json_t *event);
/* What follows the last slash of the dedup key. */
const char *event_rule(const json_t *event);
bool event_is(const json_t *event, const char *state);
/* The note for whose sake this revision was made, an object with `by` and `text`; NULL if it was
 * made for something else. */
const json_t *event_new_note(const json_t *event);

/* A string of at most so many characters, counted as UTF-16 has them; what was cut ends in "...".
 * A new reference. */
json_t *fit_text(const char *text, size_t max);
/* A copy whose JSON text has at most so many bytes: what is too much of it is left out, the
 * largest first, and named in `left_out`; never what tells which event it is. A new reference. */
json_t *fit_event(const json_t *event, size_t max);

enum sink_verdict {
	SINK_TAKEN,
	SINK_LATER,   /* try again: the network, 408, 425, 429, 5xx */
	SINK_REFUSED, /* it will not be taken like this: any other status */
};

struct sink_answer {
	enum sink_verdict verdict;
	int64_t retry_after_ns; /* what the server asked for; 0: nothing */
	char sentence[256];     /* how it went; holds nothing that the server made up */
};

/* Says why it was not taken. The verdict is the caller's: what can never be sent is not tried
 * again. */
void sink_failed(struct sink_answer *answer, const struct failure *why);

/* Composes and posts the event over an open session, and judges the answer. */
void sink_post(struct http *http, const struct sink *sink, const struct sink_event *event,
	struct deadline deadline, struct sink_answer *answer_r);

/* What Retry-After asks for at that time (RFC 9110, 10.2.3): nanoseconds, a day at most; 0 if it
 * makes no sense. */
int64_t sink_retry_after(const char *value, int64_t wall_ns);

#endif
