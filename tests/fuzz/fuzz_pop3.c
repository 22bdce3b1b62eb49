/* A server's answers to a maildrop being read. */
#include "fake_stream.h"
#include "fuzz.h"
#include "pop3.h"

static const struct sasl_identity who = {.username = "probe@acme.test",
	.secret = "secret",
	.host = "pop.acme.test",
	.port = 995,
	.nonce = "0123456789abcdef"};

static int read_all(struct pop3 *pop3, struct failure *why)
{
	struct pop3_entry entries[8];
	uint32_t messages = 0;
	uint64_t bytes = 0;
	size_t count = 0, total = 0;

	if (pop3_stat(pop3, &messages, &bytes, why) == -1 ||
		pop3_uidl(pop3, messages, 1, entries, 8, &count, &total, why) == -1)
		return -1;
	must(count <= 8 && count <= total);
	if (count == 0)
		return 0;
	if (pop3_size(pop3, &entries[0], why) == -1 ||
		pop3_read(pop3, entries[0].number, 5, &bytes, why) == -1)
		return -1;
	return pop3_read(pop3, entries[0].number, -1, &bytes, why);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct failure why = {0};
	const char *mechanism = NULL;
	struct peer_facts facts = {0};
	struct pop3 *pop3;

	if (size == 0)
		return 0;
	pop3 = pop3_open(fake_stream(bytes + 1, size - 1), &why);
	if (pop3 == NULL) {
		must(why.type != ERROR_NONE);
		return 0;
	}
	if (((bytes[0] & 1) == 0 || pop3_start_tls(pop3, &facts, &why) == 0) &&
		pop3_ask_capability(pop3, &why) == 0 &&
		pop3_login(pop3, &who, &mechanism, &why) == 0 && read_all(pop3, &why) == 0)
		pop3_quit(pop3, &why);
	pop3_close(&pop3);
	must((why.type == ERROR_NONE) == (why.text[0] == '\0'));
	return 0;
}
