/* stream - one connection: bytes over TCP and TLS, timed, with a deadline and a cap.
 *
 * Phases (resolve, connect, tls, starttls) are begun here, once for all protocols. The first
 * failure sticks: every later call fails at once, and stream_failure says why. Nothing here
 * trusts a size that the server states.
 */
#ifndef MAILPROBE_STREAM_H
#define MAILPROBE_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "clock.h"
#include "dns.h"
#include "failure.h"
#include "peer.h"
#include "timings.h"
#include "tls.h"
#include "transcript.h"
#include "trust.h"

#define ATTEMPTS_MAX 8

/* What is known of the other end; filled as far as it got, also on failure. */
struct peer_facts {
	char server[288]; /* host:port as the scenario names it */
	char address[ADDRESS_TEXT_SIZE];
	struct tls_facts tls;
	struct {
		char address[ADDRESS_TEXT_SIZE];
		enum error_type error;
	} attempts[ATTEMPTS_MAX]; /* addresses that failed */
	size_t attempt_count;
};

struct stream_order {
	const struct endpoint *endpoint;
	const struct address *address; /* the one to connect to; NULL: the host is resolved */
	const struct tls_settings *tls;
	enum ip_choice ip;
	struct dns *dns;
	const struct trust *trust;
	struct timings *timings;
	struct transcript *transcript;
	struct deadline deadline;
};

struct stream;

/* Resolves, connects (each address in turn, IPv6 first), and shakes hands if the endpoint has
 * TLS from the start. NULL on failure. What the order points to must outlive the stream. */
struct stream *stream_open(
	const struct stream_order *order, struct peer_facts *facts_r, struct failure *why);

/* TLS in place, after the protocol has agreed on it; phase `starttls` is the caller's to begin.
 * Fails with tls.injected if plaintext came behind the server's agreement (`buffered` says how
 * much the protocol layer holds unread). */
int stream_start_tls(struct stream *stream, size_t buffered, struct peer_facts *facts);

/* True over TLS, and to a loopback address: nothing else may see a credential. */
bool stream_may_carry_secrets(const struct stream *stream);

/* At least one byte, or -1 (end of stream too). */
ssize_t stream_read(struct stream *stream, void *buffer, size_t size);

/* True if the server has sent something that nobody has read yet. Does not wait. */
bool stream_has_unread(struct stream *stream);

/* All of it, or -1. */
int stream_write(struct stream *stream, const void *buffer, size_t size);

/* A new exchange begins: from here on the server may send that many bytes. */
void stream_allow(struct stream *stream, size_t bytes);

void stream_set_deadline(struct stream *stream, struct deadline deadline);
struct deadline stream_deadline(const struct stream *stream);

/* Ends the stream from our side with a reason (a cap, a malformed answer). Returns -1. */
int stream_fail(struct stream *stream, enum error_type type, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Why it failed; type ERROR_NONE if it did not. */
const struct failure *stream_failure(const struct stream *stream);

/* host:port, for sentences. */
const char *stream_server(const struct stream *stream);
struct transcript *stream_transcript(const struct stream *stream);
struct timings *stream_timings(const struct stream *stream);
/* The certificates that the server has shown, its own first: the caller's until
 * sk_X509_pop_free. NULL without TLS. */
STACK_OF(X509) *stream_peer_chain(const struct stream *stream);
int stream_fd(const struct stream *stream);

/* For protocols without replies: ends our side, and waits until the server has ended its own; what
 * it still says is thrown away. 0 if it has read everything: it answered our close_notify with its
 * own (RFC 8446, 6.1), closed the connection with nothing of ours unread in it (or it would
 * have been reset), and its kernel has acknowledged all that we sent. -1 if not, or not in time. */
int stream_finish(struct stream *stream);

/* Says goodbye by TLS (without waiting) and closes. NULL is fine; nulls it. */
void stream_close(struct stream **stream);

#endif
