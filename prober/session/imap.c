#include "imap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "etpan_stream.h"
#include "imap_private.h"
#include "text.h"

#include "ban.h"

struct stream *imap_stream(const struct imap *imap)
{
	return imap->stream;
}

/* --- outcomes -------------------------------------------------------------------------- */

void imap_begin(struct imap *imap)
{
	mailstream *mail = imap->session->imap_stream;

	stream_allow(imap->stream, IMAP_ANSWER_BYTES + imap->expected);
	/* What has come unasked meets the guard now: an answer among it was never asked for. */
	if (mail != NULL && mail->read_buffer_len == 0 && stream_has_unread(imap->stream))
		mailstream_feed_read_buffer(mail);
	if (imap->guard.gone)
		stream_fail(imap->stream, ERROR_IMAP_BYE, "%s hung up after its last answer",
			stream_server(imap->stream));
	imap_guard_command(&imap->guard, (unsigned int)imap->session->imap_tag + 1);
}

/* The server's own words to the last command, printable. */
static const char *words(const struct imap *imap, char *text, size_t size)
{
	const char *said = imap->session->imap_response;

	text_printable_copy(text, size, said != NULL ? said : "", said != NULL ? strlen(said) : 0);
	return text[0] != '\0' ? text : "(no text)";
}

int imap_outcome(struct imap *imap, int code, const char *command, enum error_type refusal,
	struct failure *why)
{
	char text[200];

	if (code == MAILIMAP_NO_ERROR && stream_failure(imap->stream)->type == ERROR_NONE)
		return 0;
	if (stream_failure(imap->stream)->type != ERROR_NONE) {
		*why = *stream_failure(imap->stream);
		return failure_prefix(why, "waiting for the answer to %s", command);
	}
	switch (code) {
	case MAILIMAP_ERROR_PROTOCOL: /* the tag is right, as the guard has seen to */
		return failure_set(why, ERROR_IMAP_NO, "%s answered %s with BAD: %s",
			stream_server(imap->stream), command, words(imap, text, sizeof(text)));
	case MAILIMAP_ERROR_STREAM:
	case MAILIMAP_ERROR_PARSE:
	case MAILIMAP_ERROR_FATAL:
	case MAILIMAP_ERROR_INVAL:
		return failure_set(why, ERROR_IMAP_MALFORMED,
			"%s answered %s with something that is no IMAP response",
			stream_server(imap->stream), command);
	case MAILIMAP_ERROR_MEMORY:
		return failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory");
	default:
		return failure_set(why, refusal, "%s answered %s with: %s",
			stream_server(imap->stream), command, words(imap, text, sizeof(text)));
	}
}

/* --- opening and closing --------------------------------------------------------------- */

void imap_close(struct imap **imap)
{
	if (*imap == NULL)
		return;
	/* Without a stream libetpan does not try to say LOGOUT on its way out. */
	if ((*imap)->session != NULL) {
		if ((*imap)->session->imap_stream != NULL)
			mailstream_close((*imap)->session->imap_stream);
		(*imap)->session->imap_stream = NULL;
		mailimap_free((*imap)->session);
	}
	stream_close(&(*imap)->stream);
	free(*imap);
	*imap = NULL;
}

static int greet(struct imap *imap, mailstream *mail, struct failure *why)
{
	int code;

	stream_allow(imap->stream, IMAP_ANSWER_BYTES);
	code = mailimap_connect(imap->session, mail);
	if (code == MAILIMAP_NO_ERROR_AUTHENTICATED)
		return failure_set(why, ERROR_TLS_STARTTLS_STRIPPED,
			"%s greeted with PREAUTH, which leaves no room for TLS and login",
			stream_server(imap->stream));
	if (code == MAILIMAP_NO_ERROR_NON_AUTHENTICATED)
		code = MAILIMAP_NO_ERROR;
	return imap_outcome(imap, code, "the connection", ERROR_IMAP_NO, why);
}

struct imap *imap_open(struct stream *stream, struct failure *why)
{
	struct imap *imap = calloc(1, sizeof(*imap));
	mailstream *mail = NULL;

