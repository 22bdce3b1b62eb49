/* mx_send - a foreign server delivers a mail: MX look-up, then straight to the exchanger, without
 * authentication (RFC 5321, 5.1). Passes when an exchanger takes the mail with its reply to the
 * final dot. A refusal for now (4yz, as greylisting does) is deferred: the same envelope is tried
 * again, in this run if there is time, by the next ones otherwise. With `hosts: each` every other
 * exchanger and address is tried up to RCPT as well, so that a dead backup is seen. */
#include "step.h"

#include <stdlib.h>
#include <string.h>

#include "delivery.h"
#include "dkim.h"
#include "nodes.h"
#include "refusal.h"
#include "probe_http.h"
#include "sending.h"
#include "text.h"

#include "ban.h"

#define TRIES_MAX 3 /* of one run: the table of phases has room for no more */

static const char *const hosts_choices[] = {"first", "each", NULL};
static const char *const tls_choices[] = {"required", "opportunistic", "off", NULL};

static const struct field dkim_fields[] = {
	{"domain", &field_name, 0, "d=: who signs; the domain of the sender if left out"},
	{"selector", &field_name, FIELD_REQUIRED, "s=: the key's name in the DNS"},
	{"key", &field_secret, FIELD_REQUIRED,
		"RSA private key, PEM: {file: PATH} or {credential: NAME}; its base64 in one line "
		"from {command: [PROGRAM, ...]} or {env: NAME}"},
	{0},
};

static const struct field fields[] = {
	{"from", &field_account, FIELD_REQUIRED, "account that the mail comes from"},
	{"to", &field_party, FIELD_REQUIRED, "account or address that the mail goes to"},
	{"port", &field_port, 0, "port of the exchangers", "25"},
	{"hosts", &field_choice, 0, "which exchangers to try: first or each", "\"first\"",
		.choices = hosts_choices},
	{"tls", &field_choice, 0, "STARTTLS as one MX does it with another, or required and verified",
		"\"opportunistic\"", .choices = tls_choices},
	{"helo", &field_text, 0, "name for EHLO; our address if left out"},
	{"retry_after", &field_duration, 0, "pause before a deferred mail is tried again", "\"60s\""},
	{"give_up_after", &field_duration, 0, "a mail deferred for so long has failed", "\"4h\""},
	{"mail_from", &field_address, 0, "another sender than the account's address"},
	{"dkim", &field_object, 0, "signs the mail (RFC 6376)", .fields = dkim_fields},
	EXCHANGE_POLICY_FIELDS,
	SENDING_CONTENT_FIELDS,
	REFUSAL_FIELD,
	REFUSAL_PHASE_FIELD,
	{0},
};

static const struct field facts[] = {
	SENDING_FACTS,
	REFUSAL_FACT,
	EXCHANGE_POLICY_FACTS,
	{"implicit_mx", &field_bool, 0, "the domain has no MX record; its address was used"},
	{"tls_untrusted", &field_choice, 0, "why the certificate would not be trusted",
		.choices = error_names},
	{"signed_as", &field_text, 0, "the name in the DNS of the key that signed the mail"},
	{"tries", &field_integer, FIELD_METRIC, "how often the mail was offered in this run"},
	{"deferred_since", &field_timestamp, 0, "when it was first deferred"},
	{"hosts", &field_list, 0, "each exchanger and address that was tried",
		.item = &field_object, .fields = nodes_facts},
	{"hosts_down", &field_integer, FIELD_METRIC | FIELD_COUNT,
		"those that would not take mail"},
	{0},
};

static const char *const phases[] = {"resolve", "connect", "greeting", "ehlo", "starttls",
	"mail", "rcpt", "data", "accept", "quit", "deferred", "policy", "others", NULL};
static const char *const account_needs[] = {NULL};

/* --- the mail -------------------------------------------------------------------------- */

/* A delay that the receiver asked for is its policy: said apart from the delivery's time, whose
 * clock begins with the acceptance. */
static void prove(struct probe *probe, const struct peer_facts *peer,
	const struct probe_mail *mail, const char *reply)
{
	int64_t deferred = probe_mail_deferred(probe->run, mail);

	if (deferred == 0)
		probe_prove(probe, "%s took the mail: %s", peer->server, reply);
	else
		probe_prove(probe, "%s took the mail, %.1f s after it had first put it off: %s",
			peer->server, clock_seconds(deferred), reply);
}

static int deliver(struct probe *probe, struct delivery *delivery, struct probe_mail *mail,
	struct failure *why)
{
	struct target *target = NULL;
	struct peer_facts peer;
	int64_t began = 0;
	struct smtp *smtp = delivery_open_first(probe, delivery, &target, &began, &peer, why);
	int result;

