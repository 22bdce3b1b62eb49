/* fake_stream - a stream (transport/stream.h) whose server is the input of a fuzz target.
 *
 * What the server says is cut into turns by the byte 0x1e; it says the next one only after the
 * client has said something. Behind the last it hangs up. TLS is agreed on without any.
 */
#ifndef MAILPROBE_FAKE_STREAM_H
#define MAILPROBE_FAKE_STREAM_H

#include "stream.h"

#define END_OF_TURN 0x1e

/* Owned by the session that it is given to. */
struct stream *fake_stream(const uint8_t *bytes, size_t size);

/* True if the text may be shown to anybody: valid UTF-8 without control characters. */
bool is_printable(const char *text);

#endif
