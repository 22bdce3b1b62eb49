/* imap_login - a user opens the mailbox: connects, logs in, selects INBOX, logs out. The proof is
 * the number of messages that the server states. Changes nothing (EXAMINE). */
#include "step.h"

#include "imap.h"
#include "imap_account.h"

#include "ban.h"

static const struct field fields[] = {
	{"account", &field_account, FIELD_REQUIRED, "account that logs in"},
	{0},
};

static const struct field facts[] = {
	{"messages", &field_integer, FIELD_METRIC, "messages in INBOX"},
	{0},
};

static const char *const phases[] = {"resolve", "connect", "tls", "greeting", "starttls",
	"auth", "select", "logout", NULL};
static const char *const account_needs[] = {"imap", "password", NULL};

static int look(struct probe *probe, struct imap *imap, struct failure *why)
{
	struct imap_mailbox inbox;

	timings_begin(&probe->timings, "select");
	if (imap_select(imap, "INBOX", true, &inbox, why) == -1)
		return -1;
	json_object_set_new(probe->facts, "messages", json_integer(inbox.messages));
	probe_prove(probe, "logged in as %s; INBOX has %u messages", probe->account->username,
		inbox.messages);
	return imap_account_leave(probe, imap, why);
}

static int run(struct probe *probe, struct failure *why)
{
	return imap_account_visit(probe, look, why);
}

const struct step_type step_imap_login = {
	.name = "imap_login",
	.summary = "log into the mailstore and open INBOX",
	.fields = fields,
	.facts = facts,
	.phases = phases,
	.account_needs = account_needs,
	.run = run,
};