	probe_describe_peer(probe->facts, &peer);
	if (smtp == NULL)
		return -1;
	delivery_note_untrusted(probe->facts, &peer);
	result = sending_hand_over(probe, smtp, mail, true, why);
	sending_keep_reply(probe, smtp);
	probe_peer_facts(probe, smtp_stream(smtp));
	delivery_note_host(delivery, target, &peer, began, true, why);
	if (result == 0) {
		exchange_keep(&delivery->exchange, target->exchanger.host, &peer,
			smtp_stream(smtp));
		probe_set_time(probe, "accepted_at", smtp_last_reply_at(smtp));
		prove(probe, &peer, mail, smtp_last_reply(smtp)->text);
		timings_begin(&probe->timings, "quit");
	} else {
		timings_pause(&probe->timings);
	}
	smtp_quit(&smtp);
	return result;
}

/* Another round for a deferred mail, if the run has time for the pause and a dialogue. */
static bool wait_for_retry(struct probe *probe, unsigned int tries)
{
	struct deadline due = deadline_in(step_duration(probe->step, "retry_after"));
	struct deadline last = {.at_ns = probe->run->deadline.at_ns - 10 * NS_PER_SECOND};

	if (tries == TRIES_MAX || due.at_ns > last.at_ns)
		return false;
	timings_begin(&probe->timings, "deferred");
	probe_note(probe, "the next try of a deferred mail");
	clock_sleep_until(due);
	probe->deadline = deadline_earlier(
		probe->run->deadline, deadline_in(step_duration(probe->step, "timeout")));
	return true;
}

/* A mail of this step that an earlier run had to leave deferred, or NULL. */
static const json_t *deferred_mail(const struct probe *probe)
{
	json_t *mail;
	size_t index;

	json_array_foreach(probe->run->open_mails, index, mail)
		if (strcmp(json_string_value(json_object_get(mail, "state")), "deferred") == 0 &&
			strcmp(json_string_value(json_object_get(mail, "step")), probe->step->id) == 0)
			return mail;
	return NULL;
}

static int64_t deferred_for(const struct probe *probe, const struct probe_mail *mail)
{
	int64_t now = clock_label(probe->run->origin, clock_now()), since = now;

	clock_parse(mail->first_try_at, &since);
	return now - since;
}

/* Deferred is no failure yet, unless it has been for too long. */
static int stay_deferred(struct probe *probe, const struct probe_mail *mail, struct failure *why)
{
	json_object_set_new(probe->facts, "deferred_since", json_string(mail->first_try_at));
	probe_prove(probe, "the exchanger asked to try again later; the mail is kept for that");
	probe_warn(probe, ERROR_SMTP_DEFERRED, "%s", why->text);
	*why = (struct failure){0};
	return 0;
}

/* What this run's last try means for a mail that is deferred, now or since an earlier run. */
static int judge_deferred(struct probe *probe, struct probe_mail *mail, struct failure *why)
{
	int64_t waited = deferred_for(probe, mail);

	if (waited > step_duration(probe->step, "give_up_after")) {
		sending_give_up(probe, mail);
		return failure_prefix(why, "deferred for %.0f minutes", clock_seconds(waited) / 60);
	}
	return why->type == ERROR_SMTP_TEMPFAIL ? stay_deferred(probe, mail, why) : -1;
}

static const char *sender_of(const struct probe *probe)
{
	const char *named = step_string(probe->step, "mail_from");

	return named != NULL ? named : probe->account->address;
}

/* As its sender's domain does, if the step has a key. */
static int sign(struct probe *probe, struct probe_mail *mail, struct failure *why)
{
	const json_t *dkim = json_object_get(probe->step->config, "dkim");
	const char *domain = json_string_value(json_object_get(dkim, "domain"));
	struct dkim_signer signer = {
		.domain = domain != NULL ? domain : strrchr(mail->from, '@') + 1,
		.selector = json_string_value(json_object_get(dkim, "selector")),
		.key = probe->signing_key,
	};

	if (dkim == NULL)
		return 0;
	if (dkim_sign_mail(&signer, mail, why) == -1)
		return -1;
	json_object_set_new(probe->facts, "signed_as",
		json_sprintf("%s._domainkey.%s", signer.selector, signer.domain));
	return 0;
}

/* The step's mail, or the one that an earlier run could not hand over: before the first phase, as
 * signing takes its time. */
static struct probe_mail *write_mail(struct probe *probe, struct failure *why)
{
	const json_t *earlier = deferred_mail(probe);
	struct probe_mail *mail;

	mail = sending_write(probe, sender_of(probe),
		json_string_value(json_object_get(earlier, "mail")));
	if (mail == NULL) {
		failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory");
		return NULL;
	}
	probe_keep_mail(probe, mail);
	if (sign(probe, mail, why) == -1)
		return NULL;
	if (earlier != NULL)
		text_copy(mail->first_try_at, sizeof(mail->first_try_at),
			json_string_value(json_object_get(earlier, "first_try_at")));
	return mail;
}

static int send_mail(struct probe *probe, struct delivery *delivery, struct probe_mail *mail,
	struct failure *why)
{
	unsigned int tries = 0;
	int result;

