/* mx_send - a foreign server delivers a mail: MX look-up, then straight to the exchanger, without
 * authentication (RFC 5321, 5.1). Passes when an exchanger takes the mail with its reply to the
 * final dot. A refusal for now (4yz, as greylisting does) is deferred: the same envelope is tried
 * again, in this run if there is time, by the next ones otherwise. With `hosts: each` every other
 * exchanger and address is tried up to RCPT as well, so that a dead backup is seen. */
#include "step.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mx.h"
#include "nodes.h"
#include "refusal.h"
#include "sending.h"
#include "smtp.h"
#include "text.h"

#include "ban.h"

#define EXCHANGERS_MAX 16
#define TARGETS_MAX 32
#define TRIES_MAX 3 /* of one run: the table of phases has room for no more */

static const char *const hosts_choices[] = {"first", "each", NULL};
static const char *const tls_choices[] = {"required", "opportunistic", "off", NULL};

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
	SENDING_CONTENT_FIELD,
	REFUSAL_FIELD,
	REFUSAL_PHASE_FIELD,
	{0},
};

static const struct field facts[] = {
	SENDING_FACTS,
	REFUSAL_FACT,
	{"implicit_mx", &field_bool, 0, "the domain has no MX record; its address was used"},
	{"tls_untrusted", &field_choice, 0, "why the certificate would not be trusted",
		.choices = error_names},
	{"tries", &field_integer, FIELD_METRIC, "how often the mail was offered in this run"},
	{"deferred_since", &field_timestamp, 0, "when it was first deferred"},
	{"hosts", &field_list, 0, "each exchanger and address that was tried",
		.item = &field_object, .fields = nodes_facts},
	{"hosts_down", &field_integer, FIELD_METRIC, "those that would not take mail"},
	{0},
};

static const char *const phases[] = {"resolve", "connect", "greeting", "ehlo", "starttls",
	"mail", "rcpt", "data", "accept", "quit", "deferred", "others", NULL};
static const char *const account_needs[] = {NULL};

/* One address of one exchanger. */
struct target {
	struct exchanger exchanger;
	struct address address;
	struct failure unresolved; /* it has no address to try */
	bool tried;
};

struct delivery {
	struct target targets[TARGETS_MAX];
	size_t count;
	json_t *hosts;
	unsigned int down;
	struct tls_settings tls;
};

/* --- where to -------------------------------------------------------------------------- */

static void add_target(struct delivery *delivery, const struct exchanger *exchanger,
	const struct address *address, const struct failure *unresolved)
{
	struct target *target;

	if (delivery->count == TARGETS_MAX)
		return;
	target = &delivery->targets[delivery->count++];
	*target = (struct target){.exchanger = *exchanger};
	if (address != NULL)
		target->address = *address;
	if (unresolved != NULL)
		target->unresolved = *unresolved;
}

/* Mail for a name that leads inside must not let a stranger reach our own network. */
static void refuse_private(
	const struct probe *probe, const struct exchanger *exchanger, struct target *target)
{
	if (probe->account->allow_private || !address_is_private(&target->address))
		return;
	failure_set(&target->unresolved, ERROR_DNS_POLICY,
		"%s has the private address %s (allow_private: true lets it through)",
		exchanger->host, target->address.text);
}

static void resolve_exchanger(
	struct probe *probe, struct delivery *delivery, const struct exchanger *exchanger)
{
	struct address addresses[8];
	struct failure why = {0};
	size_t count = 0;
	int port = (int)step_integer(probe->step, "port");

	if (dns_addresses(probe->dns, exchanger->host, port, probe->account->ip, probe->deadline,
		    addresses, 8, &count, &why) == -1)
		add_target(delivery, exchanger, NULL, &why);
	for (size_t i = 0; i < count; i++) {
		add_target(delivery, exchanger, &addresses[i], NULL);
		refuse_private(probe, exchanger, &delivery->targets[delivery->count - 1]);
	}
}

