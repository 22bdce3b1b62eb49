#include "exchange_policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dane.h"
#include "dns_records.h"
#include "policy.h"
#include "probe_http.h"
#include "step.h"
#include "sts.h"
#include "text.h"

#include "ban.h"

#define TEXTS_MAX 16
#define TLSA_MAX 16

const char *const exchange_policy_choices[] = {"off", "warn", "fail", NULL};

const struct field mta_sts_facts[] = {
	{"id", &field_text, 0, "of the policy, by its TXT record"},
	{"mode", &field_choice, 0, "of the policy", .choices = sts_modes},
	{"matches", &field_bool, 0, "the policy names the exchanger that took the mail"},
	{"tls_verified", &field_bool, 0, "its certificate was valid, and for its name"},
	{"would_deliver", &field_bool, 0, "a sender that keeps to the policy would have delivered"},
	{"error", &field_text, 0, "why there is no policy to keep to"},
	{0},
};

const struct field dane_facts[] = {
	{"records", &field_integer, 0, "TLSA records of the exchanger that took the mail"},
	{"usable", &field_integer, 0, "those that mean something to SMTP"},
	{"validated", &field_bool, 0, "the scenario's own resolver vouches for them (DNSSEC)"},
	{"matches", &field_bool, 0, "the certificates shown match one of them"},
	{"would_deliver", &field_bool, 0, "a sender that keeps to them would have delivered"},
	{0},
};

bool exchange_policy_wanted(const struct step *step)
{
	return strcmp(step_string(step, "policy"), "off") != 0;
}

void exchange_keep(struct exchange *exchange, const char *host, const struct peer_facts *peer,
	struct stream *stream)
{
	text_copy(exchange->host, sizeof(exchange->host), host);
	exchange->chain = stream_peer_chain(stream);
	exchange->tls_verified = exchange->chain != NULL && peer->tls.untrusted == ERROR_NONE;
}

void exchange_free(struct exchange *exchange)
{
	sk_X509_pop_free(exchange->chain, X509_free);
	*exchange = (struct exchange){0};
}

/* --- MTA-STS --------------------------------------------------------------------------- */

/* The id of the record that announces a policy (RFC 8461, 3.1): 1, or 0 if none does, or -1. */
static int find_id(
	struct probe *probe, const char *domain, char *id, size_t size, struct failure *why)
{
	char name[DNS_NAME_SIZE], texts[TEXTS_MAX][DNS_TEXT_SIZE];
	struct dns_question question = {.name = name, .type = DNS_TYPE_TXT};
	const char *list[TEXTS_MAX];
	struct policy policy = {0};
	size_t count = 0;
	int outcome;

	snprintf(name, sizeof(name), "_mta-sts.%s", domain);
	dns_ask(probe->dns, &question, 1, probe->deadline);
	outcome = dns_question_outcome(&question, why);
	if (outcome == 0)
		count = dns_take_texts(&question, texts, TEXTS_MAX);
	dns_question_free(&question);
	for (size_t i = 0; i < count; i++)
		list[i] = texts[i];
	policy_judge(POLICY_MTA_STS, list, count, &policy);
	if (outcome == -1 || policy.verdict == POLICY_ABSENT)
		return outcome == -1 ? -1 : 0;
	if (policy.verdict == POLICY_BROKEN)
		return failure_set(why, ERROR_SMTP_POLICY, "the record %s %s", name, policy.detail);
	text_copy(id, size, policy.id);
	return 1;
}

static int read_policy(const struct http_reply *reply, struct sts_policy *policy,
	struct failure *why)
{
	if (reply->status != 200)
		return failure_set(why, ERROR_SMTP_POLICY,
			"the MTA-STS policy is answered with status %d", reply->status);
	return sts_parse(reply->body.bytes != NULL ? reply->body.bytes : "", reply->body.length,
		policy, why);
}

/* RFC 8461, 3.3: a certificate that is valid for the policy's host, and no redirect. */
static int fetch_policy(struct probe *probe, const char *domain, struct sts_policy *policy,
	struct failure *why)
{
	struct http *http = probe_http(probe, NULL, NULL, why);
	struct http_reply reply = {0};
	struct http_request request = {
		.keep_redirect = true, .max_bytes = STS_POLICY_MAX, .deadline = probe->deadline};
	char *url = NULL;
	int result = -1;

	if (http == NULL)
		return -1;
	if (asprintf(&url, "https://mta-sts.%s:%d/.well-known/mta-sts.txt", domain,
		    (int)step_integer(probe->step, "policy_port")) == -1)
		failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory");
	request.url = url;
	if (url != NULL && http_fetch(http, &request, &reply, why) == 0) {
		result = read_policy(&reply, policy, why);
		http_reply_free(&reply);
	}
	free(url);
	http_close(&http);
	return result;
}

