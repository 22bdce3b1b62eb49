/* http_private - one exchange under way, for the files that make up a session. */
#ifndef MAILPROBE_HTTP_PRIVATE_H
#define MAILPROBE_HTTP_PRIVATE_H

#include <stdint.h>

#include <curl/curl.h>

#include "http.h"
#include "url.h"

/* An honest page needs a few kilobytes of them. */
#define HTTP_HEADERS_MAX ((size_t)256 << 10)
#define HTTP_HEADER_LINES_MAX 1000
#define HTTP_REQUESTS_SHOWN 64

struct http {
	struct http_settings settings;
	CURLM *multi;
	CURL *easy;
	struct exchange *current; /* NULL between exchanges */
	struct deadline deadline; /* of the newest exchange */
	json_t *requests;
	size_t count;
	size_t bytes;
	struct peer_facts peer; /* of the first connection */
	bool has_peer;
	double rtt_seconds;
	unsigned int retransmits;
	bool has_network;
};

/* One request and its answer; redirects are exchanges of their own. */
struct exchange {
	struct http *http;
	const struct http_request *request;
	const char *url;
	const char *method;
	bool with_body;
	bool with_credentials; /* headers of the request, user and password */
	bool secret;           /* what is sent holds a secret */
	struct url target;
	char server[288];
	bool connected_anew;
	struct peer_facts peer; /* of a connection made anew */
	struct failure why;     /* what a callback of ours has found wrong */

	int64_t began_ns;
	int64_t resolve_ns, connect_ns; /* durations; 0: not done */
	int64_t ready_ns;               /* bytes can flow: after TCP and TLS */
	int64_t tls_ns;
	int64_t first_byte_ns;
	int64_t ended_ns;
	size_t wire_bytes;

	size_t header_lines;
	int64_t content_length; /* stated; -1: not */
	struct http_reply reply;
	size_t body_max;
	char error[CURL_ERROR_SIZE];
};

/* --- http_connect.c: names, addresses, certificates -------------------------------------- */

/* Once for the process. */
void http_connect_preload(void);
/* Sets the callbacks by which libcurl gets its connections from us. */
void http_connect_options(struct exchange *exchange);

/* --- http_transfer.c: bytes -------------------------------------------------------------- */

/* Performs the exchange up to its last byte; -1 with why set. */
int http_transfer(struct exchange *exchange, struct failure *why);

/* --- http_error.c: what libcurl's codes mean --------------------------------------------- */

int http_explain(struct exchange *exchange, CURLcode code, struct failure *why);
/* The deadline has passed. */
int http_too_late(const struct exchange *exchange, struct failure *why);

#endif
