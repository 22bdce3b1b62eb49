#include "probe_http.h"

#include "html.h"

#include "ban.h"

struct http *probe_http(struct probe *probe, const char *const *hosts, const struct address *pin,
	struct failure *why)
{
	const struct http_settings settings = {
		.dns = probe->dns,
		.ip = probe->connection->ip,
		.tls = &probe->connection->tls,
		.trust = probe->run->trust,
		.timings = &probe->timings,
		.transcript = &probe->transcript,
		.allow_private = probe->connection->allow_private,
		.named_hosts = hosts,
		.pin = pin,
	};

	return http_open(&settings, why);
}

void probe_http_facts(json_t *facts, const struct http *http)
{
	double rtt;
	unsigned int retransmits;

	probe_describe_peer(facts, http_peer(http));
	if (http_network(http, &rtt, &retransmits)) {
		json_object_set_new(facts, "network_rtt_seconds", json_real(rtt));
		json_object_set_new(facts, "retransmits", json_integer(retransmits));
	}
	json_object_set_new(
		facts, "request_count", json_integer((json_int_t)http_request_count(http)));
	json_object_set_new(facts, "bytes", json_integer((json_int_t)http_bytes(http)));
	json_object_set_new(facts, "requests", http_requests(http));
}

void probe_http_preload(void)
{
	http_preload();
	html_preload();
}
