#include "vantage.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "dns_control.h"
#include "step.h"

#include "ban.h"

#define CONTROL_TIME NS_PER_SECOND
/* At the end of a run, of the time until the worker is killed. */
#define CONTROL_LAST (300 * NS_PER_MS)
/* A failure that took ten times as long as what was lost had other reasons. */
#define LOST_SHARE 10

static void take_over(struct part *part, enum error_type type, const char *reason)
{
	char text[FAILURE_TEXT_SIZE];

	snprintf(text, sizeof(text), "%.200s (%s: %.250s)", reason, error_info(part->why.type)->name,
		part->why.text);
	part->seen = part->why;
	part->why = (struct failure){0};
	failure_set(&part->why, type, "%s", text);
	part->why.blame = BLAME_VANTAGE;
}

/* --- the network ----------------------------------------------------------------------- */

/* What a step meets when nothing answers, not when the platform answers badly. */
static bool may_be_offline(enum error_type type)
{
	static const enum error_type types[] = {ERROR_DNS_TIMEOUT, ERROR_DNS_SERVFAIL,
		ERROR_DNS_REFUSED, ERROR_TCP_TIMEOUT, ERROR_TCP_UNREACHABLE, ERROR_LIMIT_TIME};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (types[i] == type)
			return true;
	return false;
}

static bool is_about_dns(enum error_type type)
{
	return type == ERROR_DNS_TIMEOUT || type == ERROR_DNS_SERVFAIL || type == ERROR_DNS_REFUSED;
}

/* A server on this very machine needs no network. */
static bool is_here(const struct part *part)
{
	const char *peer = json_string_value(json_object_get(part->probe.facts, "peer_address"));

	return peer != NULL && (strncmp(peer, "127.", 4) == 0 || strncmp(peer, "[::1]", 5) == 0);
}

/* "acme.test" of "mx1.acme.test": two names with the same end may well have the same servers. */
static const char *tail_of(const char *domain)
{
	const char *last = strrchr(domain, '.'), *at = last;

	while (at != NULL && at > domain && at[-1] != '.')
		at--;
	return at != NULL ? at : domain;
}

static bool mentions(const json_t *value, const char *word)
{
	const char *text = json_string_value(value), *key;
	json_t *item;
	size_t index;

	if (text != NULL && strcasestr(text, word) != NULL)
		return true;
	json_object_foreach((json_t *)(uintptr_t)value, key, item) if (mentions(item, word)) return true;
	json_array_foreach(value, index, item) if (mentions(item, word)) return true;
	return false;
}

static bool holds(const char *text, const char *word)
{
	return text != NULL && strcasestr(text, word) != NULL;
}

static bool account_mentions(const struct account *account, const char *word)
{
	return holds(account->address, word) || holds(account->submission.host, word) ||
	       holds(account->imap.host, word) || holds(account->pop3.host, word) ||
	       holds(account->webmail.url, word) || holds(account->caldav, word) ||
	       holds(account->carddav, word);
}

static bool step_names(const struct step *step, const char *key, const char *name)
{
	const char *value = step_string(step, key);

	return value != NULL && strcmp(value, name) == 0;
}

/* Whether what the step talks to may live in that domain. */
static bool concerns(const struct part *part, const char *tail)
{
	const struct journey *journey = part->probe.run->journey;
	const struct step *step = part->probe.step;

	if (mentions(step->config, tail) || holds(part->why.text, tail))
		return true;
	for (size_t i = 0; i < journey->account_count; i++) {
		const struct account *account = &journey->accounts[i];

		if ((step_names(step, "account", account->name) ||
			    step_names(step, "from", account->name) ||
			    step_names(step, "to", account->name)) &&
			account_mentions(account, tail))
			return true;
	}
	return false;
}

static size_t named_controls(
	const json_t *names, const char *domains[static DNS_CONTROLS_MAX])
{
	size_t count = 0, index;
	json_t *name;

	json_array_foreach(names, index, name)
		if (count < DNS_CONTROLS_MAX)
			domains[count++] = json_string_value(name);
	return count;
}

/* The names that the author gives, or else mail domains of the scenario that the step has nothing
 * to do with. */
static size_t find_controls(const struct part *part, const char *domains[static DNS_CONTROLS_MAX])
{
	const struct journey *journey = part->probe.run->journey;
	size_t count = 0;

	if (json_array_size(journey->control.names) > 0)
		return named_controls(journey->control.names, domains);
	for (size_t i = 0; i < journey->account_count && count < DNS_CONTROLS_MAX; i++) {
		const char *domain = strrchr(journey->accounts[i].address, '@') + 1;

		if (!concerns(part, tail_of(domain)))
			domains[count++] = domain;
	}
	return count;
}

