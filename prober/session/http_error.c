/* What libcurl's codes are called here. A callback of ours that has found something wrong has the
 * first word: libcurl then only knows that it was stopped. */
#include "http_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "ban.h"

int http_too_late(const struct exchange *exchange, struct failure *why)
{
	const char *server = exchange->server;

	if (exchange->first_byte_ns != 0)
		return failure_set(
			why, ERROR_LIMIT_TIME, "%s did not finish its answer in time", server);
	if (exchange->connected_anew && exchange->target.implicit_tls && exchange->tls_ns == 0)
		failure_set(why, ERROR_TCP_TIMEOUT, "%s did not finish the TLS handshake in time",
			server);
	else
		failure_set(why, ERROR_TCP_TIMEOUT, "%s did not answer in time", server);
	why->blame = BLAME_TARGET;
	return -1;
}

static bool said(const struct exchange *exchange, const char *words)
{
	return strcasestr(exchange->error, words) != NULL;
}

/* OpenSSL's "error:0A000102:SSL routines::unsupported protocol" inside libcurl's sentence. */
static unsigned long openssl_error(const struct exchange *exchange)
{
	const char *at = strstr(exchange->error, "error:");

	return at != NULL ? strtoul(at + strlen("error:"), NULL, 16) : 0;
}

static int handshake_failed(struct exchange *exchange, struct failure *why)
{
	unsigned long error = openssl_error(exchange);
	const char *reason = error != 0 ? ERR_reason_error_string(error) : NULL;

	if (ERR_GET_REASON(error) == SSL_R_UNEXPECTED_EOF_WHILE_READING ||
		(error == 0 && said(exchange, "SSL_ERROR_SYSCALL") && !said(exchange, "reset")))
		return failure_set(why, ERROR_TCP_EOF,
			"%s closed the connection during the handshake", exchange->server);
	if (said(exchange, "reset by peer"))
		return failure_set(why, ERROR_TCP_RESET, "TLS handshake with %s: %s",
			exchange->server, strerror(ECONNRESET));
	return failure_set(why, tls_handshake_type(error), "TLS handshake with %s: %s",
		exchange->server, reason != NULL ? reason : exchange->error);
}

/* libcurl has one code for a broken connection and for broken chunks. */
static int receiving_failed(struct exchange *exchange, struct failure *why)
{
	long error = 0;

	curl_easy_getinfo(exchange->http->easy, CURLINFO_OS_ERRNO, &error);
	if (said(exchange, "unexpected eof"))
		return failure_set(why, ERROR_TLS_TRUNCATED,
			"%s closed the connection without ending TLS", exchange->server);
	if (error == ECONNRESET || said(exchange, "reset by peer"))
		return failure_set(why, ERROR_TCP_RESET, "the connection to %s broke: %s",
			exchange->server, strerror(ECONNRESET));
	if (said(exchange, "SSL_ERROR_SYSCALL") || said(exchange, "Recv failure"))
		return failure_set(
			why, ERROR_TCP_EOF, "%s closed the connection", exchange->server);
	return failure_set(why, ERROR_HTTP_MALFORMED, "the answer of %s is broken: %s",
		exchange->server, exchange->error);
}

static int malformed(struct exchange *exchange, CURLcode code, struct failure *why)
{
	return failure_set(why, ERROR_HTTP_MALFORMED, "the answer of %s is broken: %s",
		exchange->server,
		exchange->error[0] != '\0' ? exchange->error : curl_easy_strerror(code));
}

/* A closed connection before, or in the middle of, what was announced. */
static int cut_short(struct exchange *exchange, CURLcode code, struct failure *why)
{
	if (code == CURLE_GOT_NOTHING)
		return failure_set(why, ERROR_TCP_EOF, "%s closed the connection without an answer",
			exchange->server);
	return failure_set(why, ERROR_HTTP_MALFORMED,
		"%s closed the connection before the end of its answer (%zu bytes of %lld)",
		exchange->server, exchange->reply.body.length, (long long)exchange->content_length);
}

static int other(struct exchange *exchange, CURLcode code, struct failure *why)
{
	/* A header line that grows beyond libcurl's own limit ends as this, too. */
	if (code == CURLE_OUT_OF_MEMORY && exchange->ready_ns != 0)
		return failure_set(why, ERROR_LIMIT_SIZE,
			"%s sent a header line longer than any honest one", exchange->server);
	return failure_set(why, ERROR_LOCAL_RESOURCE, "%s: %s", exchange->server,
		exchange->error[0] != '\0' ? exchange->error : curl_easy_strerror(code));
}

int http_explain(struct exchange *exchange, CURLcode code, struct failure *why)
{
	if (exchange->why.type != ERROR_NONE) {
		if (why->type == ERROR_NONE)
			*why = exchange->why;
		return -1;
	}
	switch ((int)code) {
	case CURLE_OPERATION_TIMEDOUT:
		return http_too_late(exchange, why);
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
		return handshake_failed(exchange, why);
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
		return receiving_failed(exchange, why);
	case CURLE_GOT_NOTHING:
	case CURLE_PARTIAL_FILE:
		return cut_short(exchange, code, why);
	case CURLE_FILESIZE_EXCEEDED:
		return failure_set(why, ERROR_LIMIT_SIZE,
			"%s announces an answer longer than a number can say", exchange->server);
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_BAD_CONTENT_ENCODING:
	case CURLE_HTTP2:
	case CURLE_HTTP2_STREAM:
		return malformed(exchange, code, why);
	default:
		return other(exchange, code, why);
	}
}