	do {
		*why = (struct failure){0};
		delivery_clear_hosts(delivery);
		result = deliver(probe, delivery, mail, why);
		tries++;
	} while (result == -1 && why->type == ERROR_SMTP_TEMPFAIL && wait_for_retry(probe, tries));
	json_object_set_new(probe->facts, "tries", json_integer(tries));
	/* Only a reply about it takes a mail out of this state. */
	if (result == -1 && mail->first_try_at[0] != '\0' && strcmp(mail->state, "refused") != 0 &&
		strcmp(mail->state, "unknown") != 0)
		return judge_deferred(probe, mail, why);
	return result;
}

/* --- the others ------------------------------------------------------------------------ */

static void try_target(
	struct probe *probe, struct delivery *delivery, struct target *target)
{
	const char *to = sending_address(probe->run->journey, step_string(probe->step, "to"));
	struct timings kept = probe->timings;
	struct failure why = {0};
	struct peer_facts peer;
	int64_t began = clock_now();
	struct smtp *smtp;
	bool greeted;

	/* All of it is part of the phase `others`. */
	probe->timings = (struct timings){0};
	smtp = delivery_open(probe, delivery, target, &peer, &why);
	greeted = smtp != NULL;
	if (greeted && smtp_mail(smtp, sender_of(probe), 1024, &why) == 0 &&
		smtp_rcpt(smtp, to, &why) == 0)
		smtp_rset(smtp, &why);
	delivery_note_host(delivery, target, &peer, began, greeted, &why);
	smtp_quit(&smtp);
	probe->timings = kept;
}

/* A silent one may not use up the time of those behind it. */
static void try_others(struct probe *probe, struct delivery *delivery)
{
	struct deadline all = probe->deadline;

	timings_begin(&probe->timings, "others");
	for (size_t i = 0; i < delivery->count; i++) {
		if (delivery->targets[i].tried)
			continue;
		probe->deadline = deadline_in(deadline_left(all) / (int64_t)(delivery->count - i));
		try_target(probe, delivery, &delivery->targets[i]);
	}
	probe->deadline = all;
	if (delivery->down > 0)
		probe_warn(probe, ERROR_SMTP_EXCHANGER,
			"%u of %zu addresses of the exchangers take no mail; the first says: %s",
			delivery->down, delivery->count, delivery->first_down.text);
	if (delivery->deferring > 0)
		probe_warn(probe, ERROR_SMTP_DEFERRED,
			"%u of %zu addresses of the exchangers put mail off; the first says: %s",
			delivery->deferring, delivery->count, delivery->first_deferring.text);
}

/* --- the step -------------------------------------------------------------------------- */

static void set_terms(struct probe *probe, struct delivery *delivery)
{
	delivery->tls = probe->account->tls;
	delivery->tls.starttls = (enum starttls_policy)name_index(
		tls_choices, step_string(probe->step, "tls"));
	delivery->tls.report_only = delivery->tls.starttls != STARTTLS_REQUIRED;
}

static bool each_wanted(const struct step *step)
{
	return strcmp(step_string(step, "hosts"), "each") == 0;
}

static int run(struct probe *probe, struct failure *why)
{
	struct delivery *delivery = calloc(1, sizeof(*delivery));
	struct probe_mail *mail;
	int result;

	if (delivery == NULL)
		return failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory");
	probe->state = delivery;
	delivery->hosts = json_array();
	set_terms(probe, delivery);
	mail = write_mail(probe, why);
	if (mail == NULL || delivery_look_up(probe, delivery, why) == -1)
		return -1;
	result = send_mail(probe, delivery, mail, why);
	probe->put_off = (each_wanted(probe->step) || exchange_policy_wanted(probe->step)) &&
		!refusal_expected(probe->step);
	/* Deferred is neither a yes nor a no. */
	if (probe->warned)
		return result;
	return refusal_judge(probe, result, "the mail", why);
}

/* The mail's clock runs and its await waits: policies and the other exchangers come when that is
 * over. */
static int after(struct probe *probe, struct failure *why)
{
	const char *to = sending_address(probe->run->journey, step_string(probe->step, "to"));
	struct delivery *delivery = probe->state;
	int result =
		exchange_policy_check(probe, &delivery->exchange, strrchr(to, '@') + 1, why);

	if (each_wanted(probe->step))
		try_others(probe, delivery);
	return result;
}

static void finish(struct probe *probe)
{
	struct delivery *delivery = probe->state;

	if (delivery == NULL)
		return;
	json_object_set_new(probe->facts, "hosts_down", json_integer(delivery->down));
	json_object_set_new(probe->facts, "hosts", delivery->hosts);
	exchange_free(&delivery->exchange);
	free(delivery);
	probe->state = NULL;
}

static void preload(void)
{
	probe_http_preload();
	dkim_preload();
}

const struct step_type step_mx_send = {
	.name = "mx_send",
	.summary = "deliver a mail to the exchanger, as a foreign server does",
	.fields = fields,
	.facts = facts,
	.phases = phases,
	.account_needs = account_needs,
	.sends_mail = true,
	.goes_to_exchanger = true,
	.preload = preload,
	.run = run,
	.after = after,
	.finish = finish,
};
