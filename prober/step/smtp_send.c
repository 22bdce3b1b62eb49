/* smtp_send - a user sends a mail: submission with authentication (RFC 6409), as a mail program
 * does it. Passes when the server takes the mail with its reply to the final dot; that reply is
 * the proof, and its receipt is the zero of the delivery clock. */
#include "step.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "smtp.h"
#include "text.h"

#include "ban.h"

static const struct field fields[] = {
	{"from", &field_account, FIELD_REQUIRED, "account that sends"},
	{"to", &field_party, FIELD_REQUIRED, "account or address that the mail goes to"},
	{0},
};

static const struct field facts[] = {
	{"mail", &field_name, 0, "id of the probe mail"},
	{"accepted_at", &field_timestamp, 0, "receipt of the final 250"},
	{"reply_code", &field_integer, 0, "the server's last reply code"},
	{"enhanced_code", &field_text, 0, "its enhanced code (RFC 3463)"},
	{"reply", &field_text, 0, "its last reply as it was received"},
	{"ledger_wait_seconds", &field_seconds, 0,
		"our own wait for the ledger, outside of every phase"},
	{0},
};

static const char *const phases[] = {"resolve", "connect", "tls", "greeting", "ehlo",
	"starttls", "auth", "mail", "rcpt", "data", "accept", "quit", NULL};
static const char *const account_needs[] = {"submission", "password", NULL};

static const char *address_of(const struct journey *journey, const char *party)
{
	const struct account *account = journey_account(journey, party);

	return account != NULL ? account->address : party;
}

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

/* The direction of the mail's flow: within one domain it is the platform's own; between two
 * accounts, their names. */
static void name_leg(struct probe *probe, const char *to, char *leg, size_t size)
{
	const struct account *from = probe->account;
	const struct account *other =
		journey_account(probe->run->journey, step_string(probe->step, "to"));

	leg[0] = '\0';
	if (strcasecmp(strrchr(from->address, '@'), strrchr(to, '@')) == 0)
		text_copy(leg, size, "submission->store");
	else if (other != NULL)
		snprintf(leg, size, "%s->%s", from->name, other->name);
}

static struct probe_mail *write_mail(struct probe *probe)
{
	const struct journey *journey = probe->run->journey;
	const char *to = address_of(journey, step_string(probe->step, "to"));
	char leg[LEG_SIZE];
	const struct mail_order order = {
		.key = probe->run->key,
		.customer = journey->customer,
		.scenario = journey->scenario,
		.vantage = probe->run->vantage,
		.step = probe->step->id,
		.from = probe->account->address,
		.to = to,
		.leg = leg,
		.wall_ns = clock_label(probe->run->origin, clock_now()),
	};

	name_leg(probe, to, leg, sizeof(leg));
	return probe_mail_compose(&order);
}

/* The ledger has the mail on disk before the final dot can go out; that wait is ours. */
static int announce(struct probe *probe, struct probe_mail *mail, struct failure *why)
{
	const struct probe_link *link = probe->run->link;
	int64_t began = clock_now();
	json_t *record;
	int result;

	timings_pause(&probe->timings);
	mail->sending_ns = began;
	record = probe_mail_record(probe->run, mail);
	result = link->intent(link->context, record, why);
	json_decref(record);
	json_object_set_new(probe->facts, "ledger_wait_seconds",
		json_real(clock_seconds(clock_now() - began)));
	return result;
}

static void keep_reply(struct probe *probe, const struct smtp *smtp)
{
	const struct smtp_reply *reply = smtp_last_reply(smtp);

	if (reply->code == 0)
		return;
	json_object_set_new(probe->facts, "reply_code", json_integer(reply->code));
	json_object_set_new(probe->facts, "reply", json_string(reply->text));
	if (reply->enhanced[0] != '\0')
		json_object_set_new(
			probe->facts, "enhanced_code", json_string(reply->enhanced));
}

/* The mail's own dialogue. From the announcement on its state is known at every exit. */
static int hand_over(
	struct probe *probe, struct smtp *smtp, struct probe_mail *mail, struct failure *why)
{
	int result;

	if (smtp_mail(smtp, mail->from, mail->text_length, why) == -1 ||
		smtp_rcpt(smtp, mail->to, why) == -1)
		return -1;
	if (announce(probe, mail, why) == -1)
		return -1;
	probe_keep_mail(probe, mail);
	json_object_set_new(probe->facts, "mail", json_string(mail->id));
	if (smtp_data(smtp, why) == 0)
		result = smtp_send_text(smtp, mail->text, mail->text_length, why);
	else
		result = -1;
	text_copy(mail->reply, sizeof(mail->reply),
		result == 0 ? smtp_last_reply(smtp)->text : why->text);
	if (result == 0)
		mail->accepted_ns = smtp_last_reply_at(smtp);
	probe_mail_moved(probe, mail,
		result == 0                            ? "accepted"
			: why->type == ERROR_SMTP_UNKNOWN ? "unknown"
							  : "refused");
	return result;
}

static int converse(struct probe *probe, struct smtp *smtp, struct failure *why)
{
	struct probe_mail *mail;

	if (smtp_ehlo(smtp, why) == -1 || secure(probe, smtp, why) == -1 ||
		smtp_auth(smtp, probe->account->username, probe->password, why) == -1)
		return -1;
	mail = write_mail(probe);
	if (mail == NULL)
		return failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory");
	if (hand_over(probe, smtp, mail, why) == 0)
		return 0;
	if (probe_mail_of(probe, probe->step->id) == NULL)
		probe_mail_free(&mail);
	return -1;
}

static int run(struct probe *probe, struct failure *why)
{
	struct stream *stream = probe_connect(probe, &probe->account->submission, why);
	struct smtp *smtp = stream != NULL ? smtp_open(stream, why) : NULL;
	int result;

	if (smtp == NULL)
		return -1;
	result = converse(probe, smtp, why);
	keep_reply(probe, smtp);
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
