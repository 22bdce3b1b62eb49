/* The connections that libcurl talks over: resolved, made and judged by our own transport.
 *
 * libcurl is told one dummy address for every name, so that it never asks a resolver, and gets a
 * socket that is connected already. TLS it does itself, with our store and our verdicts. */
#include "http_private.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "tcp.h"

#include "ban.h"

/* One address may not use up the time of those behind it. */
#define CONNECT_MAX (10 * NS_PER_SECOND)
#define ADDRESSES_MAX 16
/* TEST-NET-1 (RFC 5737): if a packet ever went there, it would not be to a host of anybody's. */
static char nowhere_text[] = "::192.0.2.1:";
static struct curl_slist nowhere = {.data = nowhere_text};

static int session_index = -1; /* of an SSL_CTX: its struct http */

void http_connect_preload(void)
{
	if (session_index == -1)
		session_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL);
}

/* --- addresses ------------------------------------------------------------------------- */

static bool is_loopback(const struct address *address)
{
	if (address->socket.any.sa_family == AF_INET)
		return ntohl(address->socket.v4.sin_addr.s_addr) >> 24 == 127;
	return IN6_IS_ADDR_LOOPBACK(&address->socket.v6.sin6_addr);
}

static bool is_named(const struct http_settings *settings, const char *host)
{
	const char *const *names = settings->named_hosts;

	for (; names != NULL && *names != NULL; names++)
		if (strcasecmp(*names, host) == 0)
			return true;
	return false;
}

static bool is_pinned(const struct http_settings *settings, const struct url *target)
{
	struct address own;

	if (settings->pin == NULL || settings->named_hosts == NULL ||
		settings->named_hosts[0] == NULL ||
		strcasecmp(settings->named_hosts[0], target->host) != 0)
		return false;
	/* Another port is another server. */
	own = *settings->pin;
	if (own.socket.any.sa_family == AF_INET)
		return ntohs(own.socket.v4.sin_port) == target->port;
	return ntohs(own.socket.v6.sin6_port) == target->port;
}

static int find_addresses(struct exchange *exchange, struct address *list, size_t *count)
{
	const struct http_settings *settings = &exchange->http->settings;
	const struct url *target = &exchange->target;
	int64_t began = clock_now();
	int result;

	*count = 1;
	if (is_pinned(settings, target)) {
		list[0] = *settings->pin;
		return 0;
	}
	if (address_literal(target->host, target->port, &list[0]))
		return 0;
	result = dns_addresses(settings->dns, target->host, target->port, settings->ip,
		exchange->request->deadline, list, ADDRESSES_MAX, count, &exchange->why);
	exchange->resolve_ns = clock_now() - began;
	return result;
}

/* A name that a server gave us may not lead into the networks that only we can reach. Addresses
 * are looked at, not names: a name may be made to point anywhere. */
static int drop_private(struct exchange *exchange, struct address *list, size_t *count)
{
	const struct http_settings *settings = &exchange->http->settings;
	size_t kept = 0;

	if (settings->allow_private || is_named(settings, exchange->target.host))
		return 0;
	for (size_t i = 0; i < *count; i++)
		if (!address_is_private(&list[i]))
			list[kept++] = list[i];
	*count = kept;
	if (kept > 0)
		return 0;
	return failure_set(&exchange->why, ERROR_HTTP_POLICY,
		"%s is in a private network and the scenario does not name it (allow_private)",
		exchange->server);
}

/* --- TCP ------------------------------------------------------------------------------- */

static struct deadline share_of(struct deadline deadline, size_t addresses_left)
{
	int64_t share = deadline_left(deadline) / (int64_t)addresses_left;

	return deadline_earlier(deadline, deadline_in(share < CONNECT_MAX ? share : CONNECT_MAX));
}

static void note_attempt(
	struct exchange *exchange, const struct address *address, const struct failure *failed)
{
	struct peer_facts *peer = &exchange->peer;

	transcript_remark(exchange->http->settings.transcript, "%s", failed->text);
	if (peer->attempt_count == ATTEMPTS_MAX)
		return;
	text_copy(peer->attempts[peer->attempt_count].address, ADDRESS_TEXT_SIZE, address->text);
	peer->attempts[peer->attempt_count++].error = failed->type;
}

static int connect_any(
	struct exchange *exchange, const struct address *list, size_t count, size_t *used)
{
	for (size_t i = 0; i < count; i++) {
		struct failure failed = {0};
		int fd = tcp_connect(
			&list[i], share_of(exchange->request->deadline, count - i), &failed);

		text_copy(exchange->peer.address, sizeof(exchange->peer.address), list[i].text);
		*used = i;
		if (fd != -1)
			return fd;
		if (i + 1 == count) {
			exchange->why = failed;
			failure_prefix(&exchange->why, "%s", exchange->server);
			return -1;
		}
		note_attempt(exchange, &list[i], &failed);
	}
	return -1;
}

static bool holds_secrets(const struct exchange *exchange)
{
	return exchange->secret ||
		(exchange->with_credentials && exchange->request->password != NULL);
}

static int check_secrets(struct exchange *exchange, const struct address *address)
{
	if (exchange->target.implicit_tls || is_loopback(address) || !holds_secrets(exchange))
		return 0;
	return failure_set(&exchange->why, ERROR_HTTP_POLICY,
		"a password would go to %s without TLS", exchange->server);
}

