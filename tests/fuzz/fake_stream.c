#include "fake_stream.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "text.h"

struct stream {
	const uint8_t *bytes;
	size_t size, at;
	bool spoken; /* the client, since the last turn */
	bool tls;
	size_t allowed;
	struct failure why;
};

static struct timings timings;
static struct transcript transcript;

struct stream *fake_stream(const uint8_t *bytes, size_t size)
{
	struct stream *stream = calloc(1, sizeof(*stream));

	must(stream != NULL);
	stream->bytes = bytes;
	stream->size = size;
	stream->allowed = 64 * 1024;
	timings = (struct timings){0};
	transcript.count = 0;
	return stream;
}

bool is_printable(const char *text)
{
	char shown[8192];

	text_printable_copy(shown, sizeof(shown), text, strlen(text));
	return strcmp(shown, text) == 0;
}

/* --- the stream ---------------------------------------------------------------------------- */

int stream_fail(struct stream *stream, enum error_type type, const char *format, ...)
{
	char text[FAILURE_TEXT_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return failure_set(&stream->why, type, "%s", text);
}

static size_t turn_left(struct stream *stream)
{
	const uint8_t *begin = stream->bytes + stream->at;
	size_t left = stream->size - stream->at;
	const uint8_t *end = left > 0 ? memchr(begin, END_OF_TURN, left) : NULL;

	return end != NULL ? (size_t)(end - begin) : left;
}

ssize_t stream_read(struct stream *stream, void *buffer, size_t size)
{
	size_t left = turn_left(stream);

	if (stream->why.type != ERROR_NONE)
		return -1;
	if (left == 0 && stream->spoken && stream->at < stream->size) {
		stream->at++;
		stream->spoken = false;
		left = turn_left(stream);
	}
	if (left == 0)
		return stream_fail(stream, ERROR_TCP_EOF, "the server closed the connection");
	if (left > size)
		left = size;
	if (left > stream->allowed)
		return stream_fail(stream, ERROR_LIMIT_SIZE, "too much");
	memcpy(buffer, stream->bytes + stream->at, left);
	stream->at += left;
	stream->allowed -= left;
	return (ssize_t)left;
}

bool stream_has_unread(struct stream *stream)
{
	return stream->why.type == ERROR_NONE && turn_left(stream) > 0;
}

int stream_write(struct stream *stream, const void *buffer, size_t size)
{
	(void)buffer;
	(void)size;
	stream->spoken = true;
	return stream->why.type == ERROR_NONE ? 0 : -1;
}

void stream_allow(struct stream *stream, size_t bytes)
{
	stream->allowed = bytes;
}

int stream_start_tls(struct stream *stream, size_t buffered, struct peer_facts *facts)
{
	(void)facts;
	if (stream->why.type != ERROR_NONE)
		return -1;
	if (buffered > 0 || turn_left(stream) > 0)
		return stream_fail(stream, ERROR_TLS_INJECTED, "injected");
	stream->tls = true;
	return 0;
}

bool stream_may_carry_secrets(const struct stream *stream)
{
	(void)stream;
	return true;
}

const struct failure *stream_failure(const struct stream *stream)
{
	return &stream->why;
}

const char *stream_server(const struct stream *stream)
{
	(void)stream;
	return "mail.acme.test:1";
}

struct transcript *stream_transcript(const struct stream *stream)
{
	(void)stream;
	return &transcript;
}

struct timings *stream_timings(const struct stream *stream)
{
	(void)stream;
	return &timings;
}

int stream_fd(const struct stream *stream)
{
	(void)stream;
	return -1;
}

void stream_close(struct stream **stream)
{
	free(*stream);
	*stream = NULL;
}
