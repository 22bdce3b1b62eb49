#include "trust.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/err.h>

#include "ban.h"

#define CONTEXTS_MAX 32

struct trust {
	struct {
		char *ca_file; /* NULL: the system's */
		int min_version;
		SSL_CTX *context;
	} entries[CONTEXTS_MAX];
	size_t count;
};

static X509_STORE *system_store;

/* Made before the forks, for every trust after. */
static struct trust preloaded;

static void load_system_store(void)
{
	/* One file, read at once: OpenSSL's directory of hashes is read lazily, which the jail
	 * would not allow. */
	const char *const bundles[] = {getenv(X509_get_default_cert_file_env()),
		"/etc/ssl/certs/ca-certificates.crt", X509_get_default_cert_file()};

	if (system_store != NULL)
		return;
	system_store = X509_STORE_new();
	for (size_t i = 0; i < sizeof(bundles) / sizeof(bundles[0]); i++)
		if (bundles[i] != NULL && X509_STORE_load_file(system_store, bundles[i]) == 1)
			break;
	ERR_clear_error();
}

struct trust *trust_create(void)
{
	return calloc(1, sizeof(struct trust));
}

void trust_destroy(struct trust **trust)
{
	if (*trust == NULL)
		return;
	for (size_t i = 0; i < (*trust)->count; i++) {
		SSL_CTX_free((*trust)->entries[i].context);
		free((*trust)->entries[i].ca_file);
	}
	free(*trust);
	*trust = NULL;
}

static bool same_file(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

SSL_CTX *trust_context(const struct trust *trust, const struct tls_settings *settings)
{
	for (size_t i = 0; i < trust->count; i++)
		if (trust->entries[i].min_version == settings->min_version &&
			same_file(trust->entries[i].ca_file, settings->ca_file))
			return trust->entries[i].context;
	return NULL;
}

static int load_ca(SSL_CTX *context, const char *ca_file, struct failure *why)
{
	if (ca_file == NULL) {
		load_system_store();
		X509_STORE_up_ref(system_store);
		SSL_CTX_set_cert_store(context, system_store);
		return 0;
	}
	if (access(ca_file, R_OK) == -1)
		return failure_set(why, ERROR_CONFIG_FILE, "cannot read tls.ca_file %s: %s", ca_file,
			strerror(errno));
	if (SSL_CTX_load_verify_file(context, ca_file) == 1)
		return 0;
	ERR_clear_error();
	return failure_set(why, ERROR_CONFIG_FILE,
		"tls.ca_file %s holds no certificate in PEM form", ca_file);
}

static SSL_CTX *make_context(const struct tls_settings *settings, struct failure *why)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());

	if (context == NULL) {
		failure_set(why, ERROR_LOCAL_RESOURCE, "cannot set up TLS");
		return NULL;
	}
	SSL_CTX_set_min_proto_version(context, settings->min_version);
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION);
	SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_AUTO_RETRY);
	if (load_ca(context, settings->ca_file, why) == -1) {
		SSL_CTX_free(context);
		return NULL;
	}
	return context;
}

static SSL_CTX *have_context(const struct tls_settings *settings, struct failure *why)
{
	SSL_CTX *context = trust_context(&preloaded, settings);

	if (context == NULL)
		return make_context(settings, why);
	SSL_CTX_up_ref(context);
	return context;
}

int trust_prepare(struct trust *trust, const struct tls_settings *settings, struct failure *why)
{
	SSL_CTX *context;

	if (trust_context(trust, settings) != NULL)
		return 0;
	if (trust->count == CONTEXTS_MAX)
		return failure_set(why, ERROR_LOCAL_RESOURCE,
			"more than %d different tls settings in one scenario", CONTEXTS_MAX);
	context = have_context(settings, why);
	if (context == NULL)
		return -1;
	trust->entries[trust->count].ca_file =
		settings->ca_file != NULL ? strdup(settings->ca_file) : NULL;
	trust->entries[trust->count].min_version = settings->min_version;
	trust->entries[trust->count++].context = context;
	return 0;
}

void trust_preload(const struct tls_settings *settings)
{
	struct failure why = {0};

	trust_prepare(&preloaded, settings, &why);
}
