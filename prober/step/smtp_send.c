/* smtp_send - a user sends a mail: submission with authentication (RFC 6409), as a mail program
 * does it. Passes when the server takes the mail with its reply to the final dot; that reply is
 * the proof, and its receipt is the zero of the delivery clock. */
#include "step.h"

#include "sending.h"
#include "smtp.h"

#include "ban.h"

static const struct field fields[] = {
	{"from", &field_account, FIELD_REQUIRED, "account that sends"},
	{"to", &field_party, FIELD_REQUIRED, "account or address that the mail goes to"},
	{0},
};

static const struct field facts[] = {
	SENDING_FACTS,
	{0},
};

static const char *const phases[] = {"resolve", "connect", "tls", "greeting", "ehlo",
	"starttls", "auth", "mail", "rcpt", "data", "accept", "quit", NULL};
static const char *const account_needs[] = {"submission", "password", NULL};

/* STARTTLS by the account's policy; a stripped one ends the step before anything secret. */
static int secure(struct probe *probe, struct smtp *smtp, struct failure *why)
{
	enum starttls_policy policy = probe->account->tls.starttls;
	struct peer_facts peer = {0};
	int result;

	if (probe->account->submission.implicit_tls || policy == STARTTLS_OFF)
		return 0;
	if (policy == STARTTLS_OPPORTUNISTIC && !smtp_offers(smtp, "STARTTLS", NULL))
		return 0;
	result = smtp_start_tls(smtp, &peer, why);
	probe_tls_facts(probe, &peer);
	return result;
}

static int converse(struct probe *probe, struct smtp *smtp, struct failure *why)
{
	struct probe_mail *mail;

	if (smtp_ehlo(smtp, NULL, why) == -1 || secure(probe, smtp, why) == -1 ||
		smtp_auth(smtp, probe->account->username, probe->password, why) == -1)
		return -1;
	mail = sending_write(probe, probe->account->address, NULL);
	if (mail == NULL)
		return failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory");
	probe_keep_mail(probe, mail);
	return sending_hand_over(probe, smtp, mail, false, why);
}

static int run(struct probe *probe, struct failure *why)
{
	struct stream *stream = probe_connect(probe, &probe->account->submission, why);
	struct smtp *smtp = stream != NULL ? smtp_open(stream, why) : NULL;
	int result;

	if (smtp == NULL)
		return -1;
	result = converse(probe, smtp, why);
	sending_keep_reply(probe, smtp);
	probe_peer_facts(probe, smtp_stream(smtp));
	if (result == 0) {
		probe_set_time(probe, "accepted_at", smtp_last_reply_at(smtp));
		probe_prove(probe, "the server took the mail: %s", smtp_last_reply(smtp)->text);
		timings_begin(&probe->timings, "quit");
	} else {
		timings_pause(&probe->timings);
	}
	smtp_quit(&smtp);
	return result;
}

const struct step_type step_smtp_send = {
	.name = "smtp_send",
	.summary = "send a mail by authenticated submission",
	.fields = fields,
	.facts = facts,
	.phases = phases,
	.account_needs = account_needs,
	.sends_mail = true,
	.run = run,
};
