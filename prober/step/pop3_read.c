/* pop3_read - a user's mail program fetches mail by POP3: logs in, sees what is new, and reads the
 * newest messages. The proof is what was read. Nothing is deleted; and nothing is marked as read,
 * for TOP is used, which shows a message whole as RETR does and leaves no mark. */
#include "step.h"

#include <string.h>

#include "pop3.h"

#include "ban.h"

#define NEWEST_MAX 100
/* More lines than a message may have, and than a line may be long. */
#define ALL_LINES 1000000
#define LONGEST_LINE 1000

static const struct field fields[] = {
	{"account", &field_account, FIELD_REQUIRED, "account that logs in"},
	{"newest", &field_integer, 0, "how many of the newest messages to read, at most 100", "5"},
	{"most_bytes", &field_integer, 0,
		"of a message that is larger, only the beginning, up to 1,000,000 bytes", "262144"},
	{"retr", &field_bool, 0,
		"read by RETR, which many servers take for a mark as read, not by TOP", "false"},
	{0},
};

static const struct field facts[] = {
	{"messages", &field_integer, FIELD_METRIC, "messages in the maildrop"},
	{"mailbox_bytes", &field_integer, FIELD_METRIC, "their size as the server states it"},
	{"messages_read", &field_integer, 0, "how many of them were read"},
	{"bytes_read", &field_integer, 0, "bytes of text"},
	{"message_seconds", &field_seconds, FIELD_METRIC, "mean time to read one message"},
	{"message_seconds_max", &field_seconds, FIELD_METRIC, "time of the slowest"},
	{0},
};

static const char *const phases[] = {"resolve", "connect", "tls", "greeting", "starttls", "auth",
	"list", "bodies", "recheck", "quit", NULL};
static const char *const account_needs[] = {"pop3", "password", NULL};

struct reading {
	uint32_t messages;
	struct pop3_entry list[NEWEST_MAX];
	size_t count, read;
	uint64_t bytes;
	int64_t total_ns, slowest_ns;
};

static uint32_t at_most(json_int_t wanted, uint32_t limit)
{
	return wanted < limit ? (uint32_t)wanted : limit;
}

static void set_integer(struct probe *probe, const char *name, uint64_t value)
{
	json_object_set_new(probe->facts, name, json_integer((json_int_t)value));
}

/* STLS by the account's policy. */
static int secure(struct probe *probe, struct pop3 *pop3, struct failure *why)
{
	struct peer_facts peer = {0};
	int result;

	if (probe->account->pop3.implicit_tls || probe->account->tls.starttls == STARTTLS_OFF)
		return 0;
	result = pop3_start_tls(pop3, &peer, why);
	probe_tls_facts(probe, &peer);
	return result;
}

static int log_in(struct probe *probe, struct pop3 *pop3, struct failure *why)
{
	const struct sasl_identity who = probe_identity(probe, &probe->account->pop3);
	const char *mechanism = NULL;
	int result = pop3_login(pop3, &who, &mechanism, why);

	probe_auth_fact(probe, mechanism);
	return result;
}

/* Which messages are new is told by their unique ids, and of all of them: POP3 has no other way. */
static int list(
	struct probe *probe, struct pop3 *pop3, struct reading *reading, struct failure *why)
{
	uint32_t newest = at_most(step_integer(probe->step, "newest"), NEWEST_MAX);
	uint64_t bytes;
	size_t total;

	timings_begin(&probe->timings, "list");
	if (pop3_ask_capability(pop3, why) == -1 ||
		pop3_stat(pop3, &reading->messages, &bytes, why) == -1)
		return -1;
	set_integer(probe, "messages", reading->messages);
	set_integer(probe, "mailbox_bytes", bytes);
	if (reading->messages == 0 || !pop3_has(pop3, "UIDL"))
		return 0;
	if (pop3_uidl(pop3, reading->messages,
		    reading->messages > newest ? reading->messages - newest + 1 : 1, reading->list,
		    newest, &reading->count, &total, why) == -1)
		return -1;
	for (size_t i = 0; i < reading->count; i++)
		if (pop3_size(pop3, &reading->list[i], why) == -1)
			return -1;
	return 0;
}

