#include "imap_guard.h"

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

void imap_guard_command(struct imap_guard *guard)
{
	guard->line_count = 0;
}

static void start_line(struct imap_guard *guard)
{
	guard->line_length = 0;
	guard->depth = 0;
	guard->in_quotes = false;
	guard->escaped = false;
}

/* A literal is announced by "{size}" or "{size+}" at the very end of a line (RFC 3501, 4.3);
 * the line goes on behind it. */
static int end_line(struct imap_guard *guard, struct stream *stream)
{
	if (guard->number_ended) {
		guard->number_ended = false;
		guard->in_quotes = false;
		if (guard->number > guard->limits.literal)
			return stream_fail(stream, ERROR_LIMIT_SIZE,
				"%s announced a literal of %llu bytes", stream_server(stream),
				(unsigned long long)guard->number);
		guard->literal_left = guard->number;
		return 0;
	}
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
	} else if (byte == '"') {
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

int imap_guard_bytes(void *context, struct stream *stream, const char *bytes, size_t length)
{
	struct imap_guard *guard = context;

	for (size_t i = 0; i < length; i++) {
		if (guard->literal_left > 0) {
			uint64_t rest = length - i;
			uint64_t taken = rest < guard->literal_left ? rest : guard->literal_left;

			guard->literal_left -= taken;
			i += taken - 1;
			continue;
		}
		if (bytes[i] == '\n') {
			if (end_line(guard, stream) == -1)
				return -1;
			continue;
		}
		if (++guard->line_length > guard->limits.line)
			return stream_fail(stream, ERROR_LIMIT_SIZE,
				"%s sent a line of more than %zu bytes", stream_server(stream),
				guard->limits.line);
		follow_number(guard, bytes[i]);
		if (follow_depth(guard, stream, bytes[i]) == -1)
			return -1;
	}
	return 0;
}
