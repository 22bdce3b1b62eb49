#include "dsn.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "header.h"
#include "text.h"
#include "token.h"

#include "ban.h"

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* --- the mail that is quoted ----------------------------------------------------------- */

/* The value of the quoted header field, in one piece: it may be folded, and soft line breaks of
 * quoted-printable may be in it. */
static bool take_token(const char *at, const char *end, char *token, size_t size)
{
	size_t used = 0;

	while (at < end && is_space(*at))
		at++;
	for (; at < end && used + 1 < size; at++) {
		if (*at == '=' && at + 1 < end && is_space(at[1])) {
			while (at + 1 < end && is_space(at[1]))
				at++;
			continue;
		}
		if (is_space(*at) || *at == '<')
			break;
		token[used++] = *at;
	}
	token[used] = '\0';
	return used > 0;
}

/* The first token in the body: that of the mail that came back. */
static bool find_token(const char *body, const char *end, char *token, size_t size)
{
	static const char field[] = TOKEN_HEADER ":";
	const char *at = memmem(body, (size_t)(end - body), field, sizeof(field) - 1);

	return at != NULL && take_token(at + sizeof(field) - 1, end, token, size);
}

/* --- RFC 3464 -------------------------------------------------------------------------- */

/* Behind the type of a field such as "dns; mx.acme.test". */
static const char *behind_type(const char *value)
{
	const char *semicolon = strchr(value, ';');

	if (semicolon == NULL)
		return value;
	for (semicolon++; *semicolon == ' ' || *semicolon == '\t'; semicolon++)
		;
	return semicolon;
}

static enum dsn_kind kind_of(const char *action)
{
	if (strncasecmp(action, "failed", 6) == 0)
		return DSN_FAILED;
	return strncasecmp(action, "delayed", 7) == 0 ? DSN_DELAYED : DSN_NONE;
}

static void take_typed(const char *block, size_t length, const char *name, char *to, size_t size)
{
	char value[1024];

	if (header_value(block, length, name, value, sizeof(value)))
		text_copy(to, size, behind_type(value));
}

/* The groups of fields of a message/delivery-status: that of the message, then one for each
 * recipient, of which we have one. */
static bool read_groups(const char *at, const char *end, struct dsn *dsn)
{
	char action[32], status[sizeof(dsn->status)];

	while (at < end) {
		const char *next = header_end(at, (size_t)(end - at));
		size_t length = (size_t)(next - at);

		take_typed(at, length, "Reporting-MTA", dsn->host, sizeof(dsn->host));
		if (header_value(at, length, "Action", action, sizeof(action))) {
			dsn->kind = kind_of(action);
			if (header_value(at, length, "Status", status, sizeof(status)))
				text_copy(dsn->status, sizeof(dsn->status), status);
			take_typed(at, length, "Remote-MTA", dsn->host, sizeof(dsn->host));
			take_typed(at, length, "Diagnostic-Code", dsn->text, sizeof(dsn->text));
			return true;
		}
		at = next;
	}
	return false;
}

/* False if it is no report. */
static bool read_report(const char *body, const char *end, struct dsn *dsn)
{
	static const char type[] = "message/delivery-status";
	const char *at = memmem(body, (size_t)(end - body), type, sizeof(type) - 1);

	if (at == NULL)
		return false;
	return read_groups(header_end(at, (size_t)(end - at)), end, dsn);
}

/* --- older ones ------------------------------------------------------------------------ */

static bool has_word(const char *text, const char *word)
{
	return strcasestr(text, word) != NULL;
}

/* Whether a machine of the mail system has written it, not a user's vacation program. */
static bool is_from_the_system(const char *text, size_t length)
{
	char value[512];

	if (header_value(text, length, "X-Failed-Recipients", value, sizeof(value)))
		return true;
	return header_value(text, length, "From", value, sizeof(value)) &&
	       (has_word(value, "mailer-daemon") || has_word(value, "postmaster") ||
		       has_word(value, "mail delivery"));
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "5.1.1" at the beginning of the text. */
static size_t status_length(const char *at, size_t left)
{
	size_t i = 2;

	if (left < 5 || (at[0] != '4' && at[0] != '5') || at[1] != '.')
		return 0;
	for (int part = 0; part < 2; part++) {
		size_t digits = 0;

		while (i < left && digits < 3 && is_digit(at[i])) {
			i++;
			digits++;
		}
		if (digits == 0 || (part == 0 && (i == left || at[i++] != '.')))
			return 0;
	}
	return i < left && (is_digit(at[i]) || at[i] == '.') ? 0 : i;
}

static bool begins_word(const char *body, const char *at)
{
	return at == body || is_space(at[-1]) || strchr("#(<-[:", at[-1]) != NULL;
}

/* The first line before the quoted mail that has a status in it. */
static void read_status(const char *body, const char *end, struct dsn *dsn)
{
	const char *line = body;

	for (const char *at = body; at < end; at++) {
		size_t length = begins_word(body, at) ? status_length(at, (size_t)(end - at)) : 0;

		if (at > body && at[-1] == '\n')
			line = at;
		if (length == 0 || length >= sizeof(dsn->status))
			continue;
		memcpy(dsn->status, at, length);
		dsn->status[length] = '\0';
		while (at < end && *at != '\r' && *at != '\n')
			at++;
		text_printable_copy(dsn->text, sizeof(dsn->text), line, (size_t)(at - line));
		return;
	}
}

static void read_plain(const char *text, size_t length, const char *body, struct dsn *dsn)
{
	char subject[512] = "";

	if (!is_from_the_system(text, length))
		return;
	header_value(text, length, "Subject", subject, sizeof(subject));
	dsn->kind = has_word(subject, "delay") || has_word(subject, "warning") ? DSN_DELAYED
									       : DSN_FAILED;
	read_status(body, text + length, dsn);
}

void dsn_read(const char *text, size_t length, struct dsn *dsn_r)
{
	const char *body = header_end(text, length), *end = text + length;

	*dsn_r = (struct dsn){0};
	if (!find_token(body, end, dsn_r->token, sizeof(dsn_r->token)))
		return;
	if (!read_report(body, end, dsn_r))
		read_plain(text, length, body, dsn_r);
}
