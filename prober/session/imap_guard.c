#include "imap_guard.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "text.h"

#include "ban.h"

const struct imap_limits imap_default_limits = {
	.line = 64 * 1024,
	.literal = 1024 * 1024,
	.depth = 32,
	.lines = 20000,
};

void imap_guard_init(struct imap_guard *guard)
{
	*guard = (struct imap_guard){.limits = imap_default_limits};
}

void imap_guard_command(struct imap_guard *guard, unsigned int tag)
{
	guard->tag = tag;
	guard->answered = false;
	guard->last_word = false;
	guard->continues = false;
	guard->line_count = 0;
}

static int malformed(const struct imap_guard *guard, struct stream *stream, const char *what)
{
	char shown[120];

	text_printable_copy(shown, sizeof(shown), guard->head, guard->head_length);
	return stream_fail(
		stream, ERROR_IMAP_MALFORMED, "%s %s: \"%s\"", stream_server(stream), what, shown);
}

/* --- words ----------------------------------------------------------------------------- */

static bool is_space(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r';
}

/* The head's first or second word, as its place and length. */
static const char *word(const struct imap_guard *guard, unsigned int number, size_t *length_r)
{
	const char *at = guard->head, *end = guard->head + guard->head_length;
	const char *begin = at;

	for (unsigned int i = 0; i < number; i++) {
		while (at < end && is_space(*at))
			at++;
		begin = at;
		while (at < end && !is_space(*at))
			at++;
	}
	*length_r = (size_t)(at - begin);
	return begin;
}

static bool word_is(const struct imap_guard *guard, unsigned int number, const char *wanted)
{
	size_t length;
	const char *at = word(guard, number, &length);

	return length == strlen(wanted) && strncasecmp(at, wanted, length) == 0;
}

/* Who is spoken to: nobody ("*"), or the command in progress, by its tag and only once. */
static int check_tag(struct imap_guard *guard, struct stream *stream)
{
	char tag[16];

	if (word_is(guard, 1, "*"))
		return 0;
	if (guard->continues && word_is(guard, 1, "+") && guard->head[0] == '+')
		return 0;
	/* No other command of ours is sent in parts. */
	if (guard->head[strspn(guard->head, " \t")] == '+')
		return malformed(guard, stream, "asked for more of a command that was whole");
	snprintf(tag, sizeof(tag), "%u", guard->tag);
	if (guard->tag == 0)
		return malformed(guard, stream, "sent something that is no IMAP greeting");
	if (!word_is(guard, 1, tag))
		return malformed(guard, stream, "answered a command that was never sent");
	if (guard->answered)
		return malformed(guard, stream, "answered a command twice");
	return 0;
}

static void check_status(struct imap_guard *guard)
{
	static const char *const states[] = {"OK", "NO", "BAD", "BYE", "PREAUTH", NULL};

	for (size_t i = 0; states[i] != NULL; i++)
		if (word_is(guard, 2, states[i]))
			guard->is_status = true;
}

/* A word of the line has ended. */
static int end_word(struct imap_guard *guard, struct stream *stream)
{
	guard->in_word = false;
	if (guard->words == 1) {
		guard->is_status = guard->head[0] == '+'; /* all of it is a text */
		return check_tag(guard, stream);
	}
	if (guard->words == 2)
		check_status(guard);
	return 0;
}

static int follow_words(struct imap_guard *guard, struct stream *stream, char byte)
{
	if (guard->head_length + 1 < sizeof(guard->head)) {
		guard->head[guard->head_length++] = byte;
		guard->head[guard->head_length] = '\0';
	}
	if (is_space(byte))
		return guard->in_word ? end_word(guard, stream) : 0;
	if (!guard->in_word && guard->words < 3) {
		guard->in_word = true;
		guard->words++;
	}
	return 0;
}

/* --- flags ----------------------------------------------------------------------------- */

static bool is_atom(char byte)
{
	return (unsigned char)byte > ' ' && (unsigned char)byte < 0x7f &&
		strchr("(){%*\"\\]", byte) == NULL;
}

