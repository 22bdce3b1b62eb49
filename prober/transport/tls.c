#include "tls.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "dns.h"
#include "tcp.h"
#include "text.h"

#include "ban.h"

int tls_wait(int fd, int ssl_error, struct deadline deadline)
{
	struct pollfd poll_fd = {
		.fd = fd, .events = ssl_error == SSL_ERROR_WANT_WRITE ? POLLOUT : POLLIN};

	/* Before the poll: of a flood there is always something to read. */
	if (deadline_passed(deadline))
		return -1;
	tcp_quickack(fd);
	while (poll(&poll_fd, 1, deadline_left_ms(deadline)) < 1)
		if (deadline_passed(deadline))
			return -1;
	return 0;
}

/* OpenSSL reads on as long as all it gets is nothing to us (HelloRequest, KeyUpdate): so the
 * deadline must hold within it. */
static long observe(BIO *bio, int operation, const char *bytes, size_t length, int argument,
	long long_argument, int result, size_t *processed)
{
	const struct deadline *deadline = (const void *)BIO_get_callback_arg(bio);

	(void)bytes;
	(void)length;
	(void)argument;
	(void)long_argument;
	(void)processed;
	if (operation != BIO_CB_READ)
		return (operation & BIO_CB_RETURN) != 0 ? result : 1;
	if (!deadline_passed(*deadline))
		return 1;
	BIO_set_retry_read(bio);
	return -1;
}

void tls_keep_deadline(SSL *ssl, const struct deadline *deadline)
{
	BIO *bio = SSL_get_rbio(ssl);

	BIO_set_callback_ex(bio, observe);
	/* It is called an argument of char, but nobody looks into it. */
	BIO_set_callback_arg(bio, (char *)(uintptr_t)deadline);
}

static enum error_type type_of_verify(long result)
{
	switch (result) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
		return ERROR_TLS_CERT_EXPIRED;
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return ERROR_TLS_CERT_NOT_YET_VALID;
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		return ERROR_TLS_CERT_WRONG_HOST;
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
		return ERROR_TLS_CERT_SELF_SIGNED;
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
		return ERROR_TLS_CERT_UNKNOWN_CA;
	case X509_V_ERR_EE_KEY_TOO_SMALL:
	case X509_V_ERR_CA_KEY_TOO_SMALL:
	case X509_V_ERR_CA_MD_TOO_WEAK:
		return ERROR_TLS_WEAK;
	default:
		return ERROR_TLS_CERT_INVALID;
	}
}

/* After a failed verification only the chain is kept, the server's own certificate first. */
static X509 *own_certificate(const SSL *ssl)
{
	STACK_OF(X509) *chain = SSL_get_peer_cert_chain(ssl);

	return chain != NULL ? sk_X509_value(chain, 0) : NULL;
}

static void add_name(struct text *names, const ASN1_STRING *name)
{
	if (names->length > 0)
		text_puts(names, ", ");
	text_printable(
		names, (const char *)ASN1_STRING_get0_data(name), (size_t)ASN1_STRING_length(name));
}

/* The hosts that a certificate is for. RFC 6125: its common name is not asked. */
static void add_hosts(struct text *detail, X509 *certificate)
{
	GENERAL_NAMES *list = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	struct text names;

	text_init(&names, 120);
	for (int i = 0; list != NULL && i < sk_GENERAL_NAME_num(list); i++) {
		int type = 0;
		const ASN1_STRING *name =
			GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(list, i), &type);

		if (type == GEN_DNS)
			add_name(&names, name);
	}
	text_printf(detail, "it is for %s%s", names.length > 0 ? names.bytes : "no host",
		names.overflowed ? " and more" : "");
	text_free(&names);
	GENERAL_NAMES_free(list);
}

static void add_issuer(struct text *detail, X509 *certificate)
{
	char name[256] = "";

	X509_NAME_get_text_by_NID(
		X509_get_issuer_name(certificate), NID_commonName, name, sizeof(name));
	text_puts(detail, "its issuer is \"");
	text_printable(detail, name, strlen(name));
	text_puts(detail, "\"");
}

static void add_day(struct text *detail, const char *what, const ASN1_TIME *time)
{
	struct tm day;

	if (ASN1_TIME_to_tm(time, &day) == 1)
		text_printf(detail, "%s %04d-%02d-%02d", what, day.tm_year + 1900, day.tm_mon + 1,
			day.tm_mday);
}

/* What a person has to know to put it right. */
static void add_detail(struct text *detail, enum error_type type, X509 *certificate)
{
	if (type == ERROR_TLS_CERT_EXPIRED)
		add_day(detail, "it ended on", X509_get0_notAfter(certificate));
	else if (type == ERROR_TLS_CERT_NOT_YET_VALID)
		add_day(detail, "it begins on", X509_get0_notBefore(certificate));
	else if (type == ERROR_TLS_CERT_WRONG_HOST)
		add_hosts(detail, certificate);
	else
		add_issuer(detail, certificate);
}