	timings_begin(stream_timings(stream), "greeting");
	if (imap != NULL) {
		imap->stream = stream;
		imap->session = mailimap_new(0, NULL);
		imap_guard_init(&imap->guard);
		mail = etpan_stream_new(stream, imap_guard_bytes, &imap->guard);
	} else {
		stream_close(&stream);
	}
	if (mail == NULL || imap->session == NULL) {
		failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory");
		if (mail != NULL)
			mailstream_close(mail);
	} else if (greet(imap, mail, why) == 0) {
		return imap;
	}
	if (imap != NULL)
		imap_close(&imap);
	return NULL;
}

/* mailimap_capability dies of an OK without data (libetpan 1.9.4), so the plain command. */
int imap_ask_capability(struct imap *imap, struct failure *why)
{
	imap_begin(imap);
	return imap_outcome(imap, mailimap_custom_command(imap->session, "CAPABILITY"), "CAPABILITY",
		ERROR_IMAP_NO, why);
}

bool imap_knows_capability(const struct imap *imap)
{
	return imap->session->imap_connection_info != NULL &&
	       imap->session->imap_connection_info->imap_capability != NULL;
}

void imap_forget_capability(struct imap *imap)
{
	if (!imap_knows_capability(imap))
		return;
	mailimap_capability_data_free(imap->session->imap_connection_info->imap_capability);
	imap->session->imap_connection_info->imap_capability = NULL;
}

/* libetpan's own look-ups die of an empty list, as "[CAPABILITY ]" makes one. */
bool imap_has(struct imap *imap, const char *capability)
{
	bool mechanism = strncasecmp(capability, "AUTH=", 5) == 0;
	const clist *list = imap_knows_capability(imap)
				    ? imap->session->imap_connection_info->imap_capability->cap_list
				    : NULL;

	for (clistiter *i = list != NULL ? clist_begin(list) : NULL; i != NULL; i = clist_next(i)) {
		const struct mailimap_capability *one = clist_content(i);

		if (mechanism && one->cap_type == MAILIMAP_CAPABILITY_AUTH_TYPE &&
			strcasecmp(one->cap_data.cap_auth_type, capability + 5) == 0)
			return true;
		if (!mechanism && one->cap_type == MAILIMAP_CAPABILITY_NAME &&
			strcasecmp(one->cap_data.cap_name, capability) == 0)
			return true;
	}
	return false;
}

int imap_start_tls(struct imap *imap, struct peer_facts *facts, struct failure *why)
{
	int code;

	timings_begin(stream_timings(imap->stream), "starttls");
	if (!imap_knows_capability(imap) && imap_ask_capability(imap, why) == -1)
		return -1;
	if (!imap_has(imap, "STARTTLS"))
		return failure_set(why, ERROR_TLS_STARTTLS_STRIPPED,
			"%s does not offer STARTTLS", stream_server(imap->stream));
	imap_begin(imap);
	imap->guard.last_word = true;
	code = mailimap_starttls(imap->session);
	if (imap_outcome(imap, code, "STARTTLS", ERROR_TLS_STARTTLS_STRIPPED, why) == -1)
		return -1;
	imap_forget_capability(imap);
	if (stream_start_tls(
		    imap->stream, imap->session->imap_stream->read_buffer_len, facts) == 0) {
		imap->guard.last_word = false;
		return 0;
	}
	*why = *stream_failure(imap->stream);
	return -1;
}

/* A server that hangs up without TLS's goodbye, or without one at all, has logged us out. */
static bool ended_politely(enum error_type type)
{
	return type == ERROR_NONE || type == ERROR_TCP_EOF || type == ERROR_TCP_RESET ||
	       type == ERROR_TLS_TRUNCATED;
}

int imap_logout(struct imap *imap, struct failure *why)
{
	imap_begin(imap);
	imap->guard.farewell = true;
	/* libetpan answers MAILIMAP_ERROR_STREAM if the server closes first: as good as BYE. */
	mailimap_logout(imap->session);
	if (ended_politely(stream_failure(imap->stream)->type))
		return 0;
	*why = *stream_failure(imap->stream);
	return failure_prefix(why, "waiting for the answer to LOGOUT");
}
