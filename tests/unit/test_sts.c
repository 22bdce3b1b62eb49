/* MTA-STS policies: what is one, and which hosts it names. */
#include "sts.h"

#include <string.h>

#include "tap.h"

#define HEAD "version: STSv1\r\nmode: enforce\r\nmax_age: 86400\r\n"

static const struct {
	const char *text, *words; /* words: what is wrong; NULL: nothing */
} policies[] = {
	{HEAD "mx: mx.acme.test\r\n", NULL},
	{"version:STSv1\nmode:testing\nmx:a\nmax_age:1", NULL},
	{"version: STSv1\nmode: none\nmax_age: 0\nfuture: x\n", NULL},
	{HEAD, "names no mx"},
	{"", "lacks"},
	{"<html>", "lacks"},
	{"version: STSv1\nmode: enforce\nmx: a\n", "lacks"},
	{"version: STSv2\nmode: enforce\nmx: a\nmax_age: 1\n", "version"},
	{"version: STSv1\nmode: Enforce\nmx: a\nmax_age: 1\n", "mode"},
	{"version: STSv1\nmode: enforce\nmx: a\nmax_age: -1\n", "max_age"},
	{"version: STSv1\nmode: enforce\nmx: a\nmax_age: 99999999999\n", "max_age"},
};

static const struct {
	const char *host;
	bool named;
} hosts[] = {
	{"mx.acme.test", true},
	{"MX.Acme.Test", true},
	{"mx2.acme.test", false},
	{"a.pool.acme.test", true},
	{"a.b.pool.acme.test", false},
	{"pool.acme.test", false},
	{".pool.acme.test", false},
	{"acme.test", false},
};

int main(void)
{
	static struct sts_policy policy;
	static char many[70000];
	struct failure why = {0};
	size_t used = 0;

	for (size_t i = 0; i < sizeof(policies) / sizeof(policies[0]); i++) {
		const char *text = policies[i].text;
		int result;

		why = (struct failure){0};
		result = sts_parse(text, strlen(text), &policy, &why);
		ok(policies[i].words == NULL
				? result == 0
				: result == -1 && strstr(why.text, policies[i].words) != NULL,
			"policy %zu: %s", i, why.text);
	}
	sts_parse(HEAD "mx: mx.acme.test\nmx: *.pool.acme.test\n",
		strlen(HEAD "mx: mx.acme.test\nmx: *.pool.acme.test\n"), &policy, &why);
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++)
		ok(sts_matches(&policy, hosts[i].host) == hosts[i].named, "%s", hosts[i].host);
	used += (size_t)snprintf(many, sizeof(many), HEAD);
	while (used < sizeof(many) - 16)
		used += (size_t)snprintf(many + used, sizeof(many) - used, "mx: a.test\n");
	ok(sts_parse(many, used, &policy, &why) == 0 && policy.pattern_count == STS_PATTERNS_MAX,
		"more patterns than there is room for");
	return done_testing();
}
