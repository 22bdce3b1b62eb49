/* dns_check - what the DNS says of a mail domain, as a foreign server and a user's mail meet it:
 * exchangers and their addresses, SPF, DKIM, DMARC, MTA-STS, TLS reports, TLSA, reverse names,
 * block lists. Everything is reported; only what `expect` names can fail the step, and what is
 * there and broken makes it `warn`. Questions of one kind go out side by side. */
#include "step.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dane.h"
#include "dns_records.h"
#include "mx.h"
#include "policy.h"
#include "text.h"

#include "ban.h"

#define EXCHANGERS_MAX 8
#define ADDRESSES_MAX 16
#define TEXTS_MAX 16
#define LISTS_MAX 16
#define NAMES_MAX 4
#define TLSA_MAX 8

static const struct field expect_fields[] = {
	{"mx", &field_bool, 0, "MX records, and an address for each exchanger"},
	{"spf", &field_bool, 0, "one SPF record that does not let anybody send"},
	{"dkim", &field_list, 0, "selectors that must have a usable key", .item = &field_name},
	{"dmarc", &field_bool, 0, "one DMARC record"},
	{"mta_sts", &field_bool, 0, "one MTA-STS record"},
	{"tlsrpt", &field_bool, 0, "one record that names where TLS reports go"},
	{"tlsa", &field_bool, 0, "TLSA records of each exchanger, validated by the resolver"},
	{"ptr", &field_bool, 0, "a reverse name of each address that leads back to it"},
	{"blocklists", &field_list, 0, "zones that must not list an address", .item = &field_name},
	{0},
};

static const struct field fields[] = {
	{"account", &field_account, FIELD_REQUIRED, "account whose resolver is asked"},
	{"domain", &field_name, 0, "the mail domain; that of the account's address if left out"},
	{"port", &field_port, 0, "port that TLSA records are looked up for", "25"},
	{"senders", &field_list, 0, "more IP addresses that the domain's mail is sent from",
		.item = &field_text},
	{"expect", &field_object, 0, "what must be there", "{}", .fields = expect_fields},
	{0},
};

static const char *const finding_outcomes[] = {"pass", "absent", "warn", "fail", "error", NULL};

static const struct field finding_facts[] = {
	{"check", &field_name, FIELD_REQUIRED, "what was looked for"},
	{"name", &field_text, FIELD_REQUIRED, "the name in the DNS, or the address"},
	{"outcome", &field_choice, FIELD_REQUIRED,
		"absent: not there and not expected; error: it cannot be known",
		.choices = finding_outcomes},
	{"detail", &field_text, 0, "the record, or what is wrong"},
	{0},
};

static const struct field facts[] = {
	{"domain", &field_text, 0, "the mail domain"},
	{"findings", &field_list, 0, "one for each thing that was looked up", .item = &field_object,
		.fields = finding_facts},
	{"findings_wrong", &field_integer, FIELD_METRIC, "findings that fail or warn"},
	{0},
};

static const char *const phases[] = {"resolve", "policy", "reverse", "blocklists", NULL};

struct check {
	struct probe *probe;
	const json_t *expect;
	const char *domain;
	json_t *findings;
	unsigned int wrong, good;
	struct failure first; /* the first expectation that is not met */
	struct exchanger exchangers[EXCHANGERS_MAX];
	size_t exchanger_count;
	struct address addresses[ADDRESSES_MAX];
	size_t address_count;
	struct dns_round round;
	char texts[TEXTS_MAX][DNS_TEXT_SIZE];
};

/* --- findings -------------------------------------------------------------------------- */

static bool is_expected(const struct check *check, const char *name)
{
	const json_t *value = json_object_get(check->expect, name);

	return json_is_true(value) || json_array_size(value) > 0;
}

