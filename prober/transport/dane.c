#include "dane.h"

#include <string.h>

#include <openssl/evp.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "ban.h"

bool dane_usable(const struct tlsa *tlsa)
{
	static const size_t lengths[] = {0, 32, 64};

	return (tlsa->usage == 2 || tlsa->usage == 3) && tlsa->selector <= 1 &&
		tlsa->matching <= 2 &&
		(tlsa->matching == 0 || tlsa->length == lengths[tlsa->matching]);
}

/* What the record is about: the whole certificate, or its public key (RFC 6698, 2.1.2, 2.1.3). */
static bool is_named(const struct tlsa *tlsa, X509 *certificate)
{
	unsigned char digest[EVP_MAX_MD_SIZE], *der = NULL;
	unsigned int size = 0;
	int length = tlsa->selector == 0
		? i2d_X509(certificate, &der)
		: i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
	bool same = false;

	if (length <= 0)
		return false;
	if (tlsa->matching == 0)
		same = (size_t)length == tlsa->length && memcmp(der, tlsa->data, tlsa->length) == 0;
	else if (EVP_Digest(der, (size_t)length, digest, &size,
			 tlsa->matching == 1 ? EVP_sha256() : EVP_sha512(), NULL) == 1)
		same = size == tlsa->length && memcmp(digest, tlsa->data, size) == 0;
	OPENSSL_free(der);
	return same;
}

/* The server's certificate leads to that authority, is for the host and valid now. */
static bool leads_to(STACK_OF(X509) *chain, X509 *authority, const char *host)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *context = X509_STORE_CTX_new();
	bool verified = false;

	if (store != NULL && context != NULL && X509_STORE_add_cert(store, authority) == 1 &&
		X509_STORE_CTX_init(context, store, sk_X509_value(chain, 0), chain) == 1) {
		X509_VERIFY_PARAM *terms = X509_STORE_CTX_get0_param(context);

		X509_VERIFY_PARAM_set_flags(terms, X509_V_FLAG_PARTIAL_CHAIN);
		X509_VERIFY_PARAM_set_purpose(terms, X509_PURPOSE_SSL_SERVER);
		verified = X509_VERIFY_PARAM_set1_host(terms, host, 0) == 1 &&
			X509_verify_cert(context) == 1;
	}
	X509_STORE_CTX_free(context);
	X509_STORE_free(store);
	return verified;
}

bool dane_matches(
	const struct tlsa *list, size_t count, STACK_OF(X509) *chain, const char *host)
{
	int shown = chain != NULL ? sk_X509_num(chain) : 0;

	for (size_t i = 0; i < count; i++) {
		int candidates = list[i].usage == 3 && shown > 1 ? 1 : shown;

		if (!dane_usable(&list[i]))
			continue;
		for (int j = 0; j < candidates; j++) {
			X509 *certificate = sk_X509_value(chain, j);

			if (is_named(&list[i], certificate) &&
				(list[i].usage == 3 || leads_to(chain, certificate, host)))
				return true;
		}
	}
	return false;
}
