/* imap_read - a user reads mail: opens a folder, sees the list of the newest messages, and reads
 * them. The proof is what was read: messages, their headers, bytes. Nothing is changed: EXAMINE
 * and BODY.PEEK leave every flag as it was. */
#include "step.h"

#include "imap.h"
#include "imap_account.h"

#include "ban.h"

#define NEWEST_MAX 100

static const struct field fields[] = {
	{"account", &field_account, FIELD_REQUIRED, "account that logs in"},
	{"mailbox", &field_text, 0, "the folder to read", "\"INBOX\""},
	{"newest", &field_integer, 0, "how many of the newest messages to read, at most 100", "5"},
	{"most_bytes", &field_integer, 0, "of each message at most this much, up to 1,000,000",
		"262144"},
	{0},
};

static const struct field facts[] = {
	{"messages", &field_integer, FIELD_METRIC, "messages in the folder"},
	{"messages_read", &field_integer, 0, "how many of them were read"},
	{"bytes_read", &field_integer, 0, "bytes of text"},
	{"message_seconds", &field_seconds, FIELD_METRIC, "mean time to read one message"},
	{"message_seconds_max", &field_seconds, FIELD_METRIC, "time of the slowest"},
	{0},
};

static const char *const phases[] = {"resolve", "connect", "tls", "greeting", "starttls",
	"auth", "select", "headers", "bodies", "logout", NULL};
static const char *const account_needs[] = {"imap", "password", NULL};

struct reading {
	struct imap_summary list[NEWEST_MAX];
	size_t count;
	uint64_t bytes;
	int64_t total_ns, slowest_ns;
};

static uint32_t at_most(json_int_t wanted, uint32_t limit)
{
	return wanted < limit ? (uint32_t)wanted : limit;
}

/* What a mail program does to draw its list. */
static int read_headers(struct probe *probe, struct imap *imap, uint32_t messages,
	struct reading *reading, struct failure *why)
{
	uint32_t newest = at_most(step_integer(probe->step, "newest"), NEWEST_MAX);
	uint32_t first = messages > newest ? messages - newest + 1 : 1;

	timings_begin(&probe->timings, "headers");
	if (messages == 0 || newest == 0)
		return 0;
	if (imap_summaries(imap, first, messages, reading->list, NEWEST_MAX, &reading->count, why) ==
		-1)
		return -1;
	for (size_t i = 0; i < reading->count; i++) {
		struct imap_message message;

		if (imap_fetch_header(imap, reading->list[i].uid, &message, why) == -1)
			return -1;
		imap_message_free(&message);
	}
	return 0;
}

/* A message may vanish between list and reading: another program deleted it, which is its right. */
static int read_bodies(
	struct probe *probe, struct imap *imap, struct reading *reading, struct failure *why)
{
	uint32_t bytes = at_most(step_integer(probe->step, "most_bytes"), 1000000);
	size_t read = 0;

	timings_begin(&probe->timings, "bodies");
	for (size_t i = 0; i < reading->count; i++) {
		int64_t began = clock_now(), took;
		struct imap_message message;

		if (imap_fetch_part(imap, reading->list[i].uid, bytes, &message, why) == -1)
			return -1;
		took = clock_now() - began;
		if (message.text != NULL) {
			read++;
			reading->bytes += message.length;
			reading->total_ns += took;
			if (took > reading->slowest_ns)
				reading->slowest_ns = took;
		}
		imap_message_free(&message);
	}
	reading->count = read;
	return 0;
}

static void keep_facts(struct probe *probe, const struct reading *reading)
{
	json_object_set_new(
		probe->facts, "messages_read", json_integer((json_int_t)reading->count));
	json_object_set_new(probe->facts, "bytes_read", json_integer((json_int_t)reading->bytes));
	if (reading->count == 0)
		return;
	json_object_set_new(probe->facts, "message_seconds",
		json_real(clock_seconds(reading->total_ns / (int64_t)reading->count)));
	json_object_set_new(probe->facts, "message_seconds_max",
		json_real(clock_seconds(reading->slowest_ns)));
}

static int look(struct probe *probe, struct imap *imap, struct failure *why)
{
	const char *name = step_string(probe->step, "mailbox");
	struct imap_mailbox mailbox;
	struct reading reading = {0};

	timings_begin(&probe->timings, "select");
	if (imap_select(imap, name, true, &mailbox, why) == -1)
		return -1;
	json_object_set_new(probe->facts, "messages", json_integer(mailbox.messages));
	if (read_headers(probe, imap, mailbox.messages, &reading, why) == -1 ||
		read_bodies(probe, imap, &reading, why) == -1)
		return -1;
	keep_facts(probe, &reading);
	if (reading.count == 0 && mailbox.messages > 0 && step_integer(probe->step, "newest") > 0)
		return failure_set(why, ERROR_IMAP_STATE, "none of the %u messages in %s could be read",
			mailbox.messages, name);
	probe_prove(probe, "read %zu of %u messages in %s, %llu bytes", reading.count,
		mailbox.messages, name, (unsigned long long)reading.bytes);
	return imap_account_leave(probe, imap, why);
}

static int run(struct probe *probe, struct failure *why)
{
	return imap_account_visit(probe, look, why);
}

const struct step_type step_imap_read = {
	.name = "imap_read",
	.summary = "log in and read the newest mail",
	.fields = fields,
	.facts = facts,
	.phases = phases,
	.account_needs = account_needs,
	.run = run,
};