static void judge_network(struct part *part)
{
	const struct probe *probe = &part->probe;
	enum error_type type = part->why.type;
	const char *domains[DNS_CONTROLS_MAX];
	int64_t left = deadline_left(probe->run->deadline);
	size_t count;
	char reason[200];

	/* Of a dead connection a resolver says little in no time. */
	if (probe->run->journey->control.off || probe->dns == NULL || is_here(part) || (!is_about_dns(type) && left < CONTROL_TIME))
		return;
	if (left > CONTROL_TIME)
		left = CONTROL_TIME;
	count = find_controls(part, domains);
	if (dns_control(probe->dns, domains, count, type != ERROR_DNS_REFUSED,
		    deadline_in(left > CONTROL_LAST ? left : CONTROL_LAST)))
		return;
	snprintf(reason, sizeof(reason),
		"this machine is offline, or its resolver is dead: nothing is to be learnt about "
		"%.80s either",
		count > 0 ? domains[0] : "the root of DNS");
	/* Silence is what it is, whosever it is. */
	take_over(part, type == ERROR_DNS_TIMEOUT ? type : ERROR_LOCAL_OFFLINE, reason);
}

/* --- the clock ------------------------------------------------------------------------- */

static bool is_about_dates(enum error_type type)
{
	return type == ERROR_TLS_CERT_EXPIRED || type == ERROR_TLS_CERT_NOT_YET_VALID;
}

/* A server of somebody else's whose certificate is valid by the same clock. An exchanger's
 * certificate is not verified. */
static bool is_witness(const struct part *part)
{
	return part->record != NULL && part->result == 0 && part->obstacle == NULL &&
		!part->probe.step->type->goes_to_exchanger &&
		json_object_get(part->probe.facts, "tls_expires_at") != NULL;
}

static void judge_clock(struct part *part)
{
	const char *doubt = machine_clock_doubt(&part->stage->machine,
		part->probe.run->journey->control.clock_trusted);
	char reason[200];

	if (doubt == NULL)
		return;
	snprintf(reason, sizeof(reason),
		"this machine cannot tell whether a certificate is valid: %s", doubt);
	take_over(part, ERROR_LOCAL_CLOCK, reason);
}

bool vantage_reconsider(const struct stage *stage, struct part *part)
{
	if (part->why.type != ERROR_LOCAL_CLOCK || machine_clock_is_wrong(&part->stage->machine))
		return false;
	for (size_t i = 0; i < stage->count; i++)
		if (is_witness(&stage->parts[i])) {
			part->why = part->seen;
			return true;
		}
	return false;
}

/* --- sleep and processor --------------------------------------------------------------- */

/* What becomes of a conversation if one side is gone for a while; an answer stays one. */
static bool may_be_absence(enum error_type type)
{
	static const enum error_type types[] = {ERROR_DNS_TIMEOUT, ERROR_TCP_TIMEOUT,
		ERROR_TCP_RESET, ERROR_TCP_EOF, ERROR_TCP_UNREACHABLE, ERROR_TLS_HANDSHAKE,
		ERROR_TLS_TRUNCATED, ERROR_SMTP_TEMPFAIL, ERROR_SMTP_UNKNOWN, ERROR_IMAP_BYE,
		ERROR_MAIL_LATE, ERROR_LIMIT_TIME};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (types[i] == type)
			return true;
	return false;
}

static void judge_absence(struct part *part, enum error_type type, const char *what)
{
	int64_t now = clock_now();
	int64_t lost = machine_lost(&part->stage->machine, type, part->began_ns, now);
	char reason[200];

	if (lost == 0)
		return;
	part->unfit = type;
	if (part->result == 0 || part->why.blame == BLAME_VANTAGE ||
		!may_be_absence(part->why.type) || lost < (now - part->began_ns) / LOST_SHARE)
		return;
	snprintf(reason, sizeof(reason), "%s for %.1f s while this step went on", what,
		clock_seconds(lost));
	take_over(part, type, reason);
}

/* --- all ------------------------------------------------------------------------------- */

void vantage_judge(struct part *part)
{
	if (!part->begun)
		return;
	machine_look(&part->stage->machine);
	judge_absence(part, ERROR_LOCAL_SUSPENDED, "this machine was suspended");
	judge_absence(part, ERROR_LOCAL_STARVED, "the prober did not get the processor");
	if (part->result == 0 || outcome_of_blame(part->why.blame) != OUTCOME_FAIL)
		return;
	if (is_about_dates(part->why.type))
		judge_clock(part);
	else if (may_be_offline(part->why.type))
		judge_network(part);
}
