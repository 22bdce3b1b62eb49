#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "etpan_stream.h"
#include "imap_private.h"
#include "text.h"

#include "ban.h"

/* RFC 5530: codes that say whether it was the password or the weather. */
static enum error_type refusal_type(const struct imap *imap)
{
	static const char *const temporary[] = {"UNAVAILABLE", "INUSE", "LIMIT", "SERVERBUG",
		"CONTACTADMIN", "PRIVACYREQUIRED", NULL};
	const struct mailimap_response_info *info = imap->session->imap_response_info;

	for (size_t i = 0; temporary[i] != NULL; i++)
		if (info != NULL && info->rsp_atom != NULL &&
			strcasecmp(info->rsp_atom, temporary[i]) == 0)
			return ERROR_AUTH_TEMP;
	return ERROR_AUTH_REJECTED;
}

/* A refused login, told from one that could not be judged. */
static int login_outcome(struct imap *imap, int code, struct failure *why)
{
	if (imap_outcome(imap, code, "login", ERROR_AUTH_REJECTED, why) == 0) {
		imap->session->imap_state = MAILIMAP_STATE_AUTHENTICATED;
		return 0;
	}
	if (why->type == ERROR_AUTH_REJECTED)
		why->type = refusal_type(imap);
	return -1;
}

static bool offers(void *context, const char *mechanism)
{
	char capability[64];

	snprintf(capability, sizeof(capability), "AUTH=%s", mechanism);
	return imap_has(context, capability);
}

/* --- AUTHENTICATE (RFC 3501, 6.2.2) ---------------------------------------------------- */

/* The exchange is ours, line by line: libetpan's has no initial response and dies of some
 * continuations. Only the tagged answer is its parser's. */
struct dialogue {
	struct imap *imap;
	bool begun;
};

static int send_line(struct dialogue *dialogue, const char *text)
{
	mailstream *mail = dialogue->imap->session->imap_stream;
	size_t length = strlen(text);

	if (!dialogue->begun) {
		imap_begin(dialogue->imap);
		dialogue->imap->guard.continues = true;
		if (mailimap_send_current_tag(dialogue->imap->session) != MAILIMAP_NO_ERROR)
			return MAILIMAP_ERROR_STREAM;
	}
	dialogue->begun = true;
	if (mailstream_write(mail, text, length) != (ssize_t)length ||
		mailstream_write(mail, "\r\n", 2) != 2 || mailstream_flush(mail) == -1)
		return MAILIMAP_ERROR_STREAM;
	return MAILIMAP_NO_ERROR;
}

static int parse_answer(struct imap *imap)
{
	struct mailimap_response *response;
	int code = mailimap_parse_response(imap->session, &response);
	bool welcome;

	if (code != MAILIMAP_NO_ERROR)
		return code;
	welcome = response->rsp_resp_done->rsp_data.rsp_tagged->rsp_cond_state->rsp_type ==
		MAILIMAP_RESP_COND_STATE_OK;
	mailimap_response_free(response);
	return welcome ? MAILIMAP_NO_ERROR : MAILIMAP_ERROR_LOGIN;
}

/* Up to the next challenge or the end. What is told unasked meanwhile is let pass (the
 * capabilities are asked for again); the guard counts the lines. */
static int await_answer(struct imap *imap, const char **challenge_r)
{
	char *line;

	do {
		line = mailimap_read_line(imap->session);
		if (line == NULL)
			return MAILIMAP_ERROR_STREAM;
	} while (line[0] == '*' || line[strspn(line, " \t\r\n")] == '\0');
	if (line[0] != '+')
		return parse_answer(imap);
	line[strcspn(line, "\r\n")] = '\0';
	*challenge_r = line + 1 + strspn(line + 1, " ");
	return MAILIMAP_NO_ERROR;
}

static int say(void *context, const char *text, const char **challenge_r, struct failure *why)
{
	struct dialogue *dialogue = context;
	struct imap *imap = dialogue->imap;
	int code = send_line(dialogue, text);

	if (code == MAILIMAP_NO_ERROR)
		code = await_answer(imap, challenge_r);
	if (*challenge_r != NULL && stream_failure(imap->stream)->type == ERROR_NONE)
		return 0;
	imap->guard.continues = false;
	dialogue->begun = false;
	return login_outcome(imap, code, why);
}

static int authenticate(struct imap *imap, const struct sasl_mechanism *mechanism,
	const struct sasl_identity *who, struct failure *why)
{
	struct dialogue dialogue = {.imap = imap};
	const struct sasl_wire wire = {
		.verb = "AUTHENTICATE",
		.inline_size = imap_has(imap, "SASL-IR") ? SASL_LINE_SIZE : 0,
		.say = say,
		.context = &dialogue,
		.timings = stream_timings(imap->stream),
	};
	int result;

	imap_forget_capability(imap);
	etpan_stream_secret(imap->session->imap_stream, true);
	result = sasl_converse(mechanism, who, &wire, why);
	etpan_stream_secret(imap->session->imap_stream, false);
	imap->guard.continues = false;
	return result;
}

/* --- LOGIN ----------------------------------------------------------------------------- */

static int command_login(struct imap *imap, const struct sasl_identity *who, struct failure *why)
{
	imap_forget_capability(imap);
	imap_begin(imap);
	return login_outcome(imap, mailimap_login(imap->session, who->username, who->secret), why);
}

static int offer_login(struct imap *imap, const struct sasl_identity *who, const char **mechanism_r,
	struct failure *why)
{
	const struct sasl_mechanism *mechanism = sasl_choose(who, offers, imap);

	if (mechanism != NULL) {
		*mechanism_r = sasl_name(mechanism);
		return authenticate(imap, mechanism, who, why);
	}
	if (who->mechanism != NULL)
		return failure_set(why, ERROR_AUTH_UNAVAILABLE,
			"%s does not offer AUTH=%s, which the account asks for",
			stream_server(imap->stream), who->mechanism);
	if (who->is_token)
		return failure_set(why, ERROR_AUTH_UNAVAILABLE,
			"%s offers no mechanism that %s", stream_server(imap->stream),
			sasl_wanted(who));
	if (imap_has(imap, "LOGINDISABLED"))
		return failure_set(why, ERROR_AUTH_UNAVAILABLE,
			"%s offers neither a mechanism that %s nor LOGIN",
			stream_server(imap->stream), sasl_wanted(who));
	*mechanism_r = "LOGIN command";
	return command_login(imap, who, why);
}

int imap_login(struct imap *imap, const struct sasl_identity *who, const char **mechanism_r,
	struct failure *why)
{
	timings_begin(stream_timings(imap->stream), "auth");
	if (!stream_may_carry_secrets(imap->stream))
		return failure_set(why, ERROR_TLS_STARTTLS_STRIPPED,
			"the password is not sent to %s without TLS", stream_server(imap->stream));
	if (!imap_knows_capability(imap) && imap_ask_capability(imap, why) == -1)
		return -1;
	if (offer_login(imap, who, mechanism_r, why) == -1)
		return -1;
	/* RFC 3501, 6.2: what it can do may be more now; most servers say so unasked. */
	return imap_knows_capability(imap) ? 0 : imap_ask_capability(imap, why);
}
