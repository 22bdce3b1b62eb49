/* What filters have written into a header: whose words count, and what they say. */
#include "verdicts.h"

#include "tap.h"

#define OURS "Authentication-Results: mx.acme.test; spf=pass smtp.mailfrom=x; dkim=pass header.d=x"

static const struct {
	const char *name;
	const char *id; /* the setting; NULL: none */
	const char *header;
	struct authentication want; /* authserv_id "": none is found */
} samples[] = {
	{"a receiver's own", NULL, OURS "; dmarc=pass\r\n\r\n",
		{"mx.acme.test", "pass", "pass", "pass"}},
	{"the domain's name", NULL, "Authentication-Results: acme.test 1; spf=Fail\r\n\r\n",
		{"acme.test", "fail", "", ""}},
	{"a name above the last server's", NULL,
		"Authentication-Results: hoster.test; spf=none\r\n\r\n", {"hoster.test", "none"}},
	{"the sender's", NULL, "Authentication-Results: smtp.elsewhere.test; spf=pass\r\n\r\n",
		{""}},
	{"a top-level domain", NULL, "Authentication-Results: test; spf=pass\r\n\r\n", {""}},
	{"a name that only ends alike", NULL,
		"Authentication-Results: notacme.test; spf=pass\r\n\r\n", {""}},
	{"the topmost counts", NULL,
		"Authentication-Results: acme.test; dmarc=fail\r\n" OURS "\r\n\r\n",
		{"acme.test", "", "", "fail"}},
	{"another's above it", NULL,
		"Authentication-Results: evil.example; spf=pass\r\n"
		"Authentication-Results: acme.test; spf=softfail\r\n\r\n",
		{"acme.test", "softfail"}},
	{"the one that is named", "mx.big.test",
		"Authentication-Results: acme.test; spf=fail\r\n"
		"Authentication-Results: mx.big.test; spf=pass\r\n\r\n",
		{"mx.big.test", "pass"}},
	{"comments and folds", NULL,
		"Authentication-Results: acme.test (a; b);\r\n\tspf=pass (x; dkim=fail) "
		"smtp.mailfrom=\"a;dmarc=fail\";\r\n dkim = fail (bad)\r\n\r\n",
		{"acme.test", "pass", "fail", ""}},
	{"of several signatures the best", NULL,
		"Authentication-Results: acme.test; dkim=fail; dkim=pass; dkim=neutral\r\n\r\n",
		{"acme.test", "", "pass", ""}},
	{"no check", NULL, "Authentication-Results: acme.test; none\r\n\r\n", {"acme.test"}},
	{"unknown words", NULL, "Authentication-Results: acme.test; spf=great; dkimx=pass\r\n\r\n",
		{"acme.test"}},
	{"in the body", NULL, "Subject: x\r\n\r\n" OURS "\r\n", {""}},
	{"a comment without an end", NULL, "Authentication-Results: acme.test (; spf=pass\r\n\r\n",
		{"acme.test"}},
};

static void test_authentication(void)
{
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		const struct authserv whose = {samples[i].id, "store1.hoster.test", "acme.test"};
		struct authentication got = {""};

		authentication_read(samples[i].header, strlen(samples[i].header), &whose, &got);
		is_string(got.authserv_id, samples[i].want.authserv_id, samples[i].name);
		is_string(got.spf, samples[i].want.spf, "  SPF");
		is_string(got.dkim, samples[i].want.dkim, "  DKIM");
		is_string(got.dmarc, samples[i].want.dmarc, "  DMARC");
	}
}

static const struct {
	const char *name, *header;
	int flag, level;     /* -9: none */
	double score, limit; /* score -99: none */
} spams[] = {
	{"SpamAssassin",
		"X-Spam-Flag: YES\r\nX-Spam-Status: Yes, score=7.1 required=5.0 tests=A,B\r\n\r\n",
		1, -9, 7.1, 5},
	{"an old one", "X-Spam-Status: No, hits=-1.5 required=6\r\n\r\n", 0, -9, -1.5, 6},
	{"Rspamd", "X-Spamd-Result: default: False [-0.10 / 15.00];\r\n\tA(0)[]\r\n\r\n", 0, -9,
		-0.1, 15},
	{"Rspamd's flag", "X-Spam: Yes\r\n\r\n", 1, -9, -99, 0},
	{"a score alone", "X-Spam-Score: 3.25\r\n\r\n", -9, -9, 3.25, 0},
	{"Exchange", "X-MS-Exchange-Organization-SCL: -1\r\n\r\n", -9, -1, -99, 0},
	{"Exchange Online", "X-Forefront-Antispam-Report: CIP:1.2.3.4;CTRY:;SCL:5;SRV:;\r\n\r\n",
		-9, 5, -99, 0},
	{"no numbers", "X-Spam-Score: nan\r\nX-MS-Exchange-Organization-SCL: 77\r\n\r\n", -9, -9,
		-99, 0},
	{"too large a number", "X-Spam-Score: 1e300\r\n\r\n", -9, -9, -99, 0},
	{"nothing", "Subject: x\r\n\r\n", -9, -9, -99, 0},
};

static void test_spam(void)
{
	for (size_t i = 0; i < sizeof(spams) / sizeof(spams[0]); i++) {
		struct spam_verdict got;

		spam_read(spams[i].header, strlen(spams[i].header), &got);
		is_integer(got.has_flag ? got.flag : -9, spams[i].flag, spams[i].name);
		is_integer(got.has_level ? got.level : -9, spams[i].level, "  level");
		is_near(got.has_score ? got.score : -99, spams[i].score, 1e-9, "  score");
		is_near(got.limit, spams[i].limit, 1e-9, "  limit");
	}
}

int main(void)
{
	test_authentication();
	test_spam();
	return done_testing();
}
