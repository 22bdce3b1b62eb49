#include "delivery.h"

#include <stdio.h>
#include <string.h>

#include "sending.h"
#include "step.h"
#include "text.h"

#include "ban.h"

#define EXCHANGERS_MAX 16

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

int delivery_look_up(struct probe *probe, struct delivery *delivery, struct failure *why)
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

void delivery_note_untrusted(json_t *record, const struct peer_facts *peer)
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

struct smtp *delivery_open(struct probe *probe, const struct delivery *delivery,
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

/* An exchanger that is asked about a mail and says "later" is no dead one: greylisting does so. */
static enum outcome judge_host(struct delivery *delivery, bool greeted, struct failure *why)
{
	if (why->type == ERROR_NONE)
		return OUTCOME_PASS;
	if (greeted && why->type == ERROR_SMTP_TEMPFAIL) {
		why->type = ERROR_SMTP_DEFERRED;
		if (delivery->deferring++ == 0)
			delivery->first_deferring = *why;
		return OUTCOME_WARN;
	}
	if (delivery->down++ == 0)
		delivery->first_down = *why;
	return outcome_of_blame(why->blame);
}

void delivery_note_host(struct delivery *delivery, const struct target *target,
	const struct peer_facts *peer, int64_t began, bool greeted, const struct failure *why)
{
	struct failure failed = *why;
	enum outcome outcome = judge_host(delivery, greeted, &failed);
	json_t *host = json_pack("{s:i, s:s, s:f}", "preference", target->exchanger.preference,
		"outcome", outcome_name(outcome), "seconds", clock_seconds(clock_now() - began));
	char text[FAILURE_TEXT_SIZE];

	probe_describe_peer(host, peer);
	if (json_object_get(host, "peer_address") == NULL)
		json_object_set_new(host, "peer_address",
			json_string(target->address.text[0] != '\0' ? target->address.text : "none"));
	delivery_note_untrusted(host, peer);
	if (outcome != OUTCOME_PASS) {
		text_printable_copy(text, sizeof(text), failed.text, strlen(failed.text));
		json_object_set_new(host, "error_type", json_string(error_info(failed.type)->name));
		json_object_set_new(host, "error", json_string(text));
	}
	json_array_append_new(delivery->hosts, host);
}

void delivery_clear_hosts(struct delivery *delivery)
{
	json_array_clear(delivery->hosts);
	delivery->down = delivery->deferring = 0;
}

struct smtp *delivery_open_first(struct probe *probe, struct delivery *delivery,
	struct target **target_r, int64_t *began_r, struct peer_facts *peer, struct failure *why)
{
	for (size_t i = 0; i < delivery->count; i++) {
		struct failure failed = {0};
		struct smtp *smtp;

		*target_r = &delivery->targets[i];
		*began_r = clock_now();
		smtp = delivery_open(probe, delivery, *target_r, peer, &failed);
		if (smtp != NULL) {
			/* What the others said is theirs. */
			*why = (struct failure){0};
			return smtp;
		}
		delivery_note_host(delivery, *target_r, peer, *began_r, false, &failed);
		if (why->type == ERROR_NONE)
			*why = failed;
	}
	if (delivery->count > 1)
		failure_prefix(why, "none of %zu addresses takes mail; the first says",
			delivery->count);
	return NULL;
}
