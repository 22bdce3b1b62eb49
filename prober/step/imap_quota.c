/* imap_quota - how much room the user has left (RFC 9208). The proof is the usage and the limit
 * that the server states; a mailbox without any limit passes and says so. Changes nothing. */
#include "step.h"

#include "imap.h"
#include "imap_account.h"

#include "ban.h"

static const struct field fields[] = {
	{"account", &field_account, FIELD_REQUIRED, "account that logs in"},
	{"mailbox", &field_text, 0, "the mailbox to ask about", "\"INBOX\""},
	{0},
};

static const struct field facts[] = {
	{"storage_used_bytes", &field_integer, FIELD_METRIC, "storage in use"},
	{"storage_limit_bytes", &field_integer, FIELD_METRIC, "storage allowed; absent if unlimited"},
	{"storage_used_percent", &field_number, FIELD_METRIC, "share of the storage in use"},
	{"messages_used", &field_integer, FIELD_METRIC, "messages in use"},
	{"messages_limit", &field_integer, FIELD_METRIC, "messages allowed; absent if unlimited"},
	{"messages_used_percent", &field_number, FIELD_METRIC, "share of the messages in use"},
	{0},
};

static const char *const phases[] = {"resolve", "connect", "tls", "greeting", "starttls",
	"auth", "quota", "logout", NULL};
static const char *const account_needs[] = {"imap", "password", NULL};

static double percent(uint64_t used, uint64_t limit)
{
	return 100.0 * (double)used / (double)limit;
}

static void set_integer(struct probe *probe, const char *name, uint64_t value)
{
	json_object_set_new(probe->facts, name, json_integer((json_int_t)value));
}

static void keep_facts(struct probe *probe, const struct imap_quota *quota)
{
	if (quota->has_storage) {
		set_integer(probe, "storage_used_bytes", quota->storage_used_bytes);
		set_integer(probe, "storage_limit_bytes", quota->storage_limit_bytes);
		json_object_set_new(probe->facts, "storage_used_percent",
			json_real(percent(quota->storage_used_bytes, quota->storage_limit_bytes)));
	}
	if (quota->has_messages) {
		set_integer(probe, "messages_used", quota->messages_used);
		set_integer(probe, "messages_limit", quota->messages_limit);
		json_object_set_new(probe->facts, "messages_used_percent",
			json_real(percent(quota->messages_used, quota->messages_limit)));
	}
}

static void prove(struct probe *probe, const struct imap_quota *quota)
{
	if (quota->has_storage)
		probe_prove(probe, "%.1f of %.1f MB in use (%.0f %%)",
			(double)quota->storage_used_bytes / 1e6,
			(double)quota->storage_limit_bytes / 1e6,
			percent(quota->storage_used_bytes, quota->storage_limit_bytes));
	else if (quota->has_messages)
		probe_prove(probe, "%llu of %llu messages in use",
			(unsigned long long)quota->messages_used,
			(unsigned long long)quota->messages_limit);
	else
		probe_prove(probe, "the server states no limit");
}

static int ask(struct probe *probe, struct imap *imap, struct failure *why)
{
	struct imap_quota quota;

	timings_begin(&probe->timings, "quota");
	if (!imap_has(imap, "QUOTA"))
		return failure_set(why, ERROR_IMAP_NO, "%s does not offer QUOTA",
			stream_server(imap_stream(imap)));
	if (imap_get_quota(imap, step_string(probe->step, "mailbox"), &quota, why) == -1)
		return -1;
	keep_facts(probe, &quota);
	prove(probe, &quota);
	return imap_account_leave(probe, imap, why);
}

static int run(struct probe *probe, struct failure *why)
{
	return imap_account_visit(probe, ask, why);
}

const struct step_type step_imap_quota = {
	.name = "imap_quota",
	.summary = "ask how much room the mailbox has left",
	.fields = fields,
	.facts = facts,
	.phases = phases,
	.account_needs = account_needs,
	.run = run,
};
