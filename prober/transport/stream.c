#include "stream.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>

#include "tcp.h"
#include "text.h"

#include "ban.h"

/* One address may not use up the time of those behind it. */
#define CONNECT_MAX (10 * NS_PER_SECOND)
#define ADDRESSES_MAX 16
#define FIRST_ALLOWANCE (64 * 1024)

struct stream {
	int fd;
	SSL *ssl;
	struct stream_order order;
	struct endpoint endpoint;
	char server[288];
	struct deadline deadline;
	size_t allowed;     /* bytes the server may still send in this exchange */
	bool asked;         /* something was sent that nothing was heard of yet */
	bool heard_of;      /* the server has sent something in this exchange */
	struct failure why;
};

int stream_fail(struct stream *stream, enum error_type type, const char *format, ...)
{
	char text[FAILURE_TEXT_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	failure_set(&stream->why, type, "%s", text);
	return -1;
}

const struct failure *stream_failure(const struct stream *stream)
{
	return &stream->why;
}

const char *stream_server(const struct stream *stream)
{
	return stream->server;
}

struct transcript *stream_transcript(const struct stream *stream)
{
	return stream->order.transcript;
}

struct timings *stream_timings(const struct stream *stream)
{
	return stream->order.timings;
}

int stream_fd(const struct stream *stream)
{
	return stream->fd;
}

bool stream_may_carry_secrets(const struct stream *stream)
{
	struct sockaddr_storage peer = {0};
	socklen_t length = sizeof(peer);

	if (stream->ssl != NULL)
		return true;
	if (getpeername(stream->fd, (struct sockaddr *)&peer, &length) == -1)
		return false;
	if (peer.ss_family == AF_INET6)
		return IN6_IS_ADDR_LOOPBACK(&((struct sockaddr_in6 *)&peer)->sin6_addr);
	return ntohl(((struct sockaddr_in *)&peer)->sin_addr.s_addr) >> 24 == 127;
}

void stream_allow(struct stream *stream, size_t bytes)
{
	stream->allowed = bytes;
	stream->heard_of = false;
}

void stream_set_deadline(struct stream *stream, struct deadline deadline)
{
	stream->deadline = deadline;
}

struct deadline stream_deadline(const struct stream *stream)
{
	return stream->deadline;
}

/* --- opening --------------------------------------------------------------------------- */

static int find_addresses(const struct stream_order *order, struct address *list, size_t *count,
	struct failure *why)
{
	const struct endpoint *endpoint = order->endpoint;

	*count = 1;
	if (order->address != NULL) {
		list[0] = *order->address;
		return 0;
	}
	if (address_literal(endpoint->host, endpoint->port, &list[0]))
		return 0;
	timings_begin(order->timings, "resolve");
	return dns_addresses(order->dns, endpoint->host, endpoint->port, order->ip, order->deadline,
		list, ADDRESSES_MAX, count, why);
}

static void note_attempt(struct peer_facts *facts, const struct address *address,
	const struct failure *why)
{
	if (facts->attempt_count == ATTEMPTS_MAX)
		return;
	text_copy(facts->attempts[facts->attempt_count].address, ADDRESS_TEXT_SIZE, address->text);
	facts->attempts[facts->attempt_count++].error = why->type;
}

static struct deadline share_of(struct deadline deadline, size_t addresses_left)
{
	int64_t share = deadline_left(deadline) / (int64_t)addresses_left;

	return deadline_earlier(
		deadline, deadline_in(share < CONNECT_MAX ? share : CONNECT_MAX));
}

/* The descriptor of the first address that answers. */
static int connect_any(const struct stream_order *order, const struct address *list,
	size_t count, struct peer_facts *facts, struct failure *why)
{
	timings_begin(order->timings, "connect");
	for (size_t i = 0; i < count; i++) {
		struct failure failed = {0};
		int64_t began = clock_now();
		int fd = tcp_connect(&list[i], share_of(order->deadline, count - i), &failed);

		text_copy(facts->address, sizeof(facts->address), list[i].text);
		if (fd != -1) {
			timings_waited(order->timings, 1, clock_now() - began);
			return fd;
		}
		if (i + 1 == count) {
			*why = failed;
			break;
		}
		note_attempt(facts, &list[i], &failed);
		transcript_remark(order->transcript, "%s", failed.text);
	}
	return failure_prefix(why, "%s", facts->server);
}

static int shake_hands(struct stream *stream, struct peer_facts *facts)
{
	const struct stream_order *order = &stream->order;
	int64_t began = clock_now();

	stream->ssl = tls_handshake(trust_context(order->trust, order->tls), stream->fd,
		stream->endpoint.host, order->tls->report_only, &stream->deadline, &facts->tls,
		&stream->why);
	if (stream->ssl == NULL)
		return -1;
	/* RFC 8446 has halved what RFC 5246 needs. */
	timings_waited(order->timings, strcmp(facts->tls.version, "TLSv1.3") == 0 ? 1 : 2,
		clock_now() - began);
	transcript_remark(order->transcript, "%s, %s", facts->tls.version, facts->tls.cipher);
	return 0;
}

static struct stream *stream_new(int fd, const struct stream_order *order, const char *server)
{
	struct stream *stream = malloc(sizeof(*stream));

	if (stream == NULL)
		return NULL;
	*stream = (struct stream){
		.fd = fd,
		.order = *order,
		.endpoint = *order->endpoint,
		.deadline = order->deadline,
		.allowed = FIRST_ALLOWANCE,
		.asked = true, /* for a greeting, by connecting */
	};
	text_copy(stream->server, sizeof(stream->server), server);
	return stream;
}

struct stream *stream_open(
	const struct stream_order *order, struct peer_facts *facts_r, struct failure *why)
{
	struct address list[ADDRESSES_MAX];
	struct stream *stream;
	size_t count = 0;
	int fd;

	*facts_r = (struct peer_facts){0};
	snprintf(facts_r->server, sizeof(facts_r->server),
		strchr(order->endpoint->host, ':') != NULL ? "[%s]:%d" : "%s:%d",
		order->endpoint->host, order->endpoint->port);
	if (find_addresses(order, list, &count, why) == -1)
		return NULL;
	fd = connect_any(order, list, count, facts_r, why);
	if (fd == -1)
		return NULL;
	transcript_remark(order->transcript, "connected to %s (%s)", facts_r->server,
		facts_r->address);
	stream = stream_new(fd, order, facts_r->server);
	if (stream == NULL) {
		close(fd);
		failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory");
		return NULL;
	}
	if (!order->endpoint->implicit_tls)
		return stream;
	timings_begin(order->timings, "tls");
	if (shake_hands(stream, facts_r) == 0)
		return stream;
	*why = stream->why;
	stream_close(&stream);
	return NULL;
}

STACK_OF(X509) *stream_peer_chain(const struct stream *stream)
{
	STACK_OF(X509) *chain =
		stream->ssl != NULL ? SSL_get_peer_cert_chain(stream->ssl) : NULL;

	return chain != NULL ? X509_chain_up_ref(chain) : NULL;
}

int stream_start_tls(struct stream *stream, size_t buffered, struct peer_facts *facts)
{
	char byte;

	if (stream->why.type != ERROR_NONE)
		return -1;
	/* RFC 3207 section 4.2, CVE-2011-0411: what came before TLS must not count after it. */
	if (buffered > 0 || recv(stream->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0)
		return stream_fail(stream, ERROR_TLS_INJECTED,
			"%s sent plaintext behind its agreement to STARTTLS", stream->server);
	return shake_hands(stream, facts);
}

/* --- bytes ----------------------------------------------------------------------------- */

/* The peer let the time pass: silence and slowness have names of their own. */
static int out_of_time(struct stream *stream)
{
	if (stream->heard_of)
		return stream_fail(stream, ERROR_LIMIT_TIME,
			"%s did not finish its answer in time", stream->server);
	stream_fail(stream, ERROR_TCP_TIMEOUT, "%s did not answer in time", stream->server);
	stream->why.blame = BLAME_TARGET;
	return -1;
}

static int broken(struct stream *stream, int error)
{
	if (error == 0)
		return stream_fail(
			stream, ERROR_TCP_EOF, "%s closed the connection", stream->server);
	return stream_fail(stream, error == ETIMEDOUT ? ERROR_TCP_TIMEOUT : ERROR_TCP_RESET,
		"the connection to %s broke: %s", stream->server, strerror(error));
}

/* Whether the server said why by an alert (RFC 8446, 6.2) before the connection broke beneath a write. */
static bool has_alert(const struct stream *stream)
{
	char byte;

	ERR_clear_error();
	return SSL_get_error(stream->ssl, SSL_peek(stream->ssl, &byte, 1)) == SSL_ERROR_SSL &&
		ERR_GET_REASON(ERR_peek_error()) != SSL_R_UNEXPECTED_EOF_WHILE_READING;
}

static int broken_tls(struct stream *stream, int ssl_error, int error)
{
	unsigned long reason;

	if (ssl_error == SSL_ERROR_ZERO_RETURN)
		return broken(stream, 0);
	if (ssl_error == SSL_ERROR_SYSCALL && !has_alert(stream))
		return broken(stream, error);
	reason = ERR_get_error();
	ERR_clear_error();
	if (ERR_GET_REASON(reason) == SSL_R_UNEXPECTED_EOF_WHILE_READING)
		return stream_fail(stream, ERROR_TLS_TRUNCATED,
			"%s closed the connection without ending TLS", stream->server);
	return stream_fail(stream, ERROR_TLS_HANDSHAKE, "TLS with %s broke: %s", stream->server,
		ERR_reason_error_string(reason) != NULL ? ERR_reason_error_string(reason)
							: "no reason given");
}

/* One try at the socket: bytes moved, 0 after a wait, -1 failed. */
static ssize_t read_some(struct stream *stream, void *buffer, size_t size)
{
	int want = SSL_ERROR_WANT_READ;

	tcp_quickack(stream->fd);
	errno = 0;
	if (stream->ssl != NULL) {
		int got;

		ERR_clear_error();
		got = SSL_read(stream->ssl, buffer, (int)size);
		if (got > 0)
			return got;
		want = SSL_get_error(stream->ssl, got);
		if (want != SSL_ERROR_WANT_READ && want != SSL_ERROR_WANT_WRITE)
			return broken_tls(stream, want, errno);
	} else {
		ssize_t got = recv(stream->fd, buffer, size, 0);

		if (got > 0)
			return got;
		if (got == 0 || (errno != EAGAIN && errno != EINTR))
			return broken(stream, got == 0 ? 0 : errno);
	}
	return tls_wait(stream->fd, want, stream->deadline) == 0 ? 0 : out_of_time(stream);
}

ssize_t stream_read(struct stream *stream, void *buffer, size_t size)
{
	int64_t began = clock_now();
	ssize_t got = 0;

	if (stream->why.type != ERROR_NONE)
		return -1;
	if (size > INT32_MAX)
		size = INT32_MAX;
	while (got == 0) {
		/* A dripping server must not outlive the deadline by never letting us wait. */
		if (deadline_passed(stream->deadline))
			return out_of_time(stream);
		got = read_some(stream, buffer, size);
	}
	if (got < 0)
		return -1;
	timings_waited(stream->order.timings, stream->asked ? 1 : 0, clock_now() - began);
	stream->asked = false;
	stream->heard_of = true;
	if ((size_t)got > stream->allowed)
		return stream_fail(stream, ERROR_LIMIT_SIZE,
			"%s sent more than an answer may be long", stream->server);
	stream->allowed -= (size_t)got;
	return got;
}

bool stream_has_unread(struct stream *stream)
{
	char byte;
	int got;

	if (stream->why.type != ERROR_NONE)
		return false;
	if (stream->ssl == NULL)
		return recv(stream->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
	ERR_clear_error();
	got = SSL_peek(stream->ssl, &byte, 1);
	ERR_clear_error();
	return got > 0;
}

static ssize_t write_some(struct stream *stream, const void *buffer, size_t size)
{
	int want = SSL_ERROR_WANT_WRITE;

	errno = 0;
	if (stream->ssl != NULL) {
		int put;

		ERR_clear_error();
		put = SSL_write(stream->ssl, buffer, (int)size);
		if (put > 0)
			return put;
		want = SSL_get_error(stream->ssl, put);
		if (want != SSL_ERROR_WANT_READ && want != SSL_ERROR_WANT_WRITE)
			return broken_tls(stream, want, errno);
	} else {
		ssize_t put = send(stream->fd, buffer, size, MSG_NOSIGNAL);

		if (put > 0)
			return put;
		if (errno != EAGAIN && errno != EINTR)
			return broken(stream, errno);
	}
	return tls_wait(stream->fd, want, stream->deadline) == 0 ? 0 : out_of_time(stream);
}

int stream_write(struct stream *stream, const void *buffer, size_t size)
{
	const char *at = buffer;

	if (stream->why.type != ERROR_NONE)
		return -1;
	while (size > 0) {
		/* OpenSSL wants the same length again after a wait; a chunk keeps that simple. */
		size_t chunk = size < 16384 ? size : 16384;
		ssize_t put;

		if (deadline_passed(stream->deadline))
			return out_of_time(stream);
		put = write_some(stream, at, chunk);
		if (put < 0)
			return -1;
		stream->asked = true;
		at += put;
		size -= (size_t)put;
	}
	return 0;
}

/* Reads until the server has ended its side. */
static int await_end(struct stream *stream)
{
	char rest[4096];

	while (stream_read(stream, rest, sizeof(rest)) > 0)
		;
	if (stream->why.type != ERROR_TCP_EOF)
		return -1;
	stream->why = (struct failure){0};
	return 0;
}

static int send_close_notify(struct stream *stream)
{
	for (;;) {
		int done, want;

		ERR_clear_error();
		errno = 0;
		done = SSL_shutdown(stream->ssl);
		if (done >= 0)
			return 0;
		want = SSL_get_error(stream->ssl, done);
		if (want != SSL_ERROR_WANT_READ && want != SSL_ERROR_WANT_WRITE)
			return broken_tls(stream, want, errno);
		if (tls_wait(stream->fd, want, stream->deadline) == -1)
			return out_of_time(stream);
	}
}

/* What is left is the bare connection. */
static int end_tls(struct stream *stream)
{
	if (send_close_notify(stream) == -1 || await_end(stream) == -1)
		return -1;
	if ((SSL_get_shutdown(stream->ssl) & SSL_RECEIVED_SHUTDOWN) == 0)
		return stream_fail(stream, ERROR_TLS_TRUNCATED,
			"%s closed the connection without ending TLS", stream->server);
	SSL_free(stream->ssl);
	stream->ssl = NULL;
	return 0;
}

int stream_finish(struct stream *stream)
{
	int error;

	if (stream->why.type != ERROR_NONE)
		return -1;
	stream_allow(stream, FIRST_ALLOWANCE);
	if (stream->ssl != NULL && end_tls(stream) == -1)
		return -1;
	if (shutdown(stream->fd, SHUT_WR) == -1)
		return broken(stream, errno);
	if (await_end(stream) == -1)
		return -1;
	/* It may have ended before our bytes came: then they are answered by a reset. */
	error = tcp_wait_acknowledged(stream->fd, stream->deadline);
	return error == 0 ? 0 : broken(stream, error);
}

void stream_close(struct stream **stream)
{
	if (*stream == NULL)
		return;
	if ((*stream)->ssl != NULL) {
		if ((*stream)->why.type == ERROR_NONE)
			SSL_shutdown((*stream)->ssl);
		ERR_clear_error();
		SSL_free((*stream)->ssl);
	}
	close((*stream)->fd);
	free(*stream);
	*stream = NULL;
}
