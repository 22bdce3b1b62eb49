/* TXT records about mail: what is none, what is right, and what is wrong with the rest. */
#include "policy.h"

#include <string.h>

#include "tap.h"

static const struct {
	enum policy_kind kind;
	const char *texts[3];
	enum policy_verdict verdict;
	const char *words;
} cases[] = {
	{POLICY_SPF, {NULL}, POLICY_ABSENT, ""},
	{POLICY_SPF, {"google-site-verification=x", "v=spf10 -all"}, POLICY_ABSENT, ""},
	{POLICY_SPF, {"other", "v=spf1 mx -all"}, POLICY_GOOD, "v=spf1 mx -all"},
	{POLICY_SPF, {"v=spf1 include:all.test ~all"}, POLICY_GOOD, "~all"},
	{POLICY_SPF, {"v=spf1 +all"}, POLICY_BROKEN, "anybody"},
	{POLICY_SPF, {"v=spf1 mx all"}, POLICY_BROKEN, "anybody"},
	{POLICY_SPF, {"v=spf1 mx -all", "v=spf1 a -all"}, POLICY_BROKEN, "2 records"},
	{POLICY_DMARC, {"v=DMARC1; p=reject"}, POLICY_GOOD, "p=reject"},
	{POLICY_DMARC, {"v=DMARC1 ; sp=none; p = none"}, POLICY_GOOD, ""},
	{POLICY_DMARC, {"v=DMARC1; rua=mailto:a@acme.test"}, POLICY_BROKEN, "no policy"},
	{POLICY_DMARC, {"v=DMARC1; p=maybe"}, POLICY_BROKEN, "unknown policy"},
	{POLICY_DKIM, {"v=DKIM1; p="}, POLICY_BROKEN, "revoked"},
	{POLICY_DKIM, {"v=DKIM2; p=AAAA"}, POLICY_BROKEN, "version"},
	{POLICY_DKIM, {"v=DKIM1; k=rsa"}, POLICY_BROKEN, "no key"},
	{POLICY_DKIM, {"v=DKIM1; p=not base64"}, POLICY_BROKEN, "cannot be read"},
	{POLICY_DKIM, {"p=="}, POLICY_BROKEN, "cannot be read"},
	{POLICY_DKIM, {"v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="},
		POLICY_GOOD, "ed25519"},
	{POLICY_DKIM, {"k=ed25519; p=AAAA"}, POLICY_BROKEN, "cannot be read"},
	{POLICY_MTA_STS, {"v=STSv1; id=20240101T000000"}, POLICY_GOOD, "id="},
	{POLICY_MTA_STS, {"v=STSv1;"}, POLICY_BROKEN, "no id"},
	{POLICY_MTA_STS, {"v=STSv1; id=\x1b[31m"}, POLICY_BROKEN, "no id"},
	{POLICY_TLSRPT, {"v=TLSRPTv1; rua=mailto:tls@acme.test"}, POLICY_GOOD, "rua="},
	{POLICY_TLSRPT, {"v=TLSRPTv1; rua=ftp://acme.test"}, POLICY_BROKEN, "nowhere"},
};

int main(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct policy policy;
		size_t count = 0;

		while (count < 3 && cases[i].texts[count] != NULL)
			count++;
		policy_judge(cases[i].kind, cases[i].texts, count, &policy);
		ok(policy.verdict == cases[i].verdict &&
				strstr(policy.detail, cases[i].words) != NULL,
			"%s: %s", count > 0 ? cases[i].texts[0] : "nothing", policy.detail);
	}
	return done_testing();
}
