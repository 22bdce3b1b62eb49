#include "imap_idle.h"

#include <ctype.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "imap_private.h"
#include "text.h"

#include "ban.h"

/* For the rest of a line that has begun. */
#define LINE_TIME (5 * NS_PER_SECOND)

static int broke(struct imap *imap, struct failure *why)
{
	return imap_outcome(imap, MAILIMAP_ERROR_STREAM, "IDLE", ERROR_IMAP_PUSH, why);
}

static int refused(struct imap *imap, const char *line, struct failure *why)
{
	char text[200];

	text_printable_copy(text, sizeof(text), line, strcspn(line, "\r\n"));
	return failure_set(why, ERROR_IMAP_PUSH, "%s answered IDLE with: %s",
		stream_server(imap->stream), text);
}

/* "* 5 EXISTS" and "* 5 EXPUNGE". */
static bool parse_news(const struct imap *imap, const char *line, struct imap_news *news_r)
{
	uint64_t number = 0;
	const char *at = line + 2;
	bool expunged;

	if (strncmp(line, "* ", 2) != 0 || !isdigit((unsigned char)*at))
		return false;
	for (; isdigit((unsigned char)*at) && number <= UINT32_MAX; at++)
		number = number * 10 + (uint64_t)(*at - '0');
	expunged = strncasecmp(at, " EXPUNGE", 8) == 0;
	if (number > UINT32_MAX || (!expunged && strncasecmp(at, " EXISTS", 7) != 0))
		return false;
	*news_r = (struct imap_news){.expunged = expunged,
		.number = (uint32_t)number,
		.quiet_ns = imap->quiet_ns,
		.at_ns = clock_now()};
	return true;
}

int imap_idle_begin(struct imap *imap, struct imap_news *news, size_t max, struct failure *why)
{
	mailstream *mail = imap->session->imap_stream;
	struct imap_news told;
	const char *line;
	size_t count = 0;

	imap_begin(imap);
	imap->guard.continues = true;
	imap->quiet_ns = clock_now();
	if (mailimap_send_current_tag(imap->session) != MAILIMAP_NO_ERROR ||
		mailstream_write(mail, "IDLE\r\n", 6) != 6 || mailstream_flush(mail) != 0)
		return broke(imap, why);
	while ((line = mailimap_read_line(imap->session)) != NULL && line[0] == '*') {
		if (!parse_news(imap, line, &told))
			continue;
		if (count == max)
			return failure_set(why, ERROR_LIMIT_SIZE,
				"more announcements than can be kept, ahead of IDLE");
		news[count++] = told;
	}
	imap->guard.continues = false;
	if (line == NULL)
		return broke(imap, why);
	return line[0] == '+' ? (int)count : refused(imap, line, why);
}

static bool has_line(const struct imap *imap)
{
	return imap->session->imap_stream->read_buffer_len > 0 || stream_has_unread(imap->stream);
}

/* True once there is something to read, or the connection has ended. */
static bool await_bytes(struct imap *imap, struct deadline until)
{
	struct pollfd socket = {.fd = stream_fd(imap->stream), .events = POLLIN | POLLRDHUP};

	do {
		int64_t now = clock_now();

		if (has_line(imap))
			return true;
		imap->quiet_ns = now;
		if (poll(&socket, 1, deadline_left_ms(until)) > 0 &&
			(socket.revents & (POLLHUP | POLLERR | POLLRDHUP)) != 0)
			return true;
	} while (!deadline_passed(until) || has_line(imap));
	return false;
}

static const char *read_line(struct imap *imap)
{
	struct deadline kept = stream_deadline(imap->stream);
	const char *line;

	stream_set_deadline(imap->stream, deadline_earlier(kept, deadline_in(LINE_TIME)));
	line = mailimap_read_line(imap->session);
	stream_set_deadline(imap->stream, kept);
	return line;
}

int imap_idle_next(
	struct imap *imap, struct deadline until, struct imap_news *news_r, struct failure *why)
{
	while (await_bytes(imap, until)) {
		const char *line = read_line(imap);

		if (line == NULL)
			return broke(imap, why);
		if (parse_news(imap, line, news_r))
			return 1;
		if (line[0] != '*')
			return refused(imap, line, why);
	}
	return 0;
}

int imap_idle_end(struct imap *imap, struct failure *why)
{
	imap->announcements = imap->guard.announcements;
	return imap_outcome(imap, mailimap_idle_done(imap->session), "IDLE", ERROR_IMAP_PUSH, why);
}

size_t imap_idle_expunged(struct imap *imap, struct imap_news *news, size_t max)
{
	const struct mailimap_response_info *info = imap->session->imap_response_info;
	const clist *gone = info != NULL ? info->rsp_expunged : NULL;
	size_t count = 0;

	for (clistiter *i = gone != NULL ? clist_begin(gone) : NULL; i != NULL && count < max;
		i = clist_next(i))
		news[count++] = (struct imap_news){.expunged = true,
			.number = *(uint32_t *)clist_content(i),
			.quiet_ns = imap->quiet_ns,
			.at_ns = clock_now()};
	return count;
}
