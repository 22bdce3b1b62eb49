#include "smtp_private.h"

#include <string.h>
#include <strings.h>

#include "etpan_stream.h"
#include "text.h"

#include "ban.h"

/* RFC 4954, 4: AUTH with its initial response is a command line like any other. */
#define COMMAND_LENGTH_MAX 510

static bool offers(void *context, const char *mechanism)
{
	const struct smtp *smtp = context;
	size_t length = strlen(mechanism);
	const char *words = "";

	smtp_offers(smtp, "AUTH", &words);
	for (const char *at = words; *at != '\0'; at += strcspn(at, " ")) {
		at += strspn(at, " ");
		if (strncasecmp(at, mechanism, length) == 0 && (at[length] == ' ' || !at[length]))
			return true;
	}
	return false;
}

/* RFC 4954, 6: 4yz and 454 say later, 5yz says no; 504 and 538 mean the mechanism. */
static int auth_refused(struct smtp *smtp, struct failure *why)
{
	smtp_refused(smtp, "AUTH", why);
	if (why->reply_code / 100 == 4)
		why->type = ERROR_AUTH_TEMP;
	else if (why->reply_code == 504 || why->reply_code == 538)
		why->type = ERROR_AUTH_UNAVAILABLE;
	else if (why->reply_code / 100 == 5)
		why->type = ERROR_AUTH_REJECTED;
	return -1;
}

/* The challenge is what stands behind the code, whole: the reply's text is cut for people. */
static const char *challenge_of(struct smtp *smtp)
{
	char *line = smtp->line->str;

	line[strcspn(line, "\r\n")] = '\0';
	return strlen(line) > 4 ? line + 4 : "";
}

static int say(void *context, const char *text, const char **challenge_r, struct failure *why)
{
	struct smtp *smtp = context;
	struct text line;
	int result;

	text_init(&line, SASL_LINE_SIZE + 2);
	text_printf(&line, "%s\r\n", text);
	result = smtp_send_line(smtp, line.bytes, "AUTH", why);
	explicit_bzero(line.bytes, line.capacity);
	text_free(&line);
	if (result == -1 || smtp_read_reply(smtp, "AUTH", why) == -1)
		return -1;
	if (smtp->reply.code / 100 == 2)
		return 0;
	if (smtp->reply.code / 100 != 3)
		return auth_refused(smtp, why);
	*challenge_r = challenge_of(smtp);
	/* What is for the mechanism's eyes is not for the record's. */
	text_copy(smtp->reply.text, sizeof(smtp->reply.text), "334 ***");
	return 0;
}

static int unavailable(struct smtp *smtp, const struct sasl_identity *who, struct failure *why)
{
	const char *words = "";

	smtp_offers(smtp, "AUTH", &words);
	if (who->mechanism != NULL)
		return failure_set(why, ERROR_AUTH_UNAVAILABLE,
			"%s does not offer AUTH %s, which the account asks for (it has: %s)",
			stream_server(smtp->stream), who->mechanism, words[0] != '\0' ? words : "none");
	return failure_set(why, ERROR_AUTH_UNAVAILABLE,
		"%s offers no AUTH mechanism that %s (it has: %s)", stream_server(smtp->stream),
		sasl_wanted(who), words[0] != '\0' ? words : "none");
}

int smtp_auth(struct smtp *smtp, const struct sasl_identity *who, const char **mechanism_r,
	struct failure *why)
{
	const struct sasl_wire wire = {.verb = "AUTH",
		.inline_size = COMMAND_LENGTH_MAX,
		.say = say,
		.context = smtp,
		.timings = stream_timings(smtp->stream)};
	const struct sasl_mechanism *mechanism = sasl_choose(who, offers, smtp);
	int result;

	timings_begin(stream_timings(smtp->stream), "auth");
	if (!stream_may_carry_secrets(smtp->stream))
		return failure_set(why, ERROR_TLS_STARTTLS_STRIPPED,
			"the password is not sent to %s without TLS", stream_server(smtp->stream));
	if (mechanism == NULL)
		return unavailable(smtp, who, why);
	*mechanism_r = sasl_name(mechanism);
	etpan_stream_secret(smtp->mail, true);
	result = sasl_converse(mechanism, who, &wire, why);
	etpan_stream_secret(smtp->mail, false);
	return result;
}