static int look_up(struct probe *probe, struct delivery *delivery, struct failure *why)
{
	const char *to = sending_address(probe->run->journey, step_string(probe->step, "to"));
	struct exchanger exchangers[EXCHANGERS_MAX];
	bool implicit = false;
	size_t count = 0;

	timings_begin(&probe->timings, "resolve");
	if (mx_lookup(probe->dns, strrchr(to, '@') + 1, probe->deadline, exchangers,
		    EXCHANGERS_MAX, &count, &implicit, why) == -1)
		return -1;
	if (implicit)
		json_object_set_new(probe->facts, "implicit_mx", json_true());
	for (size_t i = 0; i < count; i++)
		resolve_exchanger(probe, delivery, &exchangers[i]);
	return 0;
}

/* --- one exchanger --------------------------------------------------------------------- */

static void note_untrusted(json_t *record, const struct peer_facts *peer)
{
	if (peer->tls.untrusted != ERROR_NONE)
		json_object_set_new(record, "tls_untrusted",
			json_string(error_info(peer->tls.untrusted)->name));
}

static int greet(struct probe *probe, const struct delivery *delivery, struct smtp *smtp,
	struct peer_facts *peer, struct failure *why)
{
	if (smtp_ehlo(smtp, step_string(probe->step, "helo"), why) == -1)
		return -1;
	if (delivery->tls.starttls == STARTTLS_OFF ||
		(delivery->tls.starttls == STARTTLS_OPPORTUNISTIC &&
			!smtp_offers(smtp, "STARTTLS", NULL)))
		return 0;
	return smtp_start_tls(smtp, peer, why);
}

/* Opens a conversation up to EHLO; NULL with the reason on failure. */
static struct smtp *open_target(struct probe *probe, const struct delivery *delivery,
	struct target *target, struct peer_facts *peer, struct failure *why)
{
	const struct endpoint endpoint = {
		.host = target->exchanger.host, .port = (int)step_integer(probe->step, "port")};
	struct stream *stream = NULL;
	struct smtp *smtp = NULL;

	target->tried = true;
	*peer = (struct peer_facts){0};
	snprintf(peer->server, sizeof(peer->server), "%s:%d", endpoint.host, endpoint.port);
	if (target->unresolved.type != ERROR_NONE) {
		*why = target->unresolved;
		return NULL;
	}
	stream = probe_connect_to(probe, &endpoint, &target->address, &delivery->tls, peer, why);
	if (stream != NULL)
		smtp = smtp_open(stream, why);
	if (smtp != NULL && greet(probe, delivery, smtp, peer, why) == -1)
		smtp_quit(&smtp);
	return smtp;
}

/* A line of the table of hosts. */
static void note_host(struct delivery *delivery, const struct target *target,
	const struct peer_facts *peer, int64_t began, const struct failure *why)
{
	json_t *host = json_object();
	enum outcome outcome =
		why->type == ERROR_NONE ? OUTCOME_PASS : outcome_of_blame(why->blame);

	json_object_update_new(host,
		json_pack("{s:i, s:s, s:f}", "preference", target->exchanger.preference, "outcome",
			outcome_name(outcome), "seconds", clock_seconds(clock_now() - began)));
	probe_describe_peer(host, peer);
	if (json_object_get(host, "peer_address") == NULL)
		json_object_set_new(host, "peer_address",
			json_string(target->address.text[0] != '\0' ? target->address.text : "none"));
	note_untrusted(host, peer);
	if (why->type != ERROR_NONE) {
		char text[FAILURE_TEXT_SIZE];

		text_printable_copy(text, sizeof(text), why->text, strlen(why->text));
		json_object_set_new(host, "error_type", json_string(error_info(why->type)->name));
		json_object_set_new(host, "error", json_string(text));
		delivery->down++;
	}
	json_array_append_new(delivery->hosts, host);
}

/* --- the mail -------------------------------------------------------------------------- */

/* The best exchanger that talks to us, as a foreign server goes down the list. */
static struct smtp *open_first(struct probe *probe, struct delivery *delivery,
	struct target **target_r, int64_t *began_r, struct peer_facts *peer, struct failure *why)
{
	for (size_t i = 0; i < delivery->count; i++) {
		struct failure failed = {0};
		struct smtp *smtp;

		*target_r = &delivery->targets[i];
		*began_r = clock_now();
		smtp = open_target(probe, delivery, *target_r, peer, &failed);
		if (smtp != NULL)
			return smtp;
		note_host(delivery, *target_r, peer, *began_r, &failed);
		if (why->type == ERROR_NONE)
			*why = failed;
	}
	if (delivery->count > 1)
		failure_prefix(why, "none of %zu addresses takes mail; the first says",
			delivery->count);
	return NULL;
}

