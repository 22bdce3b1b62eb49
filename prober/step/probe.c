#include "probe.h"
#include "access_token.h"
#include "bounce.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

#include "ban.h"

static void set_text(json_t *object, const char *name, const char *text)
{
	if (text[0] != '\0')
		json_object_set_new(object, name, json_string(text));
}

void probe_prove(struct probe *probe, const char *format, ...)
{
	char text[FAILURE_TEXT_SIZE], shown[FAILURE_TEXT_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	text_printable_copy(shown, sizeof(shown), text, strlen(text));
	set_text(probe->facts, "proof", shown);
}

void probe_warn(struct probe *probe, enum error_type type, const char *format, ...)
{
	char text[FAILURE_TEXT_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	failure_set(&probe->warning, type, "%s", text);
	if (!probe->warned)
		probe->warned_in = timings_current(&probe->timings);
	probe->warned = true;
}

void probe_note(struct probe *probe, const char *format, ...)
{
	const struct probe_link *link = probe->run->link;
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	link->progress(
		link->context, probe->step->id, timings_current(&probe->timings), text);
}

void probe_set_time(struct probe *probe, const char *name, int64_t monotonic_ns)
{
	char text[CLOCK_TIMESTAMP_SIZE];

	clock_format(clock_label(probe->run->origin, monotonic_ns), text);
	json_object_set_new(probe->facts, name, json_string(text));
}

/* --- the connection -------------------------------------------------------------------- */

static void describe_attempts(json_t *facts, const struct peer_facts *peer)
{
	json_t *attempts = json_array();

	for (size_t i = 0; i < peer->attempt_count; i++)
		json_array_append_new(attempts,
			json_pack("{s:s, s:s}", "address", peer->attempts[i].address, "error_type",
				error_info(peer->attempts[i].error)->name));
	if (peer->attempt_count > 0)
		json_object_set(facts, "connect_attempts", attempts);
	json_decref(attempts);
}

static void describe_tls(json_t *facts, const struct tls_facts *tls)
{
	char text[CLOCK_TIMESTAMP_SIZE];

	set_text(facts, "tls_version", tls->version);
	set_text(facts, "tls_cipher", tls->cipher);
	if (tls->expires_wall_ns == 0)
		return;
	clock_format(tls->expires_wall_ns, text);
	set_text(facts, "tls_expires_at", text);
}

void probe_tls_facts(struct probe *probe, const struct peer_facts *peer)
{
	describe_tls(probe->facts, &peer->tls);
}

void probe_describe_peer(json_t *facts, const struct peer_facts *peer)
{
	set_text(facts, "server", peer->server);
	set_text(facts, "peer_address", peer->address);
	describe_attempts(facts, peer);
	describe_tls(facts, &peer->tls);
}

struct stream *probe_connect_to(struct probe *probe, const struct endpoint *endpoint,
	const struct address *address, const struct tls_settings *tls,
	struct peer_facts *peer_r, struct failure *why)
{
	const struct stream_order order = {
		.endpoint = endpoint,
		.address = address,
		.tls = tls,
		.ip = probe->account->ip,
		.dns = probe->dns,
		.trust = probe->run->trust,
		.timings = &probe->timings,
		.transcript = &probe->transcript,
		.deadline = probe->deadline,
	};

	return stream_open(&order, peer_r, why);
}

struct stream *probe_connect(
	struct probe *probe, const struct endpoint *endpoint, struct failure *why)
{
	struct peer_facts peer;
	struct stream *stream =
		probe_connect_to(probe, endpoint, NULL, &probe->account->tls, &peer, why);

	probe_describe_peer(probe->facts, &peer);
	return stream;
}

struct sasl_identity probe_identity(const struct probe *probe, const struct endpoint *endpoint)
{
	bool is_token = probe->token != NULL;

	return (struct sasl_identity){
		.username = probe->account->username,
		.secret = is_token ? probe->token : probe->password,
		.is_token = is_token,
		.renew = is_token ? access_token_renew : NULL,
		.context = (void *)(uintptr_t)probe,
		.mechanism = probe->account->auth,
		.host = endpoint->host,
		.port = endpoint->port,
	};
}

void probe_auth_fact(struct probe *probe, const char *mechanism)
{
	if (mechanism != NULL)
		set_text(probe->facts, "auth_mechanism", mechanism);
}

void probe_peer_facts(struct probe *probe, struct stream *stream)
{
	double rtt = 0;
	unsigned int retransmits = 0;
	int64_t least;

	if (stream == NULL || !tcp_facts(stream_fd(stream), &rtt, &retransmits))
		return;
	json_object_set_new(probe->facts, "network_rtt_seconds", json_real(rtt));
	json_object_set_new(probe->facts, "retransmits", json_integer(retransmits));
	least = tcp_least_rtt(stream_fd(stream));
	if (least == -1)
		return;
	probe->timings.rtt_ns = least;
	json_object_set_new(
		probe->facts, "network_rtt_min_seconds", json_real(clock_seconds(least)));
}

/* --- mails ----------------------------------------------------------------------------- */

static size_t step_index(const struct journey *journey, const char *id)
{
	size_t i = 0;

	while (i < journey->step_count && strcmp(journey->steps[i].id, id) != 0)
		i++;
	return i;
}

struct probe_mail *probe_mail_of(struct probe *probe, const char *step_id)
{
	size_t index = step_index(probe->run->journey, step_id);

	return index < probe->run->journey->step_count ? probe->mails[index] : NULL;
}

void probe_keep_mail(struct probe *probe, struct probe_mail *mail)
{
	probe->mails[step_index(probe->run->journey, probe->step->id)] = mail;
}

static void set_instant(
	const struct probe_run *run, json_t *record, const char *name, int64_t monotonic_ns)
{
	char text[CLOCK_TIMESTAMP_SIZE];

	if (monotonic_ns == 0)
		return;
	clock_format(clock_label(run->origin, monotonic_ns), text);
	set_text(record, name, text);
}

/* The clock of a delivery runs from the final 250; a platform that delivers before it answers
 * may be seen to be faster than that. The best guess is the middle, but never below zero. */
static void set_delivery(json_t *record, const struct probe_mail *mail)
{
	int64_t earliest = mail->absent_ns > mail->sending_ns ? mail->absent_ns : mail->sending_ns;
	double min = clock_seconds(earliest - mail->accepted_ns);
	double max = clock_seconds(mail->present_ns - mail->accepted_ns);
	double middle = (min + max) / 2;

	json_object_set_new(record, "delivery_seconds", json_real(middle > 0 ? middle : 0));
	json_object_set_new(record, "delivery_seconds_min", json_real(min));
	json_object_set_new(record, "delivery_seconds_max", json_real(max));
}

int64_t probe_mail_deferred(const struct probe_run *run, const struct probe_mail *mail)
{
	int64_t accepted = clock_label(run->origin, mail->accepted_ns), first = accepted;

	if (mail->accepted_ns == 0 || mail->first_try_at[0] == '\0')
		return 0;
	clock_parse(mail->first_try_at, &first);
	return accepted > first ? accepted - first : 0;
}

static void set_arrival(json_t *record, const struct probe_mail *mail)
{
	if (mail->accepted_ns != 0)
		set_delivery(record, mail);
	set_text(record, "folder", mail->folder);
	if (mail->uid_validity != 0)
		json_object_set_new(record, "uid_validity", json_integer(mail->uid_validity));
	if (mail->uid != 0)
		json_object_set_new(record, "uid", json_integer(mail->uid));
	if (mail->hops != NULL)
		json_object_set(record, "hops", mail->hops);
	json_object_set_new(record, "duplicates", json_integer(mail->duplicates));
	json_object_set_new(record, "deleted", json_boolean(mail->deleted));
	if (mail->kept)
		json_object_set_new(record, "kept", json_true());
}

json_t *probe_mail_record(const struct probe_run *run, const struct probe_mail *mail)
{
	json_t *record = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "mail", mail->id, "step",
		mail->step, "message_id", mail->message_id, "from", mail->from, "to", mail->to,
		"state", mail->state);

	set_text(record, "await", mail->await);
	set_text(record, "leg", mail->leg);
	set_instant(run, record, "offered_at", mail->offered_ns);
	set_instant(run, record, "sending_at", mail->sending_ns);
	set_text(record, "first_try_at", mail->first_try_at);
	set_instant(run, record, "accepted_at", mail->accepted_ns);
	if (probe_mail_deferred(run, mail) > 0)
		json_object_set_new(record, "deferred_seconds",
			json_real(clock_seconds(probe_mail_deferred(run, mail))));
	set_text(record, "reply", mail->reply);
	set_text(record, "content_hash", mail->content_hash);
	if (mail->bounce.kind == DSN_FAILED)
		bounce_describe(record, &mail->bounce);
	if (mail->found)
		set_arrival(record, mail);
	else
		set_instant(run, record, "last_look_at", mail->absent_ns);
	return record;
}

void probe_mail_moved(struct probe *probe, struct probe_mail *mail, const char *state)
{
	const struct probe_link *link = probe->run->link;
	json_t *record;

	text_copy(mail->state, sizeof(mail->state), state);
	record = probe_mail_record(probe->run, mail);
	link->state(link->context, record);
	json_decref(record);
}

void probe_waited_for_ledger(struct probe *probe, int64_t waited_ns)
{
	double before = json_number_value(json_object_get(probe->facts, "ledger_wait_seconds"));

	json_object_set_new(
		probe->facts, "ledger_wait_seconds", json_real(before + clock_seconds(waited_ns)));
}

int probe_mail_settled(
	struct probe *probe, struct probe_mail *mail, const char *state, struct failure *why)
{
	const struct probe_link *link = probe->run->link;
	json_t *mails = json_array();
	int64_t began = clock_now();
	int result;

	timings_pause(&probe->timings);
	text_copy(mail->state, sizeof(mail->state), state);
	json_array_append_new(mails, probe_mail_record(probe->run, mail));
	result = link->settle(link->context, mails, why);
	json_decref(mails);
	probe_waited_for_ledger(probe, clock_now() - began);
	return result;
}
