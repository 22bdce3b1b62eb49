#include "smtp.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "etpan_stream.h"
#include "smtp_private.h"
#include "text.h"

#include "ban.h"

#define REPLY_BYTES (64 * 1024)
#define REPLY_LINES 128
#define COMMAND_SIZE 1024

const struct smtp_reply *smtp_last_reply(const struct smtp *smtp)
{
	return &smtp->reply;
}

int64_t smtp_last_reply_at(const struct smtp *smtp)
{
	return smtp->replied_at;
}

const char *smtp_own_name(const struct smtp *smtp)
{
	return smtp->said;
}

struct stream *smtp_stream(const struct smtp *smtp)
{
	return smtp->stream;
}

/* --- replies --------------------------------------------------------------------------- */

/* RFC 5321, 4.2: three digits, then a space, a hyphen, or nothing. */
static int parse_line(struct smtp *smtp, const char *line, size_t length, int *code_r, bool *last_r)
{
	bool shaped = length >= 3 && line[0] >= '2' && line[0] <= '5' &&
		isdigit((unsigned char)line[1]) && isdigit((unsigned char)line[2]) &&
		(length == 3 || line[3] == ' ' || line[3] == '-');
	char shown[80];

	if (shaped) {
		*code_r = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
		*last_r = length == 3 || line[3] == ' ';
		return 0;
	}
	text_printable_copy(shown, sizeof(shown), line, length);
	return stream_fail(smtp->stream, ERROR_SMTP_MALFORMED,
		"%s answered with something that is no SMTP reply: \"%s\"",
		stream_server(smtp->stream), shown);
}

static void take_extension(struct smtp *smtp, const char *text, size_t length)
{
	char *to = smtp->extensions[smtp->extension_count];

	if (smtp->extension_count == EXTENSIONS_MAX || length >= sizeof(smtp->extensions[0]))
		return;
	for (size_t i = 0; i < length; i++)
		to[i] = text[i] == '\t' || text[i] == '=' ? ' ' : text[i];
	to[length] = '\0';
	smtp->extension_count++;
}

/* RFC 2034: class.subject.detail at the beginning of the text, agreeing with the code. */
static void take_enhanced(struct smtp *smtp, const char *text, size_t length)
{
	size_t used = 0, dots = 0;

	while (used < length && (isdigit((unsigned char)text[used]) || text[used] == '.'))
		dots += text[used++] == '.';
	if (dots != 2 || used >= sizeof(smtp->reply.enhanced) || used < 5 ||
		text[0] - '0' != smtp->reply.code / 100 || text[1] != '.')
		return;
	memcpy(smtp->reply.enhanced, text, used);
	smtp->reply.enhanced[used] = '\0';
}

static void take_line(struct smtp *smtp, const char *line, size_t length, bool first)
{
	struct smtp_reply *reply = &smtp->reply;
	size_t used = strlen(reply->text);
	size_t skip = first ? 0 : length > 4 ? 4 : length;

	if (!first && used + 3 < sizeof(reply->text)) {
		text_copy(reply->text + used, sizeof(reply->text) - used, " / ");
		used += 3;
	}
	text_printable_copy(
		reply->text + used, sizeof(reply->text) - used, line + skip, length - skip);
	if (length > 4 && first)
		take_enhanced(smtp, line + 4, length - 4);
	if (length > 4 && !first && smtp->gather)
		take_extension(smtp, line + 4, length - 4);
}

/* Whatever stopped the stream is the failure of the command. */
static int stream_broke(struct smtp *smtp, const char *waited_for, struct failure *why)
{
	*why = *stream_failure(smtp->stream);
	if (why->type == ERROR_NONE)
		failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory");
	return failure_prefix(why, "waiting for the %s", waited_for);
}

/* Reads one whole reply. Line ends are ours to trim: libetpan's helper reads out of bounds on a
 * bare LF. */
int smtp_read_reply(struct smtp *smtp, const char *waited_for, struct failure *why)
{
	bool last = false;

	smtp->reply = (struct smtp_reply){0};
	for (int lines = 0; !last; lines++) {
		const char *line = mailstream_read_line(smtp->mail, smtp->line);
		size_t length;
		int code = 0;

		if (line == NULL)
			return stream_broke(smtp, waited_for, why);
		length = smtp->line->len;
		while (length > 0 && (line[length - 1] == '\n' || line[length - 1] == '\r'))
			length--;
		if (lines == REPLY_LINES)
			stream_fail(smtp->stream, ERROR_LIMIT_SIZE,
				"%s sent a reply of more than %d lines",
				stream_server(smtp->stream), REPLY_LINES);
		else if (parse_line(smtp, line, length, &code, &last) == 0 && lines > 0 &&
			code != smtp->reply.code)
			stream_fail(smtp->stream, ERROR_SMTP_MALFORMED,
				"%s mixed the codes %d and %d in one reply",
				stream_server(smtp->stream), smtp->reply.code, code);
		if (stream_failure(smtp->stream)->type != ERROR_NONE)
			return stream_broke(smtp, waited_for, why);
		smtp->reply.code = code;
		take_line(smtp, line, length, lines == 0);
	}
	smtp->replied_at = clock_now();
	return 0;
}