/* How many lines of a message to ask for; below 0: by RETR. */
static long lines_of(const struct probe *probe, const struct pop3_entry *entry)
{
	uint32_t most = at_most(step_integer(probe->step, "most_bytes"), 1000000);

	if (entry->size > most)
		return most / LONGEST_LINE;
	return step_bool(probe->step, "retr") ? -1 : ALL_LINES;
}

static int read_bodies(
	struct probe *probe, struct pop3 *pop3, struct reading *reading, struct failure *why)
{
	timings_begin(&probe->timings, "bodies");
	for (size_t i = 0; i < reading->count; i++) {
		long lines = lines_of(probe, &reading->list[i]);
		int64_t began = clock_now(), took;
		uint64_t bytes;

		if (lines >= 0 && !pop3_has(pop3, "TOP"))
			continue;
		if (pop3_read(pop3, reading->list[i].number, lines, &bytes, why) == -1)
			return -1;
		took = clock_now() - began;
		reading->read++;
		reading->bytes += bytes;
		reading->total_ns += took;
		if (took > reading->slowest_ns)
			reading->slowest_ns = took;
	}
	return 0;
}

static void keep_facts(struct probe *probe, const struct reading *reading)
{
	set_integer(probe, "messages_read", reading->read);
	set_integer(probe, "bytes_read", reading->bytes);
	if (reading->read == 0)
		return;
	json_object_set_new(probe->facts, "message_seconds",
		json_real(clock_seconds(reading->total_ns / (int64_t)reading->read)));
	json_object_set_new(
		probe->facts, "message_seconds_max", json_real(clock_seconds(reading->slowest_ns)));
}

static int visit(struct probe *probe, struct pop3 *pop3, struct failure *why)
{
	struct reading reading = {0};

	if (secure(probe, pop3, why) == -1 || log_in(probe, pop3, why) == -1 ||
		list(probe, pop3, &reading, why) == -1 ||
		read_bodies(probe, pop3, &reading, why) == -1)
		return -1;
	keep_facts(probe, &reading);
	probe_prove(probe, "read %zu of %u messages, %llu bytes", reading.read, reading.messages,
		(unsigned long long)reading.bytes);
	probe_peer_facts(probe, pop3_stream(pop3));
	timings_begin(&probe->timings, "quit");
	return pop3_quit(pop3, why);
}

static int visit_once(struct probe *probe, struct failure *why)
{
	struct stream *stream = probe_connect(probe, &probe->account->pop3, why);
	struct pop3 *pop3 = stream != NULL ? pop3_open(stream, why) : NULL;
	int result = pop3 != NULL ? visit(probe, pop3, why) : -1;

	timings_pause(&probe->timings);
	pop3_close(&pop3);
	return result;
}

/* A message that was listed and is refused then may have gone meanwhile: our own awaits remove
 * their mails. Only a new session tells. */
static int run(struct probe *probe, struct failure *why)
{
	int result = visit_once(probe, why);
	struct timings kept;

	if (result == 0 || why->type != ERROR_POP3_ERR ||
		strcmp(timings_current(&probe->timings), "bodies") != 0)
		return result;
	*why = (struct failure){0};
	timings_begin(&probe->timings, "recheck");
	/* All of it is part of that phase. */
	kept = probe->timings;
	probe->timings = (struct timings){0};
	result = visit_once(probe, why);
	probe->timings = kept;
	timings_pause(&probe->timings);
	return result;
}

const struct step_type step_pop3_read = {
	.name = "pop3_read",
	.summary = "fetch the newest mail by POP3, without deleting it",
	.fields = fields,
	.facts = facts,
	.phases = phases,
	.account_needs = account_needs,
	.run = run,
};
