#include "nodes.h"

#include <string.h>

#include "text.h"

#include "ban.h"

const char *const nodes_choices[] = {"first", "each", NULL};

const struct field nodes_facts[] = {
	{"server", &field_text, FIELD_REQUIRED, "host and port as the scenario names it"},
	{"peer_address", &field_text, FIELD_REQUIRED, "the address that was tried"},
	{"outcome", &field_choice, FIELD_REQUIRED, "whether it works", .choices = outcome_names},
	{"seconds", &field_seconds, FIELD_REQUIRED, "from connecting to the verdict"},
	{"error_type", &field_choice, 0, "what was wrong", .choices = error_names},
	{"error", &field_text, 0, "in a sentence"},
	{"tls_version", &field_text, 0, "absent if TLS was not used"},
	{"tls_cipher", &field_text, 0, "cipher suite"},
	{"tls_expires_at", &field_timestamp, 0, "the earliest end in the server's chain"},
	{"tls_untrusted", &field_choice, 0, "why its certificate would not be trusted",
		.choices = error_names},
	{"preference", &field_integer, 0, "of an exchanger's MX record"},
	{0},
};

bool nodes_wanted(const struct step *step)
{
	return strcmp(step_string(step, "hosts"), "each") == 0;
}

int nodes_find(struct probe *probe, const struct endpoint *endpoint, struct nodes *nodes,
	struct failure *why)
{
	*nodes = (struct nodes){.hosts = json_array()};
	if (address_literal(endpoint->host, endpoint->port, &nodes->list[0])) {
		nodes->count = 1;
		return 0;
	}
	timings_begin(&probe->timings, "resolve");
	return dns_addresses(probe->dns, endpoint->host, endpoint->port, probe->account->ip,
		probe->deadline, nodes->list, NODES_MAX, &nodes->count, why);
}

static void note(struct nodes *nodes, const struct peer_facts *peer, int64_t began,
	const struct failure *why)
{
	enum outcome outcome =
		why->type == ERROR_NONE ? OUTCOME_PASS : outcome_of_blame(why->blame);
	json_t *host = json_pack("{s:s, s:f}", "outcome", outcome_name(outcome), "seconds",
		clock_seconds(clock_now() - began));
	char text[FAILURE_TEXT_SIZE];

	probe_describe_peer(host, peer);
	if (why->type != ERROR_NONE) {
		text_printable_copy(text, sizeof(text), why->text, strlen(why->text));
		json_object_set_new(host, "error_type", json_string(error_info(why->type)->name));
		json_object_set_new(host, "error", json_string(text));
		if (nodes->down++ == 0)
			nodes->first_down = *why;
	}
	json_array_append_new(nodes->hosts, host);
}

/* What was tried in vain is one phase, up to the next try. */
static void merge_failover(struct timings *kept, int64_t began)
{
	struct phase *last = kept->count > 0 ? &kept->phases[kept->count - 1] : NULL;

	if (last == NULL || strcmp(last->name, "failover") != 0) {
		if (kept->open)
			last->end_ns = began;
		last = &kept->phases[kept->count++];
		*last = (struct phase){.name = "failover", .begin_ns = began};
	}
	last->end_ns = clock_now();
	kept->open = true;
}

int nodes_first(struct probe *probe, struct nodes *nodes, node_visit *visit, struct failure *why)
{
	struct failure first = {0};

	for (size_t i = 0; i < nodes->count; i++) {
		struct peer_facts peer = {0};
		struct failure failed = {0};
		struct timings kept = probe->timings;
		int64_t began = clock_now();
		int result = visit(probe, &nodes->list[i], &peer, &failed);

		nodes->tried[i] = true;
		note(nodes, &peer, began, &failed);
		if (i == 0 || result == 0 || failed.type == ERROR_AUTH_REJECTED)
			probe_describe_peer(probe->facts, &peer);
		if (result == 0)
			return 0;
		if (i == 0)
			first = failed;
		if (failed.type == ERROR_AUTH_REJECTED) {
			*why = failed;
			return -1;
		}
		if (i + 1 < nodes->count) {
			merge_failover(&kept, began);
			probe->timings = kept;
		}
	}
	*why = first;
	if (nodes->count > 1)
		failure_prefix(why, "none of %zu addresses works; the first says", nodes->count);
	return -1;
}

void nodes_others(struct probe *probe, struct nodes *nodes, node_visit *visit)
{
	timings_begin(&probe->timings, "others");
	for (size_t i = 0; i < nodes->count; i++) {
		struct timings kept = probe->timings;
		struct peer_facts peer = {0};
		struct failure failed = {0};
		int64_t began = clock_now();

		if (nodes->tried[i])
			continue;
		/* All of it is part of the phase `others`. */
		probe->timings = (struct timings){0};
		visit(probe, &nodes->list[i], &peer, &failed);
		probe->timings = kept;
		nodes->tried[i] = true;
		note(nodes, &peer, began, &failed);
	}
}

void nodes_report(struct probe *probe, struct nodes *nodes)
{
	if (nodes->hosts == NULL)
		return;
	if (json_array_size(nodes->hosts) > 0) {
		json_object_set(probe->facts, "hosts", nodes->hosts);
		json_object_set_new(probe->facts, "hosts_down", json_integer(nodes->down));
	}
	if (nodes->down > 0)
		probe_warn(probe, ERROR_NODE_DOWN, 
			"%u of %zu addresses of the server do not work; the first says: %s",
			nodes->down, nodes->count, nodes->first_down.text);
	json_decref(nodes->hosts);
	nodes->hosts = NULL;
}
