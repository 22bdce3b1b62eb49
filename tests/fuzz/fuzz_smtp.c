/* A server's replies to a mail being sent. */
#include "fake_stream.h"
#include "fuzz.h"
#include "smtp.h"

static const struct sasl_identity who = {.username = "probe@acme.test",
	.secret = "secret",
	.host = "smtp.acme.test",
	.port = 587,
	.nonce = "0123456789abcdef"};

static int converse(struct smtp *smtp, bool tls, struct failure *why)
{
	static const char text[] = "Subject: x\r\n\r\n.\r\nbody\r\n";
	const char *mechanism = NULL, *parameters = NULL;
	struct peer_facts facts = {0};

	if (smtp_ehlo(smtp, NULL, why) == -1)
		return -1;
	if (smtp_offers(smtp, "SIZE", &parameters))
		must(parameters != NULL);
	if (tls && smtp_start_tls(smtp, &facts, why) == -1)
		return -1;
	if (smtp_auth(smtp, &who, &mechanism, why) == -1 ||
		smtp_mail(smtp, "probe@acme.test", 100, why) == -1 ||
		smtp_rcpt(smtp, "probe@elsewhere.test", why) == -1 || smtp_data(smtp, why) == -1)
		return -1;
	return smtp_send_text(smtp, text, sizeof(text) - 1, why);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct failure why = {0};
	struct smtp *smtp;

	if (size == 0)
		return 0;
	smtp = smtp_open(fake_stream(bytes + 1, size - 1), &why);
	if (smtp != NULL) {
		if (converse(smtp, (bytes[0] & 1) != 0, &why) == 0)
			must(smtp_last_reply(smtp)->code / 100 == 2);
		must(is_printable(smtp_last_reply(smtp)->text));
		smtp_quit(&smtp);
	} else {
		must(why.type != ERROR_NONE);
	}
	must((why.type == ERROR_NONE) == (why.text[0] == '\0'));
	return 0;
}