static void find(struct check *check, const char *what, const char *name, const char *outcome,
	const char *detail)
{
	json_t *finding =
		json_pack("{s:s, s:s, s:s}", "check", what, "name", name, "outcome", outcome);
	char text[400];

	text_printable_copy(text, sizeof(text), detail, strlen(detail));
	if (text[0] != '\0')
		json_object_set_new(finding, "detail", json_string(text));
	json_array_append_new(check->findings, finding);
	check->good += strcmp(outcome, "pass") == 0;
	check->wrong += strcmp(outcome, "fail") == 0 || strcmp(outcome, "warn") == 0;
}

/* The first expectation that is not met is the step's failure, in the phase that found it. */
static void fail_expected(struct check *check, enum error_type type, const char *what,
	const char *name, const char *detail)
{
	if (check->first.type == ERROR_NONE)
		check->probe->failed_in = timings_current(&check->probe->timings);
	failure_set(&check->first, type, "%s of %s: %s", what, name, detail);
}

/* Something is not as it should be: a failure if it was expected, otherwise as said. */
static void find_wrong(struct check *check, const char *what, const char *name,
	enum error_type type, const char *otherwise, const char *detail)
{
	bool expected = is_expected(check, what);

	find(check, what, name, expected ? "fail" : otherwise, detail);
	if (expected)
		fail_expected(check, type, what, name, detail);
	else if (strcmp(otherwise, "warn") == 0)
		probe_warn(check->probe, type, "%s of %s: %s", what, name, detail);
}

static void find_unknown(
	struct check *check, const char *what, const char *name, const struct failure *why)
{
	find(check, what, name, "error", why->text);
	if (is_expected(check, what))
		fail_expected(check, why->type, what, name, why->text);
}

/* --- exchangers ------------------------------------------------------------------------ */

static void add_addresses(struct check *check, const struct exchanger *exchanger)
{
	struct probe *probe = check->probe;
	struct failure why = {0};
	size_t count = 0;
	char detail[80];

	if (dns_addresses(probe->dns, exchanger->host, 0, probe->account->ip, probe->deadline,
		    check->addresses + check->address_count, ADDRESSES_MAX - check->address_count,
		    &count, &why) == -1) {
		if (why.type == ERROR_DNS_NXDOMAIN || why.type == ERROR_DNS_NODATA)
			find_wrong(
				check, "mx", exchanger->host, ERROR_DNS_RECORD, "warn", why.text);
		else
			find_unknown(check, "mx", exchanger->host, &why);
		return;
	}
	snprintf(detail, sizeof(detail), "preference %d, %zu addresses", exchanger->preference,
		count);
	find(check, "mx", exchanger->host, "pass", detail);
	check->address_count += count;
}

static int add_sender(struct check *check, const char *text, struct failure *why)
{
	struct address address;

	if (!address_literal(text, 0, &address))
		return failure_set(
			why, ERROR_CONFIG_FILE, "\"%s\" of senders is no IP address", text);
	if (check->address_count < ADDRESSES_MAX)
		check->addresses[check->address_count++] = address;
	return 0;
}

static int find_exchangers(struct check *check, struct failure *why)
{
	struct probe *probe = check->probe;
	bool implicit = false;
	json_t *sender;
	size_t index;

	timings_begin(&probe->timings, "resolve");
	if (mx_lookup(probe->dns, check->domain, probe->deadline, check->exchangers, EXCHANGERS_MAX,
		    &check->exchanger_count, &implicit, why) == -1)
		return -1;
	if (implicit)
		find_wrong(check, "mx", check->domain, ERROR_DNS_RECORD, "absent",
			"no MX record: mail goes to the domain's own address");
	for (size_t i = 0; i < check->exchanger_count; i++)
		add_addresses(check, &check->exchangers[i]);
	json_array_foreach(json_object_get(probe->step->config, "senders"), index,
		sender) if (add_sender(check, json_string_value(sender), why) == -1) return -1;
	return 0;
}

/* --- policies -------------------------------------------------------------------------- */