/* What the server refused, in its own words. */
int smtp_refused(struct smtp *smtp, const char *what, struct failure *why)
{
	const struct smtp_reply *reply = &smtp->reply;
	enum error_type type = ERROR_SMTP_MALFORMED;

	if (reply->code >= 500)
		type = ERROR_SMTP_REJECT;
	else if (reply->code >= 400)
		type = ERROR_SMTP_TEMPFAIL;
	failure_set(why, type, "%s answered %s with: %s", stream_server(smtp->stream), what,
		reply->text);
	why->reply_code = reply->code;
	text_copy(why->enhanced_code, sizeof(why->enhanced_code), reply->enhanced);
	return -1;
}

static int expect(struct smtp *smtp, const char *what, int class, struct failure *why)
{
	if (smtp_read_reply(smtp, what, why) == -1)
		return -1;
	return smtp->reply.code / 100 == class ? 0 : smtp_refused(smtp, what, why);
}

/* --- commands -------------------------------------------------------------------------- */

/* Nothing may have been said before it was asked for: it would answer the wrong command. But for
 * a farewell, which is always allowed (RFC 5321, 3.8). */
static int check_silence(struct smtp *smtp, const char *what, struct failure *why)
{
	char text[sizeof(smtp->reply.text)];

	if (smtp->mail->read_buffer_len == 0 && !stream_has_unread(smtp->stream))
		return 0;
	if (smtp_read_reply(smtp, what, why) == -1)
		return -1;
	if (smtp->reply.code == 421)
		return smtp_refused(smtp, what, why);
	text_copy(text, sizeof(text), smtp->reply.text);
	smtp->reply = (struct smtp_reply){0};
	stream_fail(smtp->stream, ERROR_SMTP_MALFORMED,
		"%s sent a reply that no command asked for: \"%.120s\"",
		stream_server(smtp->stream), text);
	return stream_broke(smtp, what, why);
}

int smtp_send_line(struct smtp *smtp, const char *line, const char *what, struct failure *why)
{
	size_t length = strlen(line);

	stream_allow(smtp->stream, REPLY_BYTES);
	if (check_silence(smtp, what, why) == -1)
		return -1;
	if (mailstream_write(smtp->mail, line, length) == (ssize_t)length &&
		mailstream_flush(smtp->mail) == 0)
		return 0;
	return stream_broke(smtp, what, why);
}

static int command(struct smtp *smtp, const char *what, int class, struct failure *why,
	const char *format, ...) __attribute__((format(printf, 5, 6)));

static int command(struct smtp *smtp, const char *what, int class, struct failure *why,
	const char *format, ...)
{
	char line[COMMAND_SIZE];
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(line, sizeof(line) - 2, format, args);
	va_end(args);
	if (length < 0 || length >= (int)sizeof(line) - 2 || text_breaks_line(line, (size_t)length))
		return failure_set(why, ERROR_CONFIG_FILE,
			"the %s command would be too long or hold a line break", what);
	text_copy(line + length, 3, "\r\n");
	if (smtp_send_line(smtp, line, what, why) == -1)
		return -1;
	return expect(smtp, what, class, why);
}

static void smtp_free(struct smtp **smtp)
{
	if ((*smtp)->mail != NULL)
		mailstream_close((*smtp)->mail);
	if ((*smtp)->line != NULL)
		mmap_string_free((*smtp)->line);
	stream_close(&(*smtp)->stream);
	free(*smtp);
	*smtp = NULL;
}

struct smtp *smtp_open(struct stream *stream, struct failure *why)
{
	struct smtp *smtp = calloc(1, sizeof(*smtp));

	timings_begin(stream_timings(stream), "greeting");
	if (smtp == NULL) {
		failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory");
		stream_close(&stream);
		return NULL;
	}
	smtp->stream = stream;
	smtp->mail = etpan_stream_new(stream, NULL, NULL);
	smtp->line = mmap_string_new("");
	stream_allow(stream, REPLY_BYTES);
	if (smtp->mail == NULL || smtp->line == NULL)
		failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory");
	else if (expect(smtp, "greeting", 2, why) == 0)
		return smtp;
	smtp_free(&smtp);
	return NULL;
}

/* RFC 5321, 4.1.3: a client without a name of its own gives its address. */
static void address_literal_of(const struct stream *stream, char *text, size_t size)
{
	struct sockaddr_storage own = {0};
	socklen_t length = sizeof(own);
	char ip[INET6_ADDRSTRLEN] = "127.0.0.1";

	getsockname(stream_fd(stream), (struct sockaddr *)&own, &length);
	if (own.ss_family == AF_INET6)
		inet_ntop(AF_INET6, &((struct sockaddr_in6 *)&own)->sin6_addr, ip, sizeof(ip));
	else
		inet_ntop(AF_INET, &((struct sockaddr_in *)&own)->sin_addr, ip, sizeof(ip));
	snprintf(text, size, own.ss_family == AF_INET6 ? "[IPv6:%s]" : "[%s]", ip);
}

