#include <string.h>
#include <strings.h>

#include "etpan_stream.h"
#include "pop3_private.h"
#include "text.h"

#include "ban.h"

/* RFC 5034, 4: a command is at most 255 bytes long. */
#define COMMAND_LENGTH_MAX 253

/* RFC 2449 and RFC 3206: codes that say whether it was the password or the weather. */
static int auth_refused(struct pop3 *pop3, struct failure *why)
{
	static const char *const temporary[] = {
		"-ERR [SYS/TEMP]", "-ERR [SYS/PERM]", "-ERR [IN-USE]", "-ERR [LOGIN-DELAY]", NULL};

	pop3_refused(pop3, "the login", ERROR_AUTH_REJECTED, why);
	for (size_t i = 0; temporary[i] != NULL; i++)
		if (why->type == ERROR_AUTH_REJECTED &&
			strncasecmp(pop3->line->str, temporary[i], strlen(temporary[i])) == 0)
			why->type = ERROR_AUTH_TEMP;
	return -1;
}

static const char *offered(const struct pop3 *pop3)
{
	for (size_t i = 0; i < pop3->capability_count; i++)
		if (strncasecmp(pop3->capabilities[i], "SASL ", 5) == 0)
			return pop3->capabilities[i] + 5;
	return "";
}

static bool offers(void *context, const char *mechanism)
{
	const char *words = offered(context);
	size_t length = strlen(mechanism);

	for (const char *at = words; *at != '\0'; at += strcspn(at, " ")) {
		at += strspn(at, " ");
		if (strncasecmp(at, mechanism, length) == 0 && (at[length] == ' ' || !at[length]))
			return true;
	}
	return false;
}

static int say(void *context, const char *text, const char **challenge_r, struct failure *why)
{
	struct pop3 *pop3 = context;

	if (pop3_send(pop3, text, "AUTH", why) == -1 || pop3_read_line(pop3, "AUTH", why) == -1)
		return -1;
	if (pop3_is_ok(pop3))
		return 0;
	if (pop3->line->str[0] != '+' || (pop3->length > 1 && pop3->line->str[1] != ' '))
		return auth_refused(pop3, why);
	*challenge_r = pop3->line->str + (pop3->length > 1 ? 2 : 1);
	return 0;
}

/* One refusal of USER says that a name exists or not; most servers only refuse PASS. */
static int user_and_pass(struct pop3 *pop3, const struct sasl_identity *who, struct failure *why)
{
	struct failure refused = {0};

	if (pop3_command(pop3, "USER", ERROR_AUTH_REJECTED, &refused, "USER %s", who->username) ==
			0 &&
		pop3_command(pop3, "PASS", ERROR_AUTH_REJECTED, &refused, "PASS %s", who->secret) ==
			0)
		return 0;
	if (refused.type == ERROR_AUTH_REJECTED)
		return auth_refused(pop3, why);
	*why = refused;
	return -1;
}

static int offer_login(struct pop3 *pop3, const struct sasl_identity *who, const char **mechanism_r,
	struct failure *why)
{
	const struct sasl_wire wire = {.verb = "AUTH",
		.inline_size = COMMAND_LENGTH_MAX,
		.say = say,
		.context = pop3,
		.timings = stream_timings(pop3->stream)};
	const struct sasl_mechanism *mechanism = sasl_choose(who, offers, pop3);

	if (mechanism != NULL) {
		*mechanism_r = sasl_name(mechanism);
		return sasl_converse(mechanism, who, &wire, why);
	}
	if (who->mechanism != NULL)
		return failure_set(why, ERROR_AUTH_UNAVAILABLE,
			"%s does not offer AUTH %s, which the account asks for (it has: %s)",
			stream_server(pop3->stream), who->mechanism, offered(pop3));
	if (who->is_token)
		return failure_set(why, ERROR_AUTH_UNAVAILABLE,
			"%s offers no mechanism that %s", stream_server(pop3->stream),
			sasl_wanted(who));
	if (!pop3_has(pop3, "USER"))
		return failure_set(why, ERROR_AUTH_UNAVAILABLE,
			"%s offers neither a mechanism that %s nor USER",
			stream_server(pop3->stream), sasl_wanted(who));
	*mechanism_r = "USER command";
	return user_and_pass(pop3, who, why);
}

int pop3_login(struct pop3 *pop3, const struct sasl_identity *who, const char **mechanism_r,
	struct failure *why)
{
	int result;

	timings_begin(stream_timings(pop3->stream), "auth");
	if (!stream_may_carry_secrets(pop3->stream))
		return failure_set(why, ERROR_TLS_STARTTLS_STRIPPED,
			"the password is not sent to %s without TLS", stream_server(pop3->stream));
	if (!pop3->asked && pop3_ask_capability(pop3, why) == -1)
		return -1;
	etpan_stream_secret(pop3->mail, true);
	result = offer_login(pop3, who, mechanism_r, why);
	etpan_stream_secret(pop3->mail, false);
	return result;
}
