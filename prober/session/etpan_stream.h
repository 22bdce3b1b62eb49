/* etpan_stream - our stream as the transport of a libetpan mailstream.
 *
 * libetpan never opens a socket here. Rules that its code needs: end of stream is -1, never 0
 * (it would spin), and a failure sticks. What goes through is written to the transcript line by
 * line; what is sent while the mailstream's privacy is off is masked.
 */
#ifndef MAILPROBE_ETPAN_STREAM_H
#define MAILPROBE_ETPAN_STREAM_H

#include <stdbool.h>

#include <libetpan/mailstream.h>

#include "stream.h"

/* Looks at bytes before libetpan does; -1 after it has failed the stream (stream_fail). */
typedef int etpan_guard(void *context, struct stream *stream, const char *bytes, size_t length);

/* A mailstream over a stream that stays the caller's and must outlive it. The guard may be
 * NULL. NULL if there is no memory. Free it with mailstream_close. */
mailstream *etpan_stream_new(struct stream *stream, etpan_guard *guard, void *context);

/* While set, what is sent and what the server says is written to the transcript as "***", but
 * for the first word. */
void etpan_stream_secret(mailstream *mail, bool secret);

#endif
