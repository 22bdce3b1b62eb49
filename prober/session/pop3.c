#include "pop3_private.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "etpan_stream.h"
#include "text.h"

#include "ban.h"

/* What one command may be answered with. Of a maildrop with 100,000 messages UIDL is 8 MB. */
#define REPLY_BYTES ((size_t)64 * 1024)
#define LIST_BYTES ((size_t)16 * 1024 * 1024)
#define MESSAGE_BYTES ((size_t)4 * 1024 * 1024)
#define LINE_BYTES ((size_t)64 * 1024)
#define COMMAND_SIZE 1024

struct stream *pop3_stream(const struct pop3 *pop3)
{
	return pop3->stream;
}

/* --- lines ----------------------------------------------------------------------------- */

/* Whatever stopped the stream is the failure of the command. */
static int stream_broke(struct pop3 *pop3, const char *what, struct failure *why)
{
	*why = *stream_failure(pop3->stream);
	if (why->type == ERROR_NONE)
		failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory");
	return failure_prefix(why, "waiting for the answer to %s", what);
}

int pop3_read_line(struct pop3 *pop3, const char *what, struct failure *why)
{
	char *line = mailstream_read_line(pop3->mail, pop3->line);

	if (line == NULL)
		return stream_broke(pop3, what, why);
	pop3->length = pop3->line->len;
	while (pop3->length > 0 &&
		(line[pop3->length - 1] == '\n' || line[pop3->length - 1] == '\r'))
		pop3->length--;
	line[pop3->length] = '\0';
	if (pop3->length <= LINE_BYTES)
		return 0;
	stream_fail(pop3->stream, ERROR_LIMIT_SIZE, "%s sent a line of more than %zu bytes",
		stream_server(pop3->stream), LINE_BYTES);
	return stream_broke(pop3, what, why);
}

static bool begins(const struct pop3 *pop3, const char *status)
{
	size_t length = strlen(status);
	const char *line = pop3->line->str;

	return strncasecmp(line, status, length) == 0 &&
		(line[length] == '\0' || line[length] == ' ');
}

bool pop3_is_ok(const struct pop3 *pop3)
{
	return begins(pop3, "+OK");
}

static int malformed(struct pop3 *pop3, const char *what, const char *trouble, struct failure *why)
{
	char shown[120];

	text_printable_copy(shown, sizeof(shown), pop3->line->str, pop3->length);
	stream_fail(pop3->stream, ERROR_POP3_MALFORMED, "%s %s: \"%s\"",
		stream_server(pop3->stream), trouble, shown);
	return stream_broke(pop3, what, why);
}

int pop3_refused(struct pop3 *pop3, const char *what, enum error_type refusal, struct failure *why)
{
	char shown[240];

	if (!begins(pop3, "-ERR"))
		return malformed(pop3, what, "answered with something that is no POP3 reply", why);
	text_printable_copy(shown, sizeof(shown), pop3->line->str, pop3->length);
	return failure_set(
		why, refusal, "%s answered %s with: %s", stream_server(pop3->stream), what, shown);
}

/* --- commands -------------------------------------------------------------------------- */

int pop3_send(struct pop3 *pop3, const char *command, const char *what, struct failure *why)
{
	size_t length = strlen(command);

	stream_allow(pop3->stream, REPLY_BYTES);
	/* It would answer the wrong command. */
	if (pop3->mail->read_buffer_len > 0 || stream_has_unread(pop3->stream)) {
		if (pop3_read_line(pop3, what, why) == -1)
			return -1;
		return malformed(pop3, what, "sent a line that no command asked for", why);
	}
	if (mailstream_write(pop3->mail, command, length) == (ssize_t)length &&
		mailstream_write(pop3->mail, "\r\n", 2) == 2 && mailstream_flush(pop3->mail) == 0)
		return 0;
	return stream_broke(pop3, what, why);
}

int pop3_command(struct pop3 *pop3, const char *what, enum error_type refusal, struct failure *why,
	const char *format, ...)
{
	char command[COMMAND_SIZE];
	va_list args;
	int length, result;

	va_start(args, format);
	length = vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	if (length < 0 || length >= (int)sizeof(command) ||
		text_breaks_line(command, (size_t)length))
		result = failure_set(why, ERROR_CONFIG_SECRET,
			"the %s command would be too long or hold a line break", what);
	else if (pop3_send(pop3, command, what, why) == -1 || pop3_read_line(pop3, what, why) == -1)
		result = -1;
	else
		result = pop3_is_ok(pop3) ? 0 : pop3_refused(pop3, what, refusal, why);
	explicit_bzero(command, sizeof(command));
	return result;
}