int tls_refuse_certificate(
	long result, X509 *certificate, const char *host, struct failure *why)
{
	enum error_type type = type_of_verify(result);
	struct text detail;

	text_init(&detail, 200);
	if (certificate != NULL)
		add_detail(&detail, type, certificate);
	failure_set(why, type, "the certificate that %s shows is refused: %s%s%s", host,
		X509_verify_cert_error_string(result), detail.length > 0 ? "; " : "",
		detail.length > 0 ? detail.bytes : "");
	text_free(&detail);
	return -1;
}

enum error_type tls_handshake_type(unsigned long error)
{
	switch (ERR_GET_REASON(error)) {
	case SSL_R_UNSUPPORTED_PROTOCOL:
	case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
	case SSL_R_WRONG_SIGNATURE_TYPE:
	case SSL_R_DH_KEY_TOO_SMALL:
	case SSL_R_EE_KEY_TOO_SMALL:
		return ERROR_TLS_WEAK;
	default:
		return ERROR_TLS_HANDSHAKE;
	}
}

/* What OpenSSL put on its error queue of a failed handshake. */
static int refuse_handshake(const SSL *ssl, const char *host, struct failure *why)
{
	unsigned long error = ERR_get_error();
	const char *reason = ERR_reason_error_string(error);

	ERR_clear_error();
	if (SSL_get_verify_result(ssl) != X509_V_OK)
		return tls_refuse_certificate(
			SSL_get_verify_result(ssl), own_certificate(ssl), host, why);
	if (ERR_GET_REASON(error) == SSL_R_UNEXPECTED_EOF_WHILE_READING)
		return failure_set(
			why, ERROR_TCP_EOF, "%s closed the connection during the handshake", host);
	return failure_set(why, tls_handshake_type(error), "TLS handshake with %s: %s", host,
		reason != NULL ? reason : "failed without a reason");
}

static int refuse_syscall(const char *host, int error, struct failure *why)
{
	if (error == 0)
		return failure_set(
			why, ERROR_TCP_EOF, "%s closed the connection during the handshake", host);
	return failure_set(
		why, ERROR_TCP_RESET, "TLS handshake with %s: %s", host, strerror(error));
}

static int shake(SSL *ssl, int fd, const char *host, struct deadline deadline, struct failure *why)
{
	for (;;) {
		int result, error;

		ERR_clear_error();
		errno = 0;
		result = SSL_connect(ssl);
		if (result == 1)
			return 0;
		error = SSL_get_error(ssl, result);
		if (error == SSL_ERROR_SYSCALL)
			return refuse_syscall(host, errno, why);
		if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
			return refuse_handshake(ssl, host, why);
		if (tls_wait(fd, error, deadline) == -1) {
			failure_set(why, ERROR_TCP_TIMEOUT,
				"%s did not finish the TLS handshake in time", host);
			why->blame = BLAME_TARGET;
			return -1;
		}
	}
}

static void expect_host(SSL *ssl, const char *host)
{
	struct address literal;

	if (address_literal(host, 0, &literal)) {
		X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host);
		return;
	}
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	SSL_set1_host(ssl, host);
	/* OpenSSL's macro for it casts the const away where a compiler can see it. */
	SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
		(void *)(uintptr_t)host);
}

static int64_t end_of(const X509 *certificate)
{
	struct tm end;

	if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end) != 1)
		return INT64_MAX;
	return (int64_t)timegm(&end) * NS_PER_SECOND;
}

void tls_take_facts(SSL *ssl, struct tls_facts *facts_r)
{
	STACK_OF(X509) *chain = SSL_get_peer_cert_chain(ssl);
	int64_t earliest = INT64_MAX;

	text_copy(facts_r->version, sizeof(facts_r->version), SSL_get_version(ssl));
	text_copy(facts_r->cipher, sizeof(facts_r->cipher), SSL_get_cipher_name(ssl));
	for (int i = 0; chain != NULL && i < sk_X509_num(chain); i++) {
		int64_t end = end_of(sk_X509_value(chain, i));

		if (end < earliest)
			earliest = end;
	}
	if (earliest != INT64_MAX)
		facts_r->expires_wall_ns = earliest;
}

SSL *tls_handshake(SSL_CTX *context, int fd, const char *host, bool report_only,
	const struct deadline *deadline, struct tls_facts *facts_r, struct failure *why)
{
	SSL *ssl = SSL_new(context);

	if (ssl == NULL || SSL_set_fd(ssl, fd) != 1) {
		SSL_free(ssl);
		failure_set(why, ERROR_LOCAL_RESOURCE, "cannot set up TLS");
		return NULL;
	}
	tls_keep_deadline(ssl, deadline);
	expect_host(ssl, host);
	if (report_only)
		SSL_set_verify(ssl, SSL_VERIFY_NONE, NULL);
	if (shake(ssl, fd, host, *deadline, why) == -1) {
		tls_take_facts(ssl, facts_r);
		SSL_free(ssl);
		return NULL;
	}
	tls_take_facts(ssl, facts_r);
	if (SSL_get_verify_result(ssl) != X509_V_OK)
		facts_r->untrusted = type_of_verify(SSL_get_verify_result(ssl));
	return ssl;
}