static int open_connection(struct exchange *exchange)
{
	struct address list[ADDRESSES_MAX];
	struct http *http = exchange->http;
	struct peer_facts *peer = &exchange->peer;
	size_t count = 0, used = 0;
	int64_t began;
	int fd;

	*peer = (struct peer_facts){0};
	text_copy(peer->server, sizeof(peer->server), exchange->server);
	exchange->connected_anew = true;
	if (find_addresses(exchange, list, &count) == -1 ||
		drop_private(exchange, list, &count) == -1)
		return -1;
	began = clock_now();
	fd = connect_any(exchange, list, count, &used);
	exchange->connect_ns = clock_now() - began;
	if (fd == -1)
		return -1;
	exchange->ready_ns = clock_now();
	/* The round trip of SYN and ACK, in which no server has a part. */
	if (tcp_facts(fd, &http->rtt_seconds, &http->retransmits))
		http->has_network = true;
	transcript_remark(
		http->settings.transcript, "connected to %s (%s)", exchange->server, peer->address);
	if (check_secrets(exchange, &list[used]) == 0)
		return fd;
	close(fd);
	return -1;
}

static curl_socket_t on_open(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct exchange *exchange = context;

	(void)purpose;
	(void)address;
	/* libcurl may try again what has failed for good. */
	return exchange->why.type == ERROR_NONE ? open_connection(exchange) : CURL_SOCKET_BAD;
}

static int on_opened(void *context, curl_socket_t fd, curlsocktype purpose)
{
	(void)context;
	(void)fd;
	(void)purpose;
	return CURL_SOCKOPT_ALREADY_CONNECTED;
}

/* --- TLS ------------------------------------------------------------------------------- */

static struct exchange *exchange_of(const SSL *ssl)
{
	const struct http *http = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), session_index);

	return http->current;
}

static int on_verify(int fine, X509_STORE_CTX *store)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct exchange *exchange = exchange_of(ssl);

	if (fine || exchange == NULL)
		return fine;
	tls_refuse_certificate(X509_STORE_CTX_get_error(store), X509_STORE_CTX_get0_cert(store),
		exchange->target.host, &exchange->why);
	tls_take_facts(ssl, &exchange->peer.tls);
	return 0;
}

static void on_later_handshake(const SSL *ssl, int where, int result)
{
	(void)ssl;
	(void)where;
	(void)result;
}

static void on_handshake(const SSL *ssl, int where, int result)
{
	struct exchange *exchange = exchange_of(ssl);

	(void)result;
	if (exchange == NULL)
		return;
	/* Until here libcurl has made itself a context: that is our time and not the server's. */
	if ((where & SSL_CB_HANDSHAKE_START) != 0) {
		tls_keep_deadline((SSL *)(uintptr_t)ssl, &exchange->http->deadline);
		exchange->ready_ns = clock_now();
	}
	if ((where & SSL_CB_HANDSHAKE_DONE) == 0)
		return;
	/* Session tickets come as if in handshakes of their own, perhaps much later. */
	SSL_set_info_callback((SSL *)(uintptr_t)ssl, on_later_handshake);
	exchange->tls_ns = clock_now() - exchange->ready_ns;
	exchange->ready_ns = clock_now();
	tls_take_facts((SSL *)(uintptr_t)ssl, &exchange->peer.tls);
	transcript_remark(exchange->http->settings.transcript, "%s, %s", exchange->peer.tls.version,
		exchange->peer.tls.cipher);
}

/* The context lives as long as the connection, and with it the session, not the exchange. */
static CURLcode on_context(CURL *easy, void *made, void *context)
{
	struct exchange *exchange = context;
	const struct http_settings *settings = &exchange->http->settings;
	SSL_CTX *ours = trust_context(settings->trust, settings->tls);
	X509_VERIFY_PARAM *param = SSL_CTX_get0_param(made);
	struct address literal;

	(void)easy;
	if (ours == NULL || !X509_STORE_up_ref(SSL_CTX_get_cert_store(ours)))
		return CURLE_SSL_CERTPROBLEM;
	SSL_CTX_set_cert_store(made, SSL_CTX_get_cert_store(ours));
	SSL_CTX_set_min_proto_version(made, settings->tls->min_version);
	SSL_CTX_set_options(made, SSL_OP_NO_RENEGOTIATION);
	if (address_literal(exchange->target.host, 0, &literal)) {
		X509_VERIFY_PARAM_set1_ip_asc(param, exchange->target.host);
	} else {
		X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
		X509_VERIFY_PARAM_set1_host(param, exchange->target.host, 0);
	}
	SSL_CTX_set_ex_data(made, session_index, exchange->http);
	SSL_CTX_set_verify(made, SSL_VERIFY_PEER, on_verify);
	SSL_CTX_set_info_callback(made, on_handshake);
	return CURLE_OK;
}

void http_connect_options(struct exchange *exchange)
{
	CURL *easy = exchange->http->easy;

	curl_easy_setopt(easy, CURLOPT_CONNECT_TO, &nowhere);
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, exchange);
	curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, on_opened);
	curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
	curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
	/* A resumed handshake would be shorter than a user's first one. */
	curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L);
	curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, on_context);
	curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, exchange);
	/* Whether plain HTTP may carry a secret depends on where the connection leads, which is
	 * only looked at when it is made. */
	curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT,
		!exchange->target.implicit_tls && holds_secrets(exchange) ? 1L : 0L);
}
