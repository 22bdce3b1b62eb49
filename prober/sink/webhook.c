/* webhook - an HTTP endpoint of anybody's, signed as Standard Webhooks have it, so that the
 * receiver knows whom it is from, that nothing was changed, and that nobody plays it again.
 * https://www.standardwebhooks.com, CloudEvents 1.0 in structured mode. */
#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "sink.h"

#include "ban.h"

#define PREFIX "whsec_"
#define KEY_MIN 24
#define KEY_MAX 64
#define MAC_SIZE 32

static const char *const formats[] = {"cloudevents", "plain", NULL};

static const struct field fields[] = {
	{"url", &field_http_url, FIELD_REQUIRED, "where events are posted to"},
	{"secret", &field_secret, FIELD_REQUIRED,
		"what they are signed with: whsec_ and the base64 of 24 to 64 bytes"},
	{"format", &field_choice, 0,
		"of the body: cloudevents, or plain, which is type, timestamp and data",
		"\"cloudevents\"", .choices = formats},
	SINK_CA_FILE,
	{0},
};

static int read_key(const char *secret, unsigned char key[static KEY_MAX + 8], int *length_r,
	struct failure *why)
{
	const char *text = secret + strlen(PREFIX);
	size_t size;
	int length = -1;

	if (strncmp(secret, PREFIX, strlen(PREFIX)) == 0) {
		size = strlen(text);
		if (size % 4 == 0 && size <= (KEY_MAX + 2) / 3 * 4)
			length = EVP_DecodeBlock(key, (const unsigned char *)text, (int)size);
		/* What was padded counts as zeros there. */
		for (; length > 0 && size > 0 && text[size - 1] == '='; size--)
			length--;
	}
	if (length < KEY_MIN || length > KEY_MAX)
		return failure_set(why, ERROR_CONFIG_SECRET,
			"the secret of a webhook is " PREFIX " and the base64 of %d to %d bytes",
			KEY_MIN, KEY_MAX);
	*length_r = length;
	return 0;
}

/* webhook-signature: v1,<base64 of the HMAC-SHA256 of id.timestamp.body> */
static int sign(const struct sink_event *event, struct sink_request *request, struct failure *why)
{
	unsigned char key[KEY_MAX + 8], mac[MAC_SIZE], base64[MAC_SIZE * 2];
	long long seconds = (long long)(event->wall_ns / NS_PER_SECOND);
	struct text content;
	int length = 0;

	if (read_key(sink_secret(event, "secret"), key, &length, why) == -1)
		return -1;
	text_init(&content, SINK_BODY_MAX + 256);
	text_printf(&content, "%s.%lld.", event->id, seconds);
	text_append(&content, request->body.bytes, request->body.length);
	HMAC(EVP_sha256(), key, length, (const unsigned char *)content.bytes, content.length, mac,
		NULL);
	EVP_EncodeBlock(base64, mac, sizeof(mac));
	explicit_bzero(key, sizeof(key));
	text_free(&content);
	sink_header(request, "webhook-id: %s", event->id);
	sink_header(request, "webhook-timestamp: %lld", seconds);
	sink_header(request, "webhook-signature: v1,%s", (const char *)base64);
	return 0;
}

static json_t *cloud_event(const struct sink_event *event)
{
	const json_t *own = event->event;

	return json_pack("{s:s, s:s, s:o, s:o, s:s, s:s, s:s, s:O}", "specversion", "1.0", "id",
		event->id, "source", json_sprintf("/mailprobe/%s", event_vantage(own)), "type",
		json_sprintf("mailprobe.event.%s", event_string(own, "state")), "subject",
		event_string(own, "dedup_key"), "time", event_string(own, "at"), "datacontenttype",
		"application/json", "data", own);
}

static json_t *plain_event(const struct sink_event *event)
{
	const json_t *own = event->event;

	return json_pack("{s:o, s:s, s:O}", "type",
		json_sprintf("mailprobe.event.%s", event_string(own, "state")), "timestamp",
		event_string(own, "at"), "data", own);
}

static int compose(const struct sink *sink, const struct sink_event *event,
	struct sink_request *request, struct failure *why)
{
	bool plain = strcmp(sink_string(sink, "format"), "plain") == 0;

	text_puts(&request->url, sink_string(sink, "url"));
	sink_body(request, plain ? plain_event(event) : cloud_event(event));
	if (!plain)
		request->content_type = "application/cloudevents+json; charset=utf-8";
	return sign(event, request, why);
}

const struct sink_type sink_webhook = {
	.name = "webhook",
	.summary = "posts each event, signed, to an address of yours (Standard Webhooks)",
	.fields = fields,
	.compose = compose,
};