static int deliver(struct probe *probe, struct delivery *delivery, struct probe_mail *mail,
	struct failure *why)
{
	struct target *target = NULL;
	struct peer_facts peer;
	int64_t began = 0;
	struct smtp *smtp = open_first(probe, delivery, &target, &began, &peer, why);
	int result;

	probe_describe_peer(probe->facts, &peer);
	if (smtp == NULL)
		return -1;
	note_untrusted(probe->facts, &peer);
	result = sending_hand_over(probe, smtp, mail, true, why);
	sending_keep_reply(probe, smtp);
	probe_peer_facts(probe, smtp_stream(smtp));
	note_host(delivery, target, &peer, began, why);
	if (result == 0) {
		probe_set_time(probe, "accepted_at", smtp_last_reply_at(smtp));
		probe_prove(probe, "%s took the mail: %s", peer.server, smtp_last_reply(smtp)->text);
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

static int send_mail(struct probe *probe, struct delivery *delivery, struct failure *why)
{
	const json_t *earlier = deferred_mail(probe);
	struct probe_mail *mail = sending_write(probe, sender_of(probe),
		json_string_value(json_object_get(earlier, "mail")));
	unsigned int tries = 0;
	int result;

	if (mail == NULL)
		return failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory");
	probe_keep_mail(probe, mail);
	if (earlier != NULL)
		text_copy(mail->first_try_at, sizeof(mail->first_try_at),
			json_string_value(json_object_get(earlier, "first_try_at")));
	do {
		*why = (struct failure){0};
		json_array_clear(delivery->hosts);
		delivery->down = 0;
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

	/* All of it is part of the phase `others`. */
	probe->timings = (struct timings){0};
	smtp = open_target(probe, delivery, target, &peer, &why);
	if (smtp != NULL && smtp_mail(smtp, sender_of(probe), 1024, &why) == 0 &&
		smtp_rcpt(smtp, to, &why) == 0)
		smtp_rset(smtp, &why);
	note_host(delivery, target, &peer, began, &why);
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
		probe_warn(probe, ERROR_SMTP_EXCHANGER, "%u of %zu addresses of the exchangers take no mail",
			delivery->down, delivery->count);
}

/* --- the step -------------------------------------------------------------------------- */

static void set_terms(struct probe *probe, struct delivery *delivery)
{
	delivery->tls = probe->account->tls;
	delivery->tls.starttls = (enum starttls_policy)name_index(
		tls_choices, step_string(probe->step, "tls"));
	delivery->tls.report_only = delivery->tls.starttls != STARTTLS_REQUIRED;
}

static int run(struct probe *probe, struct failure *why)
{
	struct delivery *delivery = calloc(1, sizeof(*delivery));
	int result;

	if (delivery == NULL)
		return failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory");
	probe->state = delivery;
	delivery->hosts = json_array();
	set_terms(probe, delivery);
	if (look_up(probe, delivery, why) == -1)
		return -1;
	result = send_mail(probe, delivery, why);
	probe->put_off = strcmp(step_string(probe->step, "hosts"), "each") == 0 &&
		!refusal_expected(probe->step);
	/* Deferred is neither a yes nor a no. */
	if (probe->warned)
		return result;
	return refusal_judge(probe, result, "the mail", why);
}

/* The mail's clock runs and its await waits: the other exchangers come when that is over. */
static int after(struct probe *probe, struct failure *why)
{
	(void)why;
	try_others(probe, probe->state);
	return 0;
}

static void finish(struct probe *probe)
{
	struct delivery *delivery = probe->state;

	if (delivery == NULL)
		return;
	json_object_set_new(probe->facts, "hosts_down", json_integer(delivery->down));
	json_object_set_new(probe->facts, "hosts", delivery->hosts);
	free(delivery);
	probe->state = NULL;
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
	.run = run,
	.after = after,
	.finish = finish,
};
