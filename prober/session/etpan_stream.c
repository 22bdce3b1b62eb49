#include "etpan_stream.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ban.h"

#define BUFFER_SIZE 8192
#define LINE_SHOWN 400

/* Gathers one direction's bytes into lines for the transcript. */
struct tap {
	char line[LINE_SHOWN];
	size_t length;
};

struct wire {
	struct stream *stream;
	etpan_guard *guard;
	void *context;
	bool secret;
	struct tap sent, received;
};

/* How much of a line of ours may be seen: "AUTH PLAIN ", "a1 AUTHENTICATE ", "PASS ", or nothing
 * of one that is not a command. A password may have spaces in it. */
static size_t public_part(const char *line, size_t length)
{
	const char *first = memchr(line, ' ', length);
	size_t used = first != NULL ? (size_t)(first + 1 - line) : 0;
	const char *second = used > 0 ? memchr(line + used, ' ', length - used) : NULL;
	bool one_word = used == 5 && (strncasecmp(line, "USER ", used) == 0 ||
					     strncasecmp(line, "PASS ", used) == 0);

	if (one_word)
		return used;
	return second != NULL ? (size_t)(second + 1 - line) : 0;
}

/* "AUTH PLAIN" alone has nothing to hide. */
static bool is_bare_command(const char *line, size_t length)
{
	return length > 5 && strncasecmp(line, "AUTH ", 5) == 0 && public_part(line, length) == 0;
}

/* "a1 LOGIN user pass" becomes "a1 LOGIN ***"; a line without a command word, "***". */
static void add_masked(
	struct transcript *transcript, enum transcript_side side, const char *line, size_t length)
{
	char masked[64] = "***";
	size_t shown = public_part(line, length);

	if (is_bare_command(line, length)) {
		transcript_add(transcript, side, line, length);
		return;
	}
	if (shown > 0 && shown < sizeof(masked) - 4) {
		memcpy(masked, line, shown);
		memcpy(masked + shown, "***", 4);
	}
	transcript_add(transcript, side, masked, strlen(masked));
}

/* "+ abc" of IMAP and POP3, "334 abc" of SMTP; a final reply has nothing to hide. */
static size_t challenge_mark(const struct tap *tap)
{
	if (tap->length > 1 && tap->line[0] == '+' && strchr(" \r\n", tap->line[1]) != NULL)
		return 1;
	return tap->length > 3 && memcmp(tap->line, "334", 3) == 0 ? 3 : 0;
}

static void show(struct wire *wire, enum transcript_side side, struct tap *tap)
{
	struct transcript *transcript = stream_transcript(wire->stream);
	size_t mark = side == SAID_BY_SERVER ? challenge_mark(tap) : 0;

	if (wire->secret && side == SAID_BY_CLIENT)
		add_masked(transcript, side, tap->line, tap->length);
	else if (wire->secret && mark > 0)
		transcript_add(transcript, side, mark == 1 ? "+ ***" : "334 ***", mark + 4);
	else
		transcript_add(transcript, side, tap->line, tap->length);
	tap->length = 0;
}

static void tap_bytes(
	struct wire *wire, enum transcript_side side, struct tap *tap, const char *bytes,
	size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (tap->length < sizeof(tap->line))
			tap->line[tap->length++] = bytes[i];
		if (bytes[i] == '\n')
			show(wire, side, tap);
	}
}

static ssize_t wire_read(mailstream_low *low, void *buffer, size_t size)
{
	struct wire *wire = low->data;
	ssize_t got = stream_read(wire->stream, buffer, size);

	if (got <= 0)
		return -1;
	tap_bytes(wire, SAID_BY_SERVER, &wire->received, buffer, (size_t)got);
	if (wire->guard != NULL &&
		wire->guard(wire->context, wire->stream, buffer, (size_t)got) == -1)
		return -1;
	return got;
}

static ssize_t wire_write(mailstream_low *low, const void *buffer, size_t size)
{
	struct wire *wire = low->data;
	bool was_secret = wire->secret;

	/* libetpan marks what it knows to be private itself. */
	wire->secret = was_secret || low->privacy == 0;
	tap_bytes(wire, SAID_BY_CLIENT, &wire->sent, buffer, size);
	wire->secret = was_secret;
	return stream_write(wire->stream, buffer, size) == 0 ? (ssize_t)size : -1;
}

static int wire_close(mailstream_low *low)
{
	(void)low;
	return 0;
}

static int wire_fd(mailstream_low *low)
{
	const struct wire *wire = low->data;

	return stream_fd(wire->stream);
}

static void wire_free(mailstream_low *low)
{
	explicit_bzero(low->data, sizeof(struct wire));
	free(low->data);
	free(low);
}

static void wire_cancel(mailstream_low *low)
{
	(void)low;
}

static mailstream_low_driver wire_driver = {
	.mailstream_read = wire_read,
	.mailstream_write = wire_write,
	.mailstream_close = wire_close,
	.mailstream_get_fd = wire_fd,
	.mailstream_free = wire_free,
	.mailstream_cancel = wire_cancel,
};

mailstream *etpan_stream_new(struct stream *stream, etpan_guard *guard, void *context)
{
	struct wire *wire = calloc(1, sizeof(*wire));
	mailstream_low *low;
	mailstream *mail;

	if (wire == NULL)
		return NULL;
	wire->stream = stream;
	wire->guard = guard;
	wire->context = context;
	low = mailstream_low_new(wire, &wire_driver);
	if (low == NULL) {
		free(wire);
		return NULL;
	}
	mail = mailstream_new(low, BUFFER_SIZE);
	if (mail == NULL)
		wire_free(low);
	return mail;
}

void etpan_stream_secret(mailstream *mail, bool secret)
{
	struct wire *wire = mailstream_get_low(mail)->data;

	wire->secret = secret;
}