static void judge(struct check *check, const char *what, enum policy_kind kind,
	const struct dns_question *question)
{
	const char *texts[TEXTS_MAX];
	struct failure why = {0};
	struct policy policy;
	size_t count;

	if (dns_question_outcome(question, &why) == -1) {
		find_unknown(check, what, question->name, &why);
		return;
	}
	count = dns_take_texts(question, check->texts, TEXTS_MAX);
	for (size_t i = 0; i < count; i++)
		texts[i] = check->texts[i];
	policy_judge(kind, texts, count, &policy);
	if (policy.verdict == POLICY_GOOD)
		find(check, what, question->name, "pass", policy.detail);
	else if (policy.verdict == POLICY_BROKEN)
		find_wrong(check, what, question->name, ERROR_DNS_RECORD, "warn", policy.detail);
	else
		find_wrong(check, what, question->name, ERROR_DNS_RECORD, "absent",
			"there is no such record");
}

static void judge_tlsa(struct check *check, const struct dns_question *question)
{
	struct tlsa list[TLSA_MAX];
	struct failure why = {0};
	bool validated;
	size_t count, usable = 0;
	char detail[120];

	if (dns_question_outcome(question, &why) == -1) {
		find_unknown(check, "tlsa", question->name, &why);
		return;
	}
	count = dns_take_tlsa(question, list, TLSA_MAX, &validated);
	for (size_t i = 0; i < count; i++)
		usable += dane_usable(&list[i]);
	snprintf(detail, sizeof(detail), "%zu records, %zu of them usable, %s", count, usable,
		validated ? "validated" : "not validated by the resolver: senders ignore them");
	if (count == 0)
		find_wrong(check, "tlsa", question->name, ERROR_DNS_RECORD, "absent",
			"there is no such record");
	else if (usable == 0 || !validated)
		find_wrong(check, "tlsa", question->name, ERROR_DNS_RECORD,
			usable == 0 ? "warn" : "absent", detail);
	else
		find(check, "tlsa", question->name, "pass", detail);
}

static void find_policies(struct check *check)
{
	static const struct {
		const char *what, *prefix;
		enum policy_kind kind;
	} kinds[] = {{"spf", "", POLICY_SPF}, {"dmarc", "_dmarc.", POLICY_DMARC},
		{"mta_sts", "_mta-sts.", POLICY_MTA_STS}, {"tlsrpt", "_smtp._tls.", POLICY_TLSRPT}};
	size_t kind_count = sizeof(kinds) / sizeof(kinds[0]), tlsa_first;
	struct dns_round *round = &check->round;
	json_t *selector;
	size_t index;

	timings_begin(&check->probe->timings, "policy");
	for (size_t i = 0; i < kind_count; i++)
		dns_round_add(round, DNS_TYPE_TXT, "%s%s", kinds[i].prefix, check->domain);
	json_array_foreach(json_object_get(check->expect, "dkim"), index,
		selector) if (index < TEXTS_MAX) dns_round_add(round, DNS_TYPE_TXT,
		"%s._domainkey.%s", json_string_value(selector), check->domain);
	tlsa_first = round->count;
	for (size_t i = 0; i < check->exchanger_count; i++)
		dns_round_add(round, DNS_TYPE_TLSA, "_%d._tcp.%s",
			(int)step_integer(check->probe->step, "port"), check->exchangers[i].host);
	dns_round_ask(check->probe->dns, round, check->probe->deadline);
	for (size_t i = 0; i < tlsa_first; i++)
		judge(check, i < kind_count ? kinds[i].what : "dkim",
			i < kind_count ? kinds[i].kind : POLICY_DKIM, &round->questions[i]);
	for (size_t i = tlsa_first; i < round->count; i++)
		judge_tlsa(check, &round->questions[i]);
	dns_round_clear(round);
}

/* --- reverse names --------------------------------------------------------------------- */

static bool is_same_address(const struct address *a, const struct address *b)
{
	if (a->socket.any.sa_family != b->socket.any.sa_family)
		return false;
	if (a->socket.any.sa_family == AF_INET)
		return a->socket.v4.sin_addr.s_addr == b->socket.v4.sin_addr.s_addr;
	return memcmp(&a->socket.v6.sin6_addr, &b->socket.v6.sin6_addr, 16) == 0;
}

