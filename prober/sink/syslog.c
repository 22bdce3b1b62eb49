/* syslog - messages of RFC 5424 with structured data: over TLS (RFC 5425), over TCP (RFC 6587, with
 * octet counts), or to this machine's own socket.
 *
 * Syslog has no replies. Over a connection we end our side and wait for the server to end its own,
 * which it does once it has read everything (RFC 5425, 4.4): that is all that can be known. So
 * each event has a connection of its own. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "stream.h"
#include "syslog_line.h"
#include "url.h"

#include "ban.h"

#define LOCAL_SOCKET "/dev/log"

static const struct field fields[] = {
	{"url", &field_syslog_url, 0,
		"the server, tls://HOST[:PORT] (6514) or tcp://HOST[:PORT] (601); this machine's "
		"own "
		"socket if left out"},
	{"socket", &field_text, 0, "another socket of this machine than " LOCAL_SOCKET},
	{"hostname", &field_text, 0,
		"HOSTNAME of the messages, better with its domain; this machine's own if left out"},
	{"facility", &field_choice, 0, "what it counts as", "\"daemon\"",
		.choices = syslog_facilities},
	{"enterprise", &field_integer, 0,
		"your private enterprise number, for the name of the structured data; 32473 is for "
		"examples",
		"32473"},
	SINK_CA_FILE,
	{SINK_CLIENT_CERTIFICATE, &field_text, 0,
		"PEM file of our own certificate, with those between it and its authority"},
	{SINK_CLIENT_KEY, &field_secret, 0, "its private key, as PEM"},
	{0},
};

static int reach(const struct sink *sink, struct failure *why)
{
	const char *path = sink_string(sink, "socket");
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd;

	if (sink_string(sink, "url") != NULL)
		return -1;
	if (path == NULL)
		path = LOCAL_SOCKET;
	if (!text_copy(address.sun_path, sizeof(address.sun_path), path))
		return failure_set(
			why, ERROR_CONFIG_FILE, "the path %.100s is too long for a socket", path);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd != -1 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	failure_set(
		why, ERROR_LOCAL_RESOURCE, "nobody listens at %.100s: %s", path, strerror(errno));
	if (fd != -1)
		close(fd);
	return -1;
}

static int send_local(int fd, const struct text *line, struct failure *why)
{
	if (send(fd, line->bytes, line->length, MSG_DONTWAIT | MSG_NOSIGNAL) ==
		(ssize_t)line->length)
		return 0;
	return failure_set(
		why, ERROR_LOCAL_RESOURCE, "the socket took no message: %s", strerror(errno));
}

static int send_far(const char *where, const struct sink_way *way, struct deadline deadline,
	const struct text *line, struct failure *why)
{
	struct url url;
	char message[URL_MESSAGE_SIZE], length[32];
	struct timings timings = {0};
	struct peer_facts facts;
	struct endpoint endpoint = {0};
	const struct stream_order order = {.endpoint = &endpoint,
		.tls = way->tls,
		.dns = way->dns,
		.trust = way->trust,
		.timings = &timings,
		.transcript = way->transcript,
		.deadline = deadline};
	struct stream *stream;
	int result;

	if (url_parse(where, &url, message) == -1)
		return failure_set(why, ERROR_CONFIG_FILE, "%s", message);
	endpoint = (struct endpoint){url.host, url.port, url.implicit_tls};
	stream = stream_open(&order, &facts, why);
	if (stream == NULL)
		return -1;
	snprintf(length, sizeof(length), "%zu ", line->length);
	result = stream_write(stream, length, strlen(length));
	if (result == 0)
		result = stream_write(stream, line->bytes, line->length);
	if (result == 0)
		result = stream_finish(stream);
	if (result == -1)
		*why = *stream_failure(stream);
	stream_close(&stream);
	return result;
}

static void compose(const struct sink *sink, const struct sink_event *event, struct text *line)
{
	char own[256] = "";
	struct syslog_origin origin = {.facility = sink_string(sink, "facility"),
		.host = sink_string(sink, "hostname"),
		.enterprise = json_integer_value(json_object_get(sink->config, "enterprise"))};

	if (origin.host == NULL) {
		gethostname(own, sizeof(own) - 1);
		origin.host = own;
	}
	syslog_line(line, &origin, event);
}

static void bring(const struct sink *sink, const struct sink_event *event,
	const struct sink_way *way, struct deadline deadline, struct sink_answer *answer)
{
	const char *url = sink_string(sink, "url");
	struct failure why = {0};
	struct text line;
	int result;

	*answer = (struct sink_answer){.verdict = SINK_TAKEN};
	text_init(&line, SYSLOG_LINE_MAX);
	compose(sink, event, &line);
	result = url != NULL ? send_far(url, way, deadline, &line, &why)
			     : send_local(way->local, &line, &why);
	text_copy(answer->sentence, sizeof(answer->sentence),
		url != NULL ? "the server read it all and ended the connection; syslog says no more"
			    : "the local socket took it; syslog says no more");
	if (result == -1) {
		answer->verdict = SINK_LATER;
		sink_failed(answer, &why);
	}
	text_free(&line);
}

const struct sink_type sink_syslog = {
	.name = "syslog",
	.summary = "logs each event by syslog (RFC 5424), here or on a server over TLS",
	.fields = fields,
	.bring = bring,
	.reach = reach,
};