static int compare_sts(const struct exchange *exchange, const struct sts_policy *policy,
	json_t *facts, struct failure *why)
{
	bool matches = sts_matches(policy, exchange->host);
	bool kept = matches && exchange->tls_verified;

	json_object_update_new(facts,
		json_pack("{s:s, s:b, s:b, s:b}", "mode", sts_modes[policy->mode], "matches",
			matches, "tls_verified", exchange->tls_verified, "would_deliver",
			policy->mode != STS_ENFORCE || kept));
	if (policy->mode == STS_NONE || kept)
		return 0;
	return failure_set(why, ERROR_SMTP_POLICY, "the MTA-STS policy (mode %s) %s %s",
		sts_modes[policy->mode],
		matches ? "wants a certificate that can be verified of" : "does not name",
		exchange->host);
}

static int check_sts(struct probe *probe, const struct exchange *exchange, const char *domain,
	struct failure *why)
{
	struct sts_policy *policy = calloc(1, sizeof(*policy));
	json_t *facts = json_object();
	char id[40] = "", text[FAILURE_TEXT_SIZE];
	int found, result = -1;

	found = policy == NULL ? failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory")
			       : find_id(probe, domain, id, sizeof(id), why);
	if (id[0] != '\0')
		json_object_set_new(facts, "id", json_string(id));
	if (found == 0)
		result = 0;
	else if (found == 1 && fetch_policy(probe, domain, policy, why) == 0)
		result = compare_sts(exchange, policy, facts, why);
	/* Without a policy, senders deliver as if there were none. */
	if (result == -1 && json_object_get(facts, "mode") == NULL) {
		text_printable_copy(text, sizeof(text), why->text, strlen(why->text));
		json_object_set_new(facts, "error", json_string(text));
		json_object_set_new(facts, "would_deliver", json_true());
	}
	if (json_object_size(facts) > 0)
		json_object_set(probe->facts, "mta_sts", facts);
	json_decref(facts);
	free(policy);
	return result;
}

/* --- DANE ------------------------------------------------------------------------------ */

/* The AD bit is worth what the way to the resolver is worth (RFC 7672, 2.2.2): only a resolver
 * that the scenario names is believed. */
static int compare_dane(struct probe *probe, const struct exchange *exchange,
	const struct dns_question *question, struct failure *why)
{
	struct tlsa list[TLSA_MAX];
	bool validated = false, matches;
	size_t count = dns_take_tlsa(question, list, TLSA_MAX, &validated), usable = 0;

	if (count == 0)
		return 0;
	validated = validated && probe->account->resolver != NULL;
	for (size_t i = 0; i < count; i++)
		usable += dane_usable(&list[i]);
	matches = dane_matches(list, count, exchange->chain, exchange->host);
	json_object_set_new(probe->facts, "dane",
		json_pack("{s:i, s:i, s:b, s:b, s:b}", "records", (int)count, "usable",
			(int)usable, "validated", validated, "matches", matches, "would_deliver",
			!validated || matches || (usable == 0 && exchange->chain != NULL)));
	if (!validated || matches || (usable == 0 && exchange->chain != NULL))
		return 0;
	return failure_set(why, ERROR_SMTP_POLICY,
		"the certificates that %s shows match none of its %zu TLSA records", exchange->host,
		count);
}

static int check_dane(struct probe *probe, const struct exchange *exchange, struct failure *why)
{
	char name[DNS_NAME_SIZE];
	struct dns_question question = {.name = name, .type = DNS_TYPE_TLSA};
	int result;

	snprintf(name, sizeof(name), "_%d._tcp.%s", (int)step_integer(probe->step, "port"),
		exchange->host);
	dns_ask(probe->dns, &question, 1, probe->deadline);
	result = dns_question_outcome(&question, why);
	if (result != -1)
		result = compare_dane(probe, exchange, &question, why);
	dns_question_free(&question);
	return result;
}

/* --- both ------------------------------------------------------------------------------ */

int exchange_policy_check(struct probe *probe, const struct exchange *exchange, const char *domain,
	struct failure *why)
{
	struct failure sts = {0}, dane = {0};
	const struct failure *first;

	if (exchange->host[0] == '\0' || !exchange_policy_wanted(probe->step))
		return 0;
	timings_begin(&probe->timings, "policy");
	check_sts(probe, exchange, domain, &sts);
	check_dane(probe, exchange, &dane);
	first = sts.type != ERROR_NONE ? &sts : &dane;
	if (first->type == ERROR_NONE)
		return 0;
	if (strcmp(step_string(probe->step, "policy"), "fail") == 0) {
		*why = *first;
		return -1;
	}
	probe_warn(probe, first->type, "%s", first->text);
	return 0;
}