/* One of the address's names leads back to it, as receivers want it (RFC 8601, 3 "iprev"). */
static void confirm(struct check *check, const struct address *address,
	char (*names)[DNS_NAME_SIZE], size_t count)
{
	enum dns_type type = address->socket.any.sa_family == AF_INET ? DNS_TYPE_A : DNS_TYPE_AAAA;
	struct dns_round *round = &check->round;
	const char *confirmed = NULL;
	char detail[DNS_NAME_SIZE + 40];

	round->count = 0;
	for (size_t i = 0; i < count; i++)
		dns_round_add(round, type, "%s", names[i]);
	dns_round_ask(check->probe->dns, round, check->probe->deadline);
	for (size_t i = 0; i < count && confirmed == NULL; i++) {
		struct address list[16];
		size_t found = dns_take_addresses(&round->questions[i], list, 16);

		while (found > 0 && confirmed == NULL)
			if (is_same_address(&list[--found], address))
				confirmed = names[i];
	}
	snprintf(detail, sizeof(detail), "%.279s does not lead back to the address", names[0]);
	if (confirmed != NULL)
		find(check, "ptr", address->text, "pass", confirmed);
	else
		find_wrong(check, "ptr", address->text, ERROR_DNS_RECORD, "warn", detail);
	dns_round_clear(round);
}

static void find_names(struct check *check)
{
	struct dns_round *round = &check->round;
	char names[ADDRESSES_MAX][NAMES_MAX][DNS_NAME_SIZE];
	size_t counts[ADDRESSES_MAX] = {0};

	timings_begin(&check->probe->timings, "reverse");
	for (size_t i = 0; i < check->address_count; i++) {
		char name[DNS_NAME_SIZE];

		dns_reverse_name(&check->addresses[i], NULL, name);
		dns_round_add(round, DNS_TYPE_PTR, "%s", name);
	}
	dns_round_ask(check->probe->dns, round, check->probe->deadline);
	for (size_t i = 0; i < round->count; i++) {
		const struct address *address = &check->addresses[i];
		struct failure why = {0};

		counts[i] = dns_take_names(&round->questions[i], address, names[i], NAMES_MAX);
		if (dns_question_outcome(&round->questions[i], &why) == -1)
			find_unknown(check, "ptr", address->text, &why);
		else if (counts[i] == 0)
			find_wrong(check, "ptr", address->text, ERROR_DNS_RECORD, "absent",
				"the address has no name");
	}
	dns_round_clear(round);
	for (size_t i = 0; i < check->address_count; i++)
		if (counts[i] > 0)
			confirm(check, &check->addresses[i], names[i], counts[i]);
}

/* --- block lists ----------------------------------------------------------------------- */

/* 127.255.255.0/24 is how lists say that they did not answer (such as to public resolvers). */
static bool is_listed(const struct dns_question *question, bool *refused_r)
{
	struct address list[16];
	size_t count = dns_take_addresses(question, list, 16);
	bool listed = false;

	for (size_t i = 0; i < count; i++) {
		uint32_t ip = ntohl(list[i].socket.v4.sin_addr.s_addr);

		*refused_r = *refused_r || ip >> 8 == 0x7fffff;
		listed = listed || (ip >> 24 == 127 && ip >> 8 != 0x7fffff);
	}
	return listed;
}

/* RFC 5782, 5: a list that works has 127.0.0.2 and has not 127.0.0.1. */
static bool list_works(struct check *check, const char *zone, const struct dns_question *tests)
{
	struct failure why = {0};
	bool refused = false, has_bad = is_listed(&tests[0], &refused);
	bool has_good = is_listed(&tests[1], &refused);

	if (dns_question_outcome(&tests[0], &why) == -1 ||
		dns_question_outcome(&tests[1], &why) == -1) {
		find_unknown(check, "blocklists", zone, &why);
		return false;
	}
	if (has_bad && !has_good && !refused)
		return true;
	failure_set(&why, ERROR_DNS_RECORD, "the list %s",
		refused            ? "does not answer this resolver"
			: has_good ? "lists everything"
				   : "does not list its own test entry: it is out of order");
	/* The list's trouble, and not the platform's: it cannot fail a run. */
	find(check, "blocklists", zone, "error", why.text);
	probe_warn(check->probe, ERROR_DNS_RECORD, "%s: %s", zone, why.text);
	return false;
}

