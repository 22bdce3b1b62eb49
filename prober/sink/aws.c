/* aws - an SNS topic, an SQS queue or a Lambda function, whichever the ARN names, signed by libcurl.
 *
 * What is signed wrong by libcurl 7.88 is kept out of requests: a query of several values, and a path
 * that has to be escaped. So a function is called by its name, in the account of the keys.
 * https://docs.aws.amazon.com/sns/latest/api/API_Publish.html,
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html,
 * https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http.h"
#include "sink.h"

#include "ban.h"

/* 256 KiB for a message, with its attributes. */
#define MESSAGE_MAX ((size_t)250 * 1024)
#define SUBJECT_MAX 100
#define GROUP_MAX 128
#define PART_SIZE 256
#define TOKEN_MAX 8000

/* arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE */
struct arn {
	char partition[PART_SIZE], service[PART_SIZE], region[PART_SIZE], account[PART_SIZE];
	char name[PART_SIZE];      /* of the topic, queue or function */
	char qualifier[PART_SIZE]; /* version or alias of a function; "": none */
};

/* --- ARNs ------------------------------------------------------------------------------ */

/* The part up to the next colon or the end, of letters, digits, "-", "_" and ".". */
static const char *take_part(const char *at, char part[static PART_SIZE])
{
	size_t length = 0;

	while (isalnum((unsigned char)at[length]) ||
		(at[length] != '\0' && strchr("-_.", at[length])))
		length++;
	if (length == 0 || length >= PART_SIZE || (at[length] != ':' && at[length] != '\0'))
		return NULL;
	memcpy(part, at, length);
	part[length] = '\0';
	return at[length] == ':' ? at + length + 1 : at + length;
}

static bool arn_parse(const char *text, struct arn *arn)
{
	char head[PART_SIZE], kind[PART_SIZE] = "";
	char *const parts[] = {head, arn->partition, arn->service, arn->region, arn->account, NULL};
	bool lambda;

	*arn = (struct arn){.qualifier = ""};
	for (size_t i = 0; parts[i] != NULL && text != NULL; i++)
		text = take_part(text, parts[i]);
	if (text == NULL || strcmp(head, "arn") != 0)
		return false;
	lambda = strcmp(arn->service, "lambda") == 0;
	if (lambda)
		text = take_part(text, kind);
	if (text != NULL)
		text = take_part(text, arn->name);
	if (text != NULL && lambda && *text != '\0')
		text = take_part(text, arn->qualifier);
	return text != NULL && *text == '\0' &&
		(lambda ? strcmp(kind, "function") == 0
			: strcmp(arn->service, "sns") == 0 || strcmp(arn->service, "sqs") == 0);
}

static bool check_arn(
	const struct field *field, const json_t *value, char must_be[static FIELD_MESSAGE_SIZE])
{
	struct arn arn;

	(void)field;
	(void)must_be;
	return arn_parse(json_string_value(value), &arn);
}

#define P "[A-Za-z0-9_.-]+"

static json_t *schema_arn(const struct field *field)
{
	(void)field;
	return json_pack("{s:s, s:s}", "type", "string", "pattern",
		"^arn:" P ":((sns|sqs):" P ":" P ":" P "|lambda:" P ":" P ":function:" P "(:" P
		")?)$");
}

static const struct field_kind field_arn = {
	.name = "the ARN of an SNS topic, an SQS queue or a Lambda function, such as "
		"arn:aws:sns:eu-central-1:123456789012:alerts",
	.types = FIELD_STRING,
	.check = check_arn,
	.schema = schema_arn,
};

static const struct field fields[] = {
	{"arn", &field_arn, FIELD_REQUIRED,
		"the SNS topic, SQS queue or Lambda function that gets the events"},
	{"access_key", &field_secret, FIELD_REQUIRED, "the access key's id"},
	{"secret", &field_secret, FIELD_REQUIRED, "the secret access key"},
	{"session_token", &field_secret, 0, "the session token of temporary credentials"},
	{"endpoint", &field_http_url, 0,
		"where the service is, if it is not at its public address, such as a VPC endpoint"},
	SINK_CA_FILE,
	{0},
};

/* --- what is said ---------------------------------------------------------------------- */

/* Subscribers filter by them. Their values are never empty. */
static const char *attribute(const struct sink_event *event, size_t index, const char **name_r)
{
	static const char *const names[] = {"severity", "state", "customer", "scenario", NULL};

	*name_r = names[index];
	return names[index] != NULL ? event_string(event->event, names[index]) : "";
}

static char *message_of(const struct sink_event *event)
{
	json_t *fitting = fit_event(event->event, MESSAGE_MAX);
	char *text = json_dumps(fitting, JSON_COMPACT | JSON_ENSURE_ASCII);

	json_decref(fitting);
	if (text == NULL)
		abort();
	return text;
}

static bool is_fifo(const struct arn *arn)
{
	const char *dot = strrchr(arn->name, '.');

	return dot != NULL && strcmp(dot, ".fifo") == 0;
}

/* What keeps its order: the events of one rule. */
static const char *group_of(const json_t *event)
{
	const char *key = event_string(event, "dedup_key");

	return strlen(key) <= GROUP_MAX ? key : event_string(event, "event_id");
}

/* --- SNS ------------------------------------------------------------------------------- */

static void add_attributes(struct text *form, const struct sink_event *event)
{
	const char *name, *value;
	char key[80];

	for (size_t i = 0; value = attribute(event, i, &name), name != NULL; i++) {
		snprintf(key, sizeof(key), "MessageAttributes.entry.%zu.Name", i + 1);
		http_form_add(form, key, name);
		snprintf(key, sizeof(key), "MessageAttributes.entry.%zu.Value.DataType", i + 1);
		http_form_add(form, key, "String");
		snprintf(key, sizeof(key), "MessageAttributes.entry.%zu.Value.StringValue", i + 1);
		http_form_add(form, key, value);
	}
}