/* The next line of an answer of many, its stuffing taken off: 1, or 0 behind the last. */
static int next_line(struct pop3 *pop3, const char *what, const char **line_r, struct failure *why)
{
	const char *line;

	if (pop3_read_line(pop3, what, why) == -1)
		return -1;
	line = pop3->line->str;
	if (line[0] == '.' && pop3->length == 1)
		return 0;
	*line_r = line[0] == '.' ? line + 1 : line;
	return 1;
}

/* --- opening and closing --------------------------------------------------------------- */

void pop3_close(struct pop3 **pop3)
{
	if (*pop3 == NULL)
		return;
	if ((*pop3)->mail != NULL)
		mailstream_close((*pop3)->mail);
	if ((*pop3)->line != NULL)
		mmap_string_free((*pop3)->line);
	stream_close(&(*pop3)->stream);
	free(*pop3);
	*pop3 = NULL;
}

static int greet(struct pop3 *pop3, struct failure *why)
{
	stream_allow(pop3->stream, REPLY_BYTES);
	if (pop3_read_line(pop3, "the connection", why) == -1)
		return -1;
	return pop3_is_ok(pop3) ? 0 : pop3_refused(pop3, "the connection", ERROR_POP3_ERR, why);
}

struct pop3 *pop3_open(struct stream *stream, struct failure *why)
{
	struct pop3 *pop3 = calloc(1, sizeof(*pop3));

	timings_begin(stream_timings(stream), "greeting");
	if (pop3 == NULL) {
		failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory");
		stream_close(&stream);
		return NULL;
	}
	pop3->stream = stream;
	pop3->mail = etpan_stream_new(stream, NULL, NULL);
	pop3->line = mmap_string_new("");
	if (pop3->mail == NULL || pop3->line == NULL)
		failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory");
	else if (greet(pop3, why) == 0)
		return pop3;
	pop3_close(&pop3);
	return NULL;
}

int pop3_ask_capability(struct pop3 *pop3, struct failure *why)
{
	struct failure refused = {0};
	const char *line;
	int more;

	pop3->capability_count = 0;
	pop3->asked = true;
	pop3->knows_capa = pop3_command(pop3, "CAPA", ERROR_POP3_ERR, &refused, "CAPA") == 0;
	if (!pop3->knows_capa && refused.type == ERROR_POP3_ERR)
		return 0;
	if (!pop3->knows_capa) {
		*why = refused;
		return -1;
	}
	while ((more = next_line(pop3, "CAPA", &line, why)) == 1)
		if (pop3->capability_count < POP3_CAPABILITIES_MAX)
			text_copy(pop3->capabilities[pop3->capability_count++],
				sizeof(pop3->capabilities[0]), line);
	return more;
}

bool pop3_has(const struct pop3 *pop3, const char *capability)
{
	size_t length = strlen(capability);

	for (size_t i = 0; i < pop3->capability_count; i++)
		if (strncasecmp(pop3->capabilities[i], capability, length) == 0 &&
			strchr(" ", pop3->capabilities[i][length]) != NULL)
			return true;
	return !pop3->knows_capa;
}

int pop3_start_tls(struct pop3 *pop3, struct peer_facts *facts, struct failure *why)
{
	timings_begin(stream_timings(pop3->stream), "starttls");
	if (pop3_ask_capability(pop3, why) == -1)
		return -1;
	if (!pop3_has(pop3, "STLS"))
		return failure_set(why, ERROR_TLS_STARTTLS_STRIPPED, "%s does not offer STLS",
			stream_server(pop3->stream));
	if (pop3_command(pop3, "STLS", ERROR_TLS_STARTTLS_STRIPPED, why, "STLS") == -1)
		return -1;
	pop3->asked = false;
	if (stream_start_tls(pop3->stream, pop3->mail->read_buffer_len, facts) == 0)
		return 0;
	*why = *stream_failure(pop3->stream);
	return -1;
}

/* --- reading --------------------------------------------------------------------------- */

/* "12 3456": two numbers and what may follow. */
static bool two_numbers(const char *text, uint64_t *first_r, uint64_t *second_r)
{
	char *end;

	if (text[strspn(text, "0123456789")] != ' ')
		return false;
	*first_r = strtoull(text, &end, 10);
	end += strspn(end, " ");
	if (end[0] < '0' || end[0] > '9')
		return false;
	*second_r = strtoull(end, NULL, 10);
	return true;
}