static void judge_listing(struct check *check, const char *zone, const struct address *address,
	const struct dns_question *question)
{
	char detail[DNS_NAME_SIZE + 40];
	struct failure why = {0};
	bool refused = false;

	snprintf(detail, sizeof(detail), "not listed by %s", zone);
	if (dns_question_outcome(question, &why) == -1)
		find_unknown(check, "blocklists", address->text, &why);
	else if (!is_listed(question, &refused))
		find(check, "blocklists", address->text, "pass", detail);
	else
		find_wrong(
			check, "blocklists", address->text, ERROR_DNS_LISTED, "fail", detail + 4);
}

static void find_listings(struct check *check)
{
	struct dns_round *round = &check->round;
	const json_t *zones = json_object_get(check->expect, "blocklists");
	size_t count = json_array_size(zones) < LISTS_MAX ? json_array_size(zones) : LISTS_MAX;
	size_t per_zone = check->address_count + 2;

	if (count == 0)
		return;
	timings_begin(&check->probe->timings, "blocklists");
	for (size_t i = 0; i < count; i++) {
		const char *zone = json_string_value(json_array_get(zones, i));

		dns_round_add(round, DNS_TYPE_A, "2.0.0.127.%s", zone);
		dns_round_add(round, DNS_TYPE_A, "1.0.0.127.%s", zone);
		for (size_t j = 0; j < check->address_count; j++) {
			char name[DNS_NAME_SIZE];

			dns_reverse_name(&check->addresses[j], zone, name);
			dns_round_add(round, DNS_TYPE_A, "%s", name);
		}
	}
	dns_round_ask(check->probe->dns, round, check->probe->deadline);
	for (size_t i = 0; i < count; i++) {
		const char *zone = json_string_value(json_array_get(zones, i));
		const struct dns_question *questions = &round->questions[i * per_zone];

		if (!list_works(check, zone, questions))
			continue;
		for (size_t j = 0; j < check->address_count; j++)
			judge_listing(check, zone, &check->addresses[j], &questions[j + 2]);
	}
	dns_round_clear(round);
}

/* --- the step -------------------------------------------------------------------------- */

static int run(struct probe *probe, struct failure *why)
{
	struct check *check = calloc(1, sizeof(*check));
	const char *domain = step_string(probe->step, "domain");

	if (check == NULL)
		return failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory");
	probe->state = check;
	check->probe = probe;
	check->expect = json_object_get(probe->step->config, "expect");
	check->domain = domain != NULL ? domain : strrchr(probe->account->address, '@') + 1;
	check->findings = json_array();
	json_object_set_new(probe->facts, "domain", json_string(check->domain));
	if (find_exchangers(check, why) == -1)
		return -1;
	find_policies(check);
	find_names(check);
	find_listings(check);
	timings_pause(&probe->timings);
	if (check->first.type != ERROR_NONE) {
		*why = check->first;
		return -1;
	}
	probe_prove(probe, "%s: %u of %zu findings are as they should be, none is not as expected",
		check->domain, check->good, json_array_size(check->findings));
	return 0;
}

static void finish(struct probe *probe)
{
	struct check *check = probe->state;

	if (check == NULL)
		return;
	json_object_set_new(probe->facts, "findings_wrong", json_integer(check->wrong));
	json_object_set_new(probe->facts, "findings", check->findings);
	dns_round_clear(&check->round);
	free(check);
	probe->state = NULL;
}

const struct step_type step_dns_check = {
	.name = "dns_check",
	.summary = "look at what the DNS says of a mail domain",
	.fields = fields,
	.facts = facts,
	.phases = phases,
	.run = run,
	.finish = finish,
};
