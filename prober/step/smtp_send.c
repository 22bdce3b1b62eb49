/* smtp_send - a user sends a mail: submission with authentication (RFC 6409), as a mail program
 * does it. Passes when the server takes the mail with its reply to the final dot; that reply is
 * the proof, and its receipt is the zero of the delivery clock. With `hosts: each` every other
 * address behind the server's name is tried up to RCPT as well. With `expect: refused` it is an
 * attempt that the server must not let succeed. */
#include "step.h"

#include <stdlib.h>

#include "nodes.h"
#include "refusal.h"
#include "sending.h"
#include "smtp.h"
#include "submission.h"

#include "ban.h"

static const struct field fields[] = {
	{"from", &field_account, FIELD_REQUIRED, "account that sends"},
	{"to", &field_party, FIELD_REQUIRED, "account or address that the mail goes to"},
	{"mail_from", &field_address, 0, "another sender than the account's address"},
	{"auth", &field_bool, 0, "false: do not authenticate", "true"},
	{"password", &field_secret, 0, "another password than the account's, such as a wrong one"},
	SENDING_CONTENT_FIELDS,
	NODES_FIELD,
	REFUSAL_FIELD,
	REFUSAL_PHASE_FIELD,
	{0},
};

static const struct field facts[] = {
	SENDING_FACTS,
	REFUSAL_FACT,
	NODES_FACTS,
	{0},
};

static const char *const phases[] = {"resolve", "failover", "connect", "tls", "greeting", "ehlo",
	"starttls", "auth", "mail", "rcpt", "data", "accept", "quit", "others", NULL};
static const char *const account_needs[] = {"submission", "password", NULL};

struct submission {
	struct smtp *smtp;
	struct nodes nodes;
};

/* Up to where a mail could be sent. What the server said last is kept, whatever comes of it. */
static int open_at(struct probe *probe, const struct address *address, struct peer_facts *peer_r,
	struct failure *why)
{
	struct submission *submission = probe->state;
	const struct account *account = probe->account;
	struct stream *stream =
		probe_connect_to(probe, &account->submission, address, &account->tls, peer_r, why);
	struct smtp *smtp = stream != NULL ? smtp_open(stream, why) : NULL;

	if (smtp == NULL)
		return -1;
	if (submission_enter(probe, smtp, step_bool(probe->step, "auth"), peer_r, why) == 0) {
		submission->smtp = smtp;
		return 0;
	}
	sending_keep_reply(probe, smtp);
	probe_peer_facts(probe, smtp_stream(smtp));
	timings_pause(&probe->timings);
	smtp_quit(&smtp);
	return -1;
}

static int open_any(struct probe *probe, struct submission *submission, struct failure *why)
{
	struct peer_facts peer;
	int result;

	if (nodes_wanted(probe->step)) {
		if (nodes_find(probe, &probe->account->submission, &submission->nodes, why) == -1)
			return -1;
		return nodes_first(probe, &submission->nodes, open_at, why);
	}
	result = open_at(probe, NULL, &peer, why);
	probe_describe_peer(probe->facts, &peer);
	return result;
}

/* The login itself was to be refused: then no mail goes out to prove it once more. */
static bool is_login_test(const struct step *step)
{
	return refusal_expected(step) && json_object_get(step->config, "password") != NULL;
}

static int send_mail(struct probe *probe, struct smtp *smtp, struct failure *why)
{
	const char *from = step_string(probe->step, "mail_from");
	struct probe_mail *mail =
		sending_write(probe, from != NULL ? from : probe->account->address, NULL);
	int result;

	if (mail == NULL)
		return failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory");
	probe_keep_mail(probe, mail);
	result = sending_hand_over(probe, smtp, mail, false, why);
	sending_keep_reply(probe, smtp);
	probe_peer_facts(probe, smtp_stream(smtp));
	if (result == 0)
		probe_set_time(probe, "accepted_at", smtp_last_reply_at(smtp));
	return result;
}

static int run(struct probe *probe, struct failure *why)
{
	struct submission *submission = calloc(1, sizeof(*submission));
	bool login_only = is_login_test(probe->step);
	int result;

	if (submission == NULL)
		return failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory");
	probe->state = submission;
	result = open_any(probe, submission, why);
	if (result == 0 && !login_only)
		result = send_mail(probe, submission->smtp, why);
	if (result == 0 && !refusal_expected(probe->step)) {
		probe_prove(probe, "the server took the mail: %s",
			smtp_last_reply(submission->smtp)->text);
		timings_begin(&probe->timings, "quit");
	} else {
		timings_pause(&probe->timings);
	}
	probe->put_off = nodes_wanted(probe->step) && !refusal_expected(probe->step);
	result = refusal_judge(probe, result, login_only ? "the login" : "the mail", why);
	smtp_quit(&submission->smtp);
	return result;
}

/* --- the other nodes ------------------------------------------------------------------- */

static int try_at(struct probe *probe, const struct address *address, struct peer_facts *peer_r,
	struct failure *why)
{
	const char *to = sending_address(probe->run->journey, step_string(probe->step, "to"));
	struct submission *submission = probe->state;
	int result = open_at(probe, address, peer_r, why);

	if (result == 0 &&
		(smtp_mail(submission->smtp, probe->account->address, 1024, why) == -1 ||
			smtp_rcpt(submission->smtp, to, why) == -1))
		result = -1;
	if (result == 0)
		result = smtp_rset(submission->smtp, why);
	smtp_quit(&submission->smtp);
	return result;
}

/* The mail's clock runs and its await waits: the other nodes come when that is over. */
static int after(struct probe *probe, struct failure *why)
{
	struct submission *submission = probe->state;

	(void)why;
	nodes_others(probe, &submission->nodes, try_at);
	return 0;
}

static void finish(struct probe *probe)
{
	struct submission *submission = probe->state;

	if (submission == NULL)
		return;
	nodes_report(probe, &submission->nodes);
	free(submission);
	probe->state = NULL;
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
	.after = after,
	.finish = finish,
};