static int say_hello(struct smtp *smtp, struct failure *why)
{
	char literal[64];
	const char *name = smtp->name != NULL ? smtp->name : literal;
	int result;

	address_literal_of(smtp->stream, literal, sizeof(literal));
	text_copy(smtp->said, sizeof(smtp->said), name);
	smtp->extension_count = 0;
	smtp->gather = true;
	result = command(smtp, "EHLO", 2, why, "EHLO %s", name);
	smtp->gather = false;
	if (result == 0 || (smtp->reply.code != 500 && smtp->reply.code != 502))
		return result;
	*why = (struct failure){0};
	return command(smtp, "HELO", 2, why, "HELO %s", name);
}

int smtp_ehlo(struct smtp *smtp, const char *name, struct failure *why)
{
	smtp->name = name;
	timings_begin(stream_timings(smtp->stream), "ehlo");
	return say_hello(smtp, why);
}

bool smtp_offers(const struct smtp *smtp, const char *keyword, const char **parameters_r)
{
	size_t length = strlen(keyword);

	for (size_t i = 0; i < smtp->extension_count; i++) {
		const char *line = smtp->extensions[i];

		if (strncasecmp(line, keyword, length) != 0 ||
			(line[length] != '\0' && line[length] != ' '))
			continue;
		if (parameters_r != NULL)
			*parameters_r = line[length] == ' ' ? line + length + 1 : "";
		return true;
	}
	return false;
}

int smtp_start_tls(struct smtp *smtp, struct peer_facts *facts, struct failure *why)
{
	timings_begin(stream_timings(smtp->stream), "starttls");
	if (!smtp_offers(smtp, "STARTTLS", NULL))
		return failure_set(why, ERROR_TLS_STARTTLS_STRIPPED, "%s does not offer STARTTLS",
			stream_server(smtp->stream));
	if (command(smtp, "STARTTLS", 2, why, "STARTTLS") == -1) {
		if (smtp->reply.code != 0)
			why->type = ERROR_TLS_STARTTLS_STRIPPED;
		return -1;
	}
	if (stream_start_tls(smtp->stream, smtp->mail->read_buffer_len, facts) == -1) {
		*why = *stream_failure(smtp->stream);
		return -1;
	}
	/* RFC 3207, 4.2: what was learnt before TLS is forgotten. */
	return say_hello(smtp, why);
}

/* --- the mail -------------------------------------------------------------------------- */

int smtp_mail(struct smtp *smtp, const char *from, size_t size, struct failure *why)
{
	timings_begin(stream_timings(smtp->stream), "mail");
	if (smtp_offers(smtp, "SIZE", NULL))
		return command(smtp, "MAIL", 2, why, "MAIL FROM:<%s> SIZE=%zu", from, size);
	return command(smtp, "MAIL", 2, why, "MAIL FROM:<%s>", from);
}

int smtp_rcpt(struct smtp *smtp, const char *to, struct failure *why)
{
	timings_begin(stream_timings(smtp->stream), "rcpt");
	return command(smtp, "RCPT", 2, why, "RCPT TO:<%s>", to);
}

int smtp_rset(struct smtp *smtp, struct failure *why)
{
	return command(smtp, "RSET", 2, why, "RSET");
}

int smtp_data(struct smtp *smtp, struct failure *why)
{
	timings_begin(stream_timings(smtp->stream), "data");
	return command(smtp, "DATA", 3, why, "DATA");
}

int smtp_send_text(struct smtp *smtp, const char *text, size_t length, struct failure *why)
{
	/* libetpan ends the text with CRLF dot CRLF of its own. */
	if (length >= 2 && memcmp(text + length - 2, "\r\n", 2) == 0)
		length -= 2;
	stream_allow(smtp->stream, REPLY_BYTES);
	if (check_silence(smtp, "text", why) == -1)
		return -1;
	if (mailstream_send_data(smtp->mail, text, length, 0, NULL) == -1 ||
		mailstream_flush(smtp->mail) == -1) {
		stream_broke(smtp, "end of the text", why);
	} else {
		timings_begin(stream_timings(smtp->stream), "accept");
		if (expect(smtp, "final dot", 2, why) == 0)
			return 0;
		/* Only a whole reply of 4yz or 5yz is a no. */
		if (why->type == ERROR_SMTP_REJECT || why->type == ERROR_SMTP_TEMPFAIL)
			return -1;
	}
	/* Part of the text may have been the whole of it to the server: only a reply tells. */
	why->type = ERROR_SMTP_UNKNOWN;
	return -1;
}

void smtp_quit(struct smtp **smtp)
{
	static const char quit[] = "QUIT\r\n";

	if (*smtp == NULL)
		return;
	if (stream_failure((*smtp)->stream)->type == ERROR_NONE) {
		mailstream_write((*smtp)->mail, quit, sizeof(quit) - 1);
		mailstream_flush((*smtp)->mail);
	}
	smtp_free(smtp);
}
