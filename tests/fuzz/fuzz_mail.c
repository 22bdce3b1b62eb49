/* A mail that anybody may have written, where ours is expected. "@TOKEN@" in it stands for the
 * true token: without the key nothing more can be had than a mail that is ours, but altered. */
#include <string.h>

#include "fuzz.h"
#include "header.h"
#include "probe_mail.h"
#include "text.h"

static const struct mail_key key = {.bytes = "thirty-two bytes of a test's key"};

static struct probe_mail *compose(void)
{
	const struct mail_order order = {.key = &key,
		.customer = "acme",
		.scenario = "mail",
		.vantage = "fra1",
		.step = "out",
		.from = "probe@acme.test",
		.to = "probe@elsewhere.test",
		.leg = "inside->outside",
		.wall_ns = INT64_C(1767225615) * 1000000000};

	return probe_mail_compose(&order);
}

static void fill_in(struct text *text, const char *bytes, size_t size, const char *token)
{
	static const char hole[] = "@TOKEN@";
	const char *end = bytes + size, *found;

	while ((found = memmem(bytes, (size_t)(end - bytes), hole, sizeof(hole) - 1)) != NULL) {
		text_append(text, bytes, (size_t)(found - bytes));
		text_puts(text, token);
		bytes = found + sizeof(hole) - 1;
	}
	text_append(text, bytes, (size_t)(end - bytes));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static struct probe_mail *mail;
	char value[100];
	struct text text;
	enum mail_match match;

	if (mail == NULL)
		mail = compose();
	text_init(&text, 1 << 20);
	fill_in(&text, (const char *)bytes, size, mail->token);
	if (header_value(text.bytes, text.length, "Subject", value, sizeof(value)))
		must(strlen(value) < sizeof(value) && strpbrk(value, "\r\n") == NULL);
	match = probe_mail_match(&key, mail, text.bytes, text.length);
	must(match != MAIL_OURS);
	must(match == MAIL_FOREIGN ||
		(text.length > 0 && memmem(text.bytes, text.length, mail->token, 100) != NULL));
	text_free(&text);
	return 0;
}