/* libetpan dies of a PERMANENTFLAGS list whose first flag it cannot read. */
static int follow_flags(struct imap_guard *guard, struct stream *stream, char byte)
{
	static const char name[] = "[PERMANENTFLAGS";
	bool fine = true;

	switch (guard->flags) {
	case FLAGS_NAME:
		if (toupper((unsigned char)byte) == name[guard->flags_matched])
			guard->flags_matched++;
		else
			guard->flags_matched = byte == '[';
		if (name[guard->flags_matched] == '\0')
			guard->flags = FLAGS_LIST;
		return 0;
	case FLAGS_LIST:
		guard->flags_matched = 0;
		if (!is_space(byte))
			guard->flags = byte == '(' ? FLAGS_FIRST : FLAGS_NAME;
		return 0;
	case FLAGS_FIRST:
		fine = byte == '\\' || byte == ')' || is_atom(byte);
		guard->flags = byte == '\\' ? FLAGS_SYSTEM : FLAGS_NAME;
		break;
	case FLAGS_SYSTEM:
		fine = byte == '*' || is_atom(byte);
		guard->flags = FLAGS_NAME;
		break;
	}
	return fine ? 0 : malformed(guard, stream, "sent PERMANENTFLAGS without flags");
}

/* A greeting is parsed without the context that lists need: libetpan dies of any in its response
 * code. Capabilities, which are all that belongs there, have none. */
static int follow_greeting(struct imap_guard *guard, struct stream *stream, char byte)
{
	if (byte == '[')
		guard->in_code = true;
	else if (byte == ']')
		guard->in_code = false;
	else if (byte == '(' && guard->in_code)
		return malformed(guard, stream, "greeted with a list");
	return 0;
}

/* --- lines ----------------------------------------------------------------------------- */

static void start_line(struct imap_guard *guard)
{
	guard->head_length = 0;
	guard->head[0] = '\0';
	guard->line_length = 0;
	guard->words = 0;
	guard->in_word = false;
	guard->is_status = false;
	guard->in_quotes = false;
	guard->escaped = false;
	guard->depth = 0;
	guard->in_code = false;
	guard->flags = FLAGS_NAME;
	guard->flags_matched = 0;
}

/* A BYE behind the answer leaves that answer its worth; the next command will find it. */
static int end_status(struct imap_guard *guard, struct stream *stream)
{
	char shown[120];

	if (guard->head[0] == '+')
		return 0;
	if (!word_is(guard, 1, "*")) {
		guard->answered = true;
		return 0;
	}
	if (!word_is(guard, 2, "BYE") || guard->farewell)
		return 0;
	if (guard->answered) {
		guard->gone = true;
		return 0;
	}
	text_printable_copy(shown, sizeof(shown), guard->head, guard->head_length);
	return stream_fail(
		stream, ERROR_IMAP_BYE, "%s hung up: \"%s\"", stream_server(stream), shown);
}

/* A literal is announced by "{size}" or "{size+}" at the very end of a line (RFC 3501, 4.3);
 * the line goes on behind it. In a text for people it means nothing. */
static int begin_literal(struct imap_guard *guard, struct stream *stream)
{
	guard->in_quotes = false;
	/* During AUTHENTICATE we go by lines: what a literal hides would be taken for some. */
	if (guard->continues)
		return malformed(guard, stream, "sent a literal while we were logging in");
	if (guard->number > guard->limits.literal)
		return stream_fail(stream, ERROR_LIMIT_SIZE, "%s announced a literal of %llu bytes",
			stream_server(stream), (unsigned long long)guard->number);
	guard->literal_left = guard->number;
	return 0;
}

/* "* n EXISTS" (RFC 3501, 7.3.1): the mailbox has changed, even if an EXPUNGE beside it leaves
 * the number as it was. */