static void publish(const struct arn *arn, const char *text, const struct sink_event *event,
	struct sink_request *request)
{
	char subject[SUBJECT_MAX];
	char *message = message_of(event);
	struct text *form = &request->body;

	snprintf(subject, sizeof(subject), "%s %s %s", event_string(event->event, "severity"),
		event_string(event->event, "state"), event_string(event->event, "dedup_key"));
	http_form_add(form, "Action", "Publish");
	http_form_add(form, "Version", "2010-03-31");
	http_form_add(form, "TopicArn", text);
	http_form_add(form, "Subject", subject);
	http_form_add(form, "Message", message);
	add_attributes(form, event);
	if (is_fifo(arn)) {
		http_form_add(form, "MessageGroupId", group_of(event->event));
		http_form_add(form, "MessageDeduplicationId", event->id);
	}
	text_puts(&request->url, "/");
	request->content_type = "application/x-www-form-urlencoded";
	free(message);
}

/* --- SQS ------------------------------------------------------------------------------- */

static json_t *attributes_of(const struct sink_event *event)
{
	json_t *attributes = json_object();
	const char *name, *value;

	for (size_t i = 0; value = attribute(event, i, &name), name != NULL; i++)
		json_object_set_new(attributes, name,
			json_pack("{s:s, s:s}", "DataType", "String", "StringValue", value));
	return attributes;
}

static void send_message(
	const struct arn *arn, const struct sink_event *event, struct sink_request *request)
{
	char *message = message_of(event);
	json_t *body = json_pack("{s:o, s:s, s:o}", "QueueUrl",
		json_sprintf("%s/%s/%s", request->url.bytes, arn->account, arn->name),
		"MessageBody", message, "MessageAttributes", attributes_of(event));

	if (is_fifo(arn)) {
		json_object_set_new(body, "MessageGroupId", json_string(group_of(event->event)));
		json_object_set_new(body, "MessageDeduplicationId", json_string(event->id));
	}
	text_puts(&request->url, "/");
	sink_header(request, "X-Amz-Target: AmazonSQS.SendMessage");
	request->content_type = "application/x-amz-json-1.0";
	sink_body(request, body);
	free(message);
}

/* --- Lambda ---------------------------------------------------------------------------- */

static void invoke(
	const struct arn *arn, const struct sink_event *event, struct sink_request *request)
{
	char *message = message_of(event);

	text_printf(&request->url, "/2015-03-31/functions/%s/invocations", arn->name);
	if (arn->qualifier[0] != '\0')
		text_printf(&request->url, "?Qualifier=%s", arn->qualifier);
	sink_header(request, "X-Amz-Invocation-Type: Event");
	text_puts(&request->body, message);
	free(message);
}

/* --- the request ----------------------------------------------------------------------- */

static int sign(const struct arn *arn, const struct sink_event *event, struct sink_request *request,
	struct failure *why)
{
	const char *token = sink_secret(event, "session_token");

	if (token != NULL && strlen(token) > TOKEN_MAX)
		return failure_set(why, ERROR_CONFIG_SECRET,
			"a session token has %d characters at most", TOKEN_MAX);
	if (token != NULL)
		sink_header(request, "X-Amz-Security-Token: %s", token);
	snprintf(request->aws_scope, sizeof(request->aws_scope), "%.60s:%.20s", arn->region,
		arn->service);
	request->access_key = sink_secret(event, "access_key");
	request->secret_key = sink_secret(event, "secret");
	return 0;
}

static void address(const struct sink *sink, const struct arn *arn, struct text *url)
{
	const char *endpoint = sink_string(sink, "endpoint");
	size_t length = endpoint != NULL ? strlen(endpoint) : 0;

	if (endpoint != NULL)
		text_printf(url, "%.*s", (int)(endpoint[length - 1] == '/' ? length - 1 : length),
			endpoint);
	else
		text_printf(url, "https://%s.%s.amazonaws.com%s", arn->service, arn->region,
			strcmp(arn->partition, "aws-cn") == 0 ? ".cn" : "");
}

static int compose(const struct sink *sink, const struct sink_event *event,
	struct sink_request *request, struct failure *why)
{
	const char *text = sink_string(sink, "arn");
	struct arn arn;

	if (!arn_parse(text, &arn))
		abort();
	address(sink, &arn, &request->url);
	if (strcmp(arn.service, "sns") == 0)
		publish(&arn, text, event, request);
	else if (strcmp(arn.service, "sqs") == 0)
		send_message(&arn, event, request);
	else
		invoke(&arn, event, request);
	return sign(&arn, event, request, why);
}

/* AWS says 400 and 403 to many things; of some of them time or new credentials are the cure. */
static bool passes(const struct http_reply *reply)
{
	static const char *const causes[] = {"Throttl", "TooManyRequests", "RequestLimitExceeded",
		"ExpiredToken", "RequestExpired", "RequestTimeTooSkewed", "Signature expired",
		"RequestTimeout", NULL};
	const char *body = reply->body.bytes != NULL ? reply->body.bytes : "";
	char type[128] = "";

	http_header(reply, "x-amzn-ErrorType", type, sizeof(type));
	for (size_t i = 0; causes[i] != NULL; i++)
		if (strstr(body, causes[i]) != NULL || strstr(type, causes[i]) != NULL)
			return true;
	return false;
}

const struct sink_type sink_aws = {
	.name = "aws",
	.summary = "sends events to an SNS topic, an SQS queue or a Lambda function of AWS",
	.fields = fields,
	.compose = compose,
	.passes = passes,
};
