/* The guard before libetpan's parser: its verdict must not depend on how the bytes are cut, and
 * nothing may get past its limits. */
#include "imap_guard.h"

#include "fake_stream.h"
#include "fuzz.h"

static enum error_type judge(const uint8_t *bytes, size_t size, size_t chunk)
{
	struct stream *stream = fake_stream(bytes, size);
	struct imap_guard guard;
	enum error_type type;

	imap_guard_init(&guard);
	imap_guard_command(&guard, 2);
	for (size_t at = 0; at < size; at += chunk) {
		size_t length = size - at < chunk ? size - at : chunk;

		if (imap_guard_bytes(&guard, stream, (const char *)bytes + at, length) == -1)
			break;
		must(guard.depth <= guard.limits.depth && guard.line_length <= guard.limits.line);
		must(guard.literal_left <= guard.limits.literal);
	}
	type = stream_failure(stream)->type;
	must(type == ERROR_NONE || is_printable(stream_failure(stream)->text));
	stream_close(&stream);
	return type;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	enum error_type whole = judge(bytes, size, size > 0 ? size : 1);

	must(judge(bytes, size, 1) == whole);
	must(judge(bytes, size, 13) == whole);
	return 0;
}