static bool announces(const struct imap_guard *guard)
{
	const char *at = guard->head;

	if (strncmp(at, "* ", 2) != 0)
		return false;
	at += 2 + strspn(at + 2, "0123456789");
	return strncasecmp(at, " EXISTS", 7) == 0;
}

static int end_line(struct imap_guard *guard, struct stream *stream)
{
	bool literal = guard->number_ended;

	guard->in_number = false;
	guard->number_ended = false;
	if (guard->in_word && end_word(guard, stream) == -1)
		return -1;
	if (guard->flags == FLAGS_FIRST || guard->flags == FLAGS_SYSTEM)
		return malformed(guard, stream, "sent PERMANENTFLAGS without flags");
	if (literal && !guard->is_status)
		return begin_literal(guard, stream);
	if (guard->is_status && end_status(guard, stream) == -1)
		return -1;
	if (announces(guard))
		guard->announcements++;
	start_line(guard);
	if (++guard->line_count > guard->limits.lines)
		return stream_fail(stream, ERROR_LIMIT_SIZE,
			"%s answered one command with more than %zu lines", stream_server(stream),
			guard->limits.lines);
	return 0;
}

static void follow_number(struct imap_guard *guard, char byte)
{
	if (byte == '{') {
		guard->in_number = true;
		guard->number_ended = false;
		guard->number = 0;
	} else if (guard->in_number && byte >= '0' && byte <= '9') {
		/* Saturates, so that a size of many digits stays too large. */
		if (guard->number < UINT64_MAX / 20)
			guard->number = guard->number * 10 + (uint64_t)(byte - '0');
	} else if (guard->in_number && byte == '}') {
		guard->in_number = false;
		guard->number_ended = true;
	} else if (byte != '+' && byte != '\r') {
		guard->in_number = false;
		guard->number_ended = false;
	}
}

static int follow_depth(struct imap_guard *guard, struct stream *stream, char byte)
{
	if (guard->escaped) {
		guard->escaped = false;
	} else if (guard->in_quotes) {
		guard->escaped = byte == '\\';
		guard->in_quotes = byte != '"';
	} else if (byte == '"' && !guard->is_status) {
		guard->in_quotes = true;
	} else if (byte == '(') {
		if (++guard->depth > guard->limits.depth)
			return stream_fail(stream, ERROR_LIMIT_DEPTH,
				"%s nested its answer more than %u deep", stream_server(stream),
				guard->limits.depth);
	} else if (byte == ')' && guard->depth > 0) {
		guard->depth--;
	}
	return 0;
}

static int follow(struct imap_guard *guard, struct stream *stream, char byte)
{
	if (guard->last_word && guard->answered)
		return stream_fail(stream, ERROR_TLS_INJECTED,
			"%s sent plaintext behind its agreement to STARTTLS",
			stream_server(stream));
	if (byte == '\n')
		return end_line(guard, stream);
	if (byte == '\0')
		return malformed(guard, stream, "sent a NUL in a line");
	if (++guard->line_length > guard->limits.line)
		return stream_fail(stream, ERROR_LIMIT_SIZE,
			"%s sent a line of more than %zu bytes", stream_server(stream),
			guard->limits.line);
	if (follow_words(guard, stream, byte) == -1)
		return -1;
	follow_number(guard, byte);
	if (guard->tag == 0 && follow_greeting(guard, stream, byte) == -1)
		return -1;
	if (!guard->in_quotes && follow_flags(guard, stream, byte) == -1)
		return -1;
	return follow_depth(guard, stream, byte);
}

int imap_guard_bytes(void *context, struct stream *stream, const char *bytes, size_t length)
{
	struct imap_guard *guard = context;
	size_t at = 0;

	while (at < length) {
		if (guard->literal_left > 0) {
			uint64_t rest = length - at;
			uint64_t taken = rest < guard->literal_left ? rest : guard->literal_left;

			guard->literal_left -= taken;
			at += taken;
		} else if (follow(guard, stream, bytes[at++]) == -1) {
			return -1;
		}
	}
	return 0;
}
