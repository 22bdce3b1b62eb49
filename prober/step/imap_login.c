/* imap_login - a user opens the mailbox: connects, logs in, selects INBOX, logs out. The proof is
 * the number of messages that the server states. Changes nothing (EXAMINE). With `hosts: each`
 * that is done at every address behind the server's name; with `expect: refused` the server must
 * not let us in. */
#include "step.h"

#include "imap.h"
#include "imap_account.h"
#include "nodes.h"
#include "refusal.h"

#include "ban.h"

static const struct field fields[] = {
	{"account", &field_account, FIELD_REQUIRED, "account that logs in"},
	{"password", &field_secret, 0, "another password than the account's, such as a wrong one"},
	NODES_FIELD,
	REFUSAL_FIELD,
	{0},
};

static const struct field facts[] = {
	{"messages", &field_integer, FIELD_METRIC, "messages in INBOX"},
	REFUSAL_FACT,
	NODES_FACTS,
	{0},
};

static const char *const phases[] = {"resolve", "failover", "connect", "tls", "greeting",
	"starttls", "auth", "select", "logout", "others", NULL};
static const char *const account_needs[] = {"imap", "password", NULL};

static int look(struct probe *probe, struct imap *imap, struct failure *why)
{
	struct imap_mailbox inbox;

	/* In where we must not be: the login has said all. */
	if (refusal_expected(probe->step))
		return 0;
	timings_begin(&probe->timings, "select");
	if (imap_select(imap, "INBOX", true, &inbox, why) == -1)
		return -1;
	json_object_set_new(probe->facts, "messages", json_integer(inbox.messages));
	probe_prove(probe, "logged in as %s; INBOX has %u messages", probe->account->username,
		inbox.messages);
	return imap_account_leave(probe, imap, why);
}

static int look_at(struct probe *probe, const struct address *address, struct peer_facts *peer_r,
	struct failure *why)
{
	struct imap *imap = imap_account_open_at(probe, address, peer_r, why);
	int result = imap != NULL ? look(probe, imap, why) : -1;

	timings_pause(&probe->timings);
	imap_close(&imap);
	return result;
}

static int look_at_each(struct probe *probe, struct failure *why)
{
	struct nodes nodes;
	int result = nodes_find(probe, &probe->account->imap, &nodes, why);

	if (result == 0)
		result = nodes_first(probe, &nodes, look_at, why);
	if (result == 0)
		nodes_others(probe, &nodes, look_at);
	nodes_report(probe, &nodes);
	return result;
}

static int run(struct probe *probe, struct failure *why)
{
	int result;

	/* One refusal is proof enough; more would lock the account. */
	if (nodes_wanted(probe->step) && !refusal_expected(probe->step))
		return look_at_each(probe, why);
	result = imap_account_visit(probe, look, why);
	return refusal_judge(probe, result, "the login", why);
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