static const char *behind_ok(const struct pop3 *pop3)
{
	const char *line = pop3->line->str + strlen("+OK");

	return line + strspn(line, " ");
}

int pop3_stat(struct pop3 *pop3, uint32_t *messages_r, uint64_t *bytes_r, struct failure *why)
{
	uint64_t messages;

	if (pop3_command(pop3, "STAT", ERROR_POP3_ERR, why, "STAT") == -1)
		return -1;
	if (!two_numbers(behind_ok(pop3), &messages, bytes_r) || messages > UINT32_MAX ||
		*bytes_r > INT64_MAX)
		return malformed(pop3, "STAT", "stated no number of messages", why);
	*messages_r = (uint32_t)messages;
	return 0;
}

/* "5 whqtswO00WBw418f9t5JxYwZ". */
static bool read_uid(const char *line, uint32_t messages, struct pop3_entry *entry)
{
	size_t digits = strspn(line, "0123456789");
	uint64_t number = digits > 0 && digits < 11 ? strtoull(line, NULL, 10) : 0;
	const char *uid = line + digits + strspn(line + digits, " ");
	size_t length = strlen(uid);

	if (number == 0 || number > messages || line[digits] != ' ' || length == 0 ||
		length >= POP3_UID_SIZE)
		return false;
	for (size_t i = 0; i < length; i++)
		if (uid[i] < '!' || uid[i] > '~')
			return false;
	entry->number = (uint32_t)number;
	text_copy(entry->uid, sizeof(entry->uid), uid);
	return true;
}

int pop3_uidl(struct pop3 *pop3, uint32_t messages, uint32_t first, struct pop3_entry *list,
	size_t max, size_t *count_r, size_t *total_r, struct failure *why)
{
	uint32_t last = 0;
	const char *line;
	int more;

	*count_r = *total_r = 0;
	if (pop3_command(pop3, "UIDL", ERROR_POP3_ERR, why, "UIDL") == -1)
		return -1;
	stream_allow(pop3->stream, LIST_BYTES);
	while ((more = next_line(pop3, "UIDL", &line, why)) == 1) {
		struct pop3_entry entry = {0};

		if (!read_uid(line, messages, &entry) || entry.number <= last)
			return malformed(pop3, "UIDL", "sent a list that makes no sense", why);
		last = entry.number;
		++*total_r;
		if (entry.number >= first && *count_r < max)
			list[(*count_r)++] = entry;
	}
	return more;
}

int pop3_size(struct pop3 *pop3, struct pop3_entry *entry, struct failure *why)
{
	uint64_t number, size;

	if (pop3_command(pop3, "LIST", ERROR_POP3_ERR, why, "LIST %u", entry->number) == -1)
		return -1;
	if (!two_numbers(behind_ok(pop3), &number, &size) || number != entry->number)
		return malformed(pop3, "LIST", "stated no size", why);
	entry->size = size < UINT32_MAX ? (uint32_t)size : UINT32_MAX;
	return 0;
}

int pop3_read(
	struct pop3 *pop3, uint32_t number, long lines, uint64_t *bytes_r, struct failure *why)
{
	const char *what = lines < 0 ? "RETR" : "TOP";
	const char *line;
	int more, result;

	*bytes_r = 0;
	if (lines < 0)
		result = pop3_command(pop3, what, ERROR_POP3_ERR, why, "RETR %u", number);
	else
		result = pop3_command(pop3, what, ERROR_POP3_ERR, why, "TOP %u %ld", number, lines);
	if (result == -1)
		return -1;
	stream_allow(pop3->stream, MESSAGE_BYTES);
	/* Each line with the CRLF that it had in the mail. */
	while ((more = next_line(pop3, what, &line, why)) == 1)
		*bytes_r += pop3->length - (size_t)(line - pop3->line->str) + 2;
	return more;
}

/* A server that hangs up without TLS's goodbye, or without one at all, has let us go. */
static bool ended_politely(enum error_type type)
{
	return type == ERROR_TCP_EOF || type == ERROR_TCP_RESET || type == ERROR_TLS_TRUNCATED;
}

int pop3_quit(struct pop3 *pop3, struct failure *why)
{
	struct failure end = {0};

	if (pop3_command(pop3, "QUIT", ERROR_POP3_ERR, &end, "QUIT") == 0 ||
		ended_politely(end.type))
		return 0;
	*why = end;
	return -1;
}
