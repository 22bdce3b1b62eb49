/* The header of a mail that anybody may have written: what servers and filters say in it. */
#include <string.h>

#include "clock.h"
#include "fuzz.h"
#include "received.h"
#include "verdicts.h"

/* Fit to be shown: no control character is left. */
static void check_text(const char *text, size_t size)
{
	must(memchr(text, '\0', size) != NULL);
	for (; *text != '\0'; text++)
		must((unsigned char)*text >= 0x20 && *text != 0x7f);
}

static void check_hop(const struct received *hop)
{
	check_text(hop->helo, sizeof(hop->helo));
	check_text(hop->name, sizeof(hop->name));
	check_text(hop->address, sizeof(hop->address));
	check_text(hop->by, sizeof(hop->by));
	check_text(hop->with, sizeof(hop->with));
	check_text(hop->id, sizeof(hop->id));
	check_text(hop->recipient, sizeof(hop->recipient));
	must(!hop->dated ||
		(hop->at_ns >= -NS_PER_SECOND * 86400 && hop->resolution_ns >= 1 &&
			hop->resolution_ns <= 60 * NS_PER_SECOND));
}

static void check_verdicts(const char *text, size_t size)
{
	const struct authserv whose = {NULL, "store.acme.test", "acme.test"};
	struct authentication authentication;
	struct spam_verdict spam;

	if (authentication_read(text, size, &whose, &authentication)) {
		check_text(authentication.authserv_id, sizeof(authentication.authserv_id));
		check_text(authentication.spf, sizeof(authentication.spf));
		check_text(authentication.dkim, sizeof(authentication.dkim));
		check_text(authentication.dmarc, sizeof(authentication.dmarc));
	}
	spam_read(text, size, &spam);
	must(!spam.has_level || (spam.level >= -1 && spam.level <= 9));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct received hops[RECEIVED_MAX];
	size_t omitted;
	size_t count = received_read((const char *)bytes, size, hops, &omitted);

	must(count <= RECEIVED_MAX && (omitted == 0 || count == RECEIVED_MAX));
	for (size_t i = 0; i < count; i++)
		check_hop(&hops[i]);
	check_verdicts((const char *)bytes, size);
	return 0;
}
