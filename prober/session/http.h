/* http - a browser without a screen: requests over libcurl, on our own terms.
 *
 * Names are resolved and connections made by our own transport, certificates are judged by our
 * own store, and each redirect is looked at before it is followed, so that a DNS, TCP or TLS
 * trouble has the same name here as in a mail protocol. A session keeps cookies and connections
 * and belongs to one thread. RFC 9110, 9112, 9113, 6265.
 *
 * What a session never does: send a secret without TLS (but to this machine itself), carry
 * credentials to another origin, step down from https to http, or follow a name into a private
 * network that the scenario does not name.
 */
#ifndef MAILPROBE_HTTP_H
#define MAILPROBE_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "clock.h"
#include "dns.h"
#include "failure.h"
#include "field.h"
#include "peer.h"
#include "stream.h"
#include "text.h"
#include "timings.h"
#include "transcript.h"
#include "trust.h"

#define HTTP_BODY_MAX ((size_t)8 << 20) /* decoded bytes of one answer, if nothing else is said */
#define HTTP_REDIRECTS_MAX 10

/* Of one request in a record: what http_requests gives. */
extern const struct field http_request_fields[];

struct http;

struct http_settings {
	struct dns *dns;
	enum ip_choice ip;
	const struct tls_settings *tls;
	const struct trust *trust;     /* trust_prepare has been called for `tls` */
	const struct timings *timings; /* names the step's phase in the facts; may be NULL */
	struct transcript *transcript;
	bool allow_private;             /* names may lead into private and loopback networks */
	const char *const *named_hosts; /* the scenario's own, NULL at the end: lead anywhere */
	const struct address *pin; /* the first of them is there, and its port; NULL: resolve it */
};

enum http_auth {
	HTTP_AUTH_NONE,
	HTTP_AUTH_BASIC, /* at once, RFC 7617 */
	HTTP_AUTH_ANY,   /* what the server offers first: Digest or Basic; costs a round trip */
	HTTP_AUTH_AWS,   /* Signature Version 4; libcurl signs neither a query of several values nor a
			  * path with escapes right */
};

struct http_request {
	const char *method;         /* NULL: GET */
	const char *url;            /* absolute, http or https */
	const char *const *headers; /* "Name: value", NULL at the end; or NULL */
	const char *body;           /* or NULL */
	size_t body_length;
	const char *content_type; /* of the body; NULL: it is among the headers */
	enum http_auth auth;
	const char *username, *password;
	const char *aws_scope; /* of HTTP_AUTH_AWS: "region:service"; the user is the access key */
	bool secret;           /* URL, headers or body hold a secret */
	bool keep_redirect;    /* a redirect is an answer like any other */
	size_t max_bytes;      /* of the decoded body; 0: HTTP_BODY_MAX */
	struct deadline deadline;
};

struct http_reply {
	int status;
	char *url;      /* of the answer, after all redirects */
	char *location; /* where it redirects to, absolute; or NULL */
	char content_type[128];
	struct text headers; /* lines of the last answer, LF at each end */
	struct text body;    /* decoded */
	unsigned int redirects;
	double first_byte_seconds; /* from the last request's start; without connecting */
};

/* Loads what libcurl and OpenSSL read from files. Before the jail, and before any thread. */
void http_preload(void);

/* NULL with local.resource. What the settings point to must outlive the session. */
struct http *http_open(const struct http_settings *settings, struct failure *why);
/* Closes all connections. NULL is fine; nulls it. */
void http_close(struct http **http);

/* One request and the redirects behind it. 0 with any status that the server gives; reply_r is
 * then the caller's, until http_reply_free. -1 with dns.*, tcp.*, tls.*, http.malformed,
 * http.redirect (a loop, or more than HTTP_REDIRECTS_MAX), http.policy (see above), limit.size
 * or limit.time; nothing is then in reply_r. */
int http_fetch(struct http *http, const struct http_request *request, struct http_reply *reply_r,
	struct failure *why);
void http_reply_free(struct http_reply *reply);

/* Fails with http.status, or http.busy for 429 and 503, unless the status is 2xx. */
int http_expect_success(const struct http_reply *reply, struct failure *why);

/* Value of a header of the answer, in any case of letters, into a buffer: false if there is
 * none. */
bool http_header(const struct http_reply *reply, const char *name, char *value, size_t size);

/* Sets a cookie as a script of that page would; gets the value of one into a buffer, false if
 * there is none. Names and values must be fit for a header. */
void http_cookie_set(struct http *http, const char *url, const char *name, const char *value);
bool http_cookie(const struct http *http, const char *name, char *value, size_t size);

/* The facts of all requests so far: a new reference. */
json_t *http_requests(const struct http *http);
/* Sums over all requests so far. */
size_t http_request_count(const struct http *http);
size_t http_bytes(const struct http *http);
/* The first connection, lent. */
const struct peer_facts *http_peer(const struct http *http);
/* Of the last connection; false if there is none or the kernel does not say. */
bool http_network(const struct http *http, double *rtt_seconds_r, unsigned int *retransmits_r);

/* --- URLs; libcurl's parser is the only one that looks at them -------------------------- */

/* What `reference` means on the page `base`; NULL unless that is http or https. The caller
 * frees it. */
char *http_url_join(const char *base, const char *reference);
/* Scheme, host and port are the same. */
bool http_same_origin(const char *a, const char *b);
/* Scheme, host, port and path: fit to be shown. "?..." stands for a query that was left out. */
void http_url_shown(const char *url, struct text *shown);
/* The host alone, lower case, without brackets; "" if it is no URL. */
void http_url_host(const char *url, char *host, size_t size);

/* Appends name=value to a form (application/x-www-form-urlencoded), with "&" between. */
void http_form_add(struct text *form, const char *name, const char *value);

#endif
