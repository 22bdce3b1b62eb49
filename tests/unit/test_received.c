/* The trace of servers as they write it, each in its own way. */
#include "received.h"

#include "clock.h"
#include "tap.h"

static const struct {
	const char *server;
	const char *value;
	struct received want; /* at_ns and resolution_ns are in whole seconds here */
} samples[] = {
	{"Postfix, submission",
		"from [192.0.2.7] (client.elsewhere.test [198.51.100.7]) (using TLSv1.3 with "
		"cipher "
		"TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519) (Client did not "
		"present a "
		"certificate) (Authenticated sender: probe@acme.test) by smtp.acme.test (Postfix) "
		"with "
		"ESMTPSA id 51BF7570014 for <probe@acme.test>; Mon, 23 Nov 2026 20:31:53 +0000 "
		"(UTC)",
		{"[192.0.2.7]", "client.elsewhere.test", "198.51.100.7", "smtp.acme.test",
			"ESMTPSA", "51BF7570014", "probe@acme.test", true, 1795465913, 1}},
	{"Postfix, an address without a name",
		"from vantage.test (unknown [IPv6:2001:db8::7]) by mx.acme.test (Postfix) with "
		"ESMTP "
		"id 4Xyz for <probe@acme.test>; Mon, 23 Nov 2026 21:31:53 +0100 (CET)",
		{"vantage.test", "", "2001:db8::7", "mx.acme.test", "ESMTP", "4Xyz",
			"probe@acme.test", true, 1795465913, 1}},
	{"Postfix, from its own machine",
		"by smtp.acme.test (Postfix, from userid 0) id 0A1B2C; Mon, 23 Nov 2026 20:31:53 "
		"+0000 "
		"(UTC)",
		{"", "", "", "smtp.acme.test", "", "0A1B2C", "", true, 1795465913, 1}},
	{"Exim, the name by DNS first",
		"from client.elsewhere.test ([198.51.100.7] helo=vantage.test) by mx.acme.test "
		"with "
		"esmtps (TLS1.3) tls TLS_AES_256_GCM_SHA384 (Exim 4.96) (envelope-from "
		"<probe@elsewhere.test>) id 1uX2yZ-0000Ab-1c for probe@acme.test; Mon, 23 Nov 2026 "
		"20:31:53 +0000",
		{"vantage.test", "client.elsewhere.test", "198.51.100.7", "mx.acme.test", "esmtps",
			"1uX2yZ-0000Ab-1c", "probe@acme.test", true, 1795465913, 1}},
	{"Exim, no name by DNS",
		"from [198.51.100.7] (port=40112 helo=[192.0.2.7]) by mx.acme.test with esmtpsa "
		"(TLS1.2:ECDHE:256) (Exim 4.94.2) id 1abc; Mon, 23 Nov 2026 20:31:53 +0000",
		{"[192.0.2.7]", "", "198.51.100.7", "mx.acme.test", "esmtpsa", "1abc", "", true,
			1795465913, 1}},
	{"Sendmail",
		"from vantage.test (IDENT:someone@client.elsewhere.test [198.51.100.7] (may be "
		"forged)) by mx.acme.test (8.17.1/8.17.1) with ESMTPS id 5ANKVrQ8012345 "
		"(version=TLSv1.3 cipher=TLS_AES_256_GCM_SHA384 bits=256 verify=NOT) for "
		"<probe@acme.test>; Mon, 23 Nov 2026 15:31:53 -0500",
		{"vantage.test", "client.elsewhere.test", "198.51.100.7", "mx.acme.test", "ESMTPS",
			"5ANKVrQ8012345", "probe@acme.test", true, 1795465913, 1}},
	{"OpenSMTPD",
		"from vantage.test (client.elsewhere.test [198.51.100.7]) by mx.acme.test "
		"(OpenSMTPD) "
		"with ESMTPS id 1a2b3c4d (TLSv1.3:TLS_AES_256_GCM_SHA384:256:NO) for "
		"<probe@acme.test>; Mon, 23 Nov 2026 20:31:53 +0000 (UTC)",
		{"vantage.test", "client.elsewhere.test", "198.51.100.7", "mx.acme.test", "ESMTPS",
			"1a2b3c4d", "probe@acme.test", true, 1795465913, 1}},
	{"Exchange",
		"from EX1.acme.test (2001:db8:10a6::15) by EX2.acme.test (2001:db8:10a6::16) with "
		"Microsoft SMTP Server (version=TLS1_2, "
		"cipher=TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384) "
		"id 15.20.9000.12 via Frontend Transport; Mon, 23 Nov 2026 20:31:53 +0000",
		{"EX1.acme.test", "", "2001:db8:10a6::15", "EX2.acme.test", "SMTP", "15.20.9000.12",
			"", true, 1795465913, 1}},
	{"Gmail, inside",
		"by 2002:a05:6000:1a8b:0:0:0:0 with SMTP id b11csp1234wrb; Mon, 23 Nov 2026 "
		"12:31:53 "
		"-0800 (PST)",
		{"", "", "", "2002:a05:6000:1a8b:0:0:0:0", "SMTP", "b11csp1234wrb", "", true,
			1795465913, 1}},
	{"Gmail, at the border",
		"from vantage.test (client.elsewhere.test. [198.51.100.7]) by mx.big.test with "
		"ESMTPS "
		"id ffacd0b85-20a sor1 for <probe@big.test> (Google Transport Security); Mon, 23 "
		"Nov "
		"2026 12:31:53 -0800 (PST)",
		{"vantage.test", "client.elsewhere.test", "198.51.100.7", "mx.big.test", "ESMTPS",
			"ffacd0b85-20a", "probe@big.test", true, 1795465913, 1}},
	{"Dovecot LMTP",
		"from smtp.acme.test by imap.acme.test with LMTP id KPQ3MZ1lBGfXAQAAsZ+Yvw "
		"(envelope-"
		"from <probe@acme.test>) for <probe@acme.test>; Mon, 23 Nov 2026 20:31:53 +0000",
		{"smtp.acme.test", "", "", "imap.acme.test", "LMTP", "KPQ3MZ1lBGfXAQAAsZ+Yvw",
			"probe@acme.test", true, 1795465913, 1}},
	{"Cyrus LMTP",
		"from mx.acme.test ([unix socket]) by store1 (Cyrus 3.6.1-Debian-3.6.1-4) with "
		"LMTPA; "
		"Mon, 23 Nov 2026 20:31:53 +0000",
		{"mx.acme.test", "", "", "store1", "LMTPA", "", "", true, 1795465913, 1}},
	{"qmail, the network",
		"from client.elsewhere.test (HELO vantage.test) (someone@198.51.100.7) by "
		"mx.acme.test "
		"with ESMTPS (ECDHE-RSA-AES256-GCM-SHA384 encrypted); 23 Nov 2026 20:31:53 -0000",
		{"vantage.test", "client.elsewhere.test", "198.51.100.7", "mx.acme.test", "ESMTPS",
			"", "", true, 1795465913, 1}},
	{"qmail, a client without a name",
		"from unknown (HELO ?192.0.2.7?) (198.51.100.7) by 0 with SMTP; 23 Nov 2026 "
		"20:31:53 "
		"-0000",
		{"?192.0.2.7?", "", "198.51.100.7", "0", "SMTP", "", "", true, 1795465913, 1}},
	{"qmail, itself", "(qmail 12345 invoked by uid 89); 23 Nov 2026 20:31:53 -0000",
		{"", "", "", "", "", "", "", true, 1795465913, 1}},
	{"a semicolon in a comment", "from a (b; c) by d; Mon, 23 Nov 2026 20:31:53 +0000",
		{"a", "", "", "d", "", "", "", true, 1795465913, 1}},
	{"a host named like a key word", "from by by with with id; 23 Nov 2026 20:31:53 +0000",
		{"by", "", "", "with", "id", "", "", true, 1795465913, 1}},
	{"no date", "from a.test by b.test with SMTP id 1",
		{"a.test", "", "", "b.test", "SMTP", "1", "", false, 0, 0}},
	{"no zone", "from a.test by b.test; Mon, 23 Nov 2026 20:31:53",
		{"a.test", "", "", "b.test", "", "", "", false, 0, 0}},
	{"a comment without an end", "from a.test (b.test [192.0.2.1", {"a.test", "b.test"}},
	{"control characters", "from a\x1b[31m by \xff\xfe.test",
		{"a\\x1b[31m", "", "", "\\xff\\xfe.test"}},
	{"nothing", "", {""}},
};

static void test_samples(void)
{
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		const struct received *want = &samples[i].want;
		char name[160];
		struct received got;

		received_parse(samples[i].value, &got);
#define is_text(field)                                                                             \
	snprintf(name, sizeof(name), "%s: " #field, samples[i].server);                            \
	is_string(got.field, want->field, name)
		is_text(helo);
		is_text(name);
		is_text(address);
		is_text(by);
		is_text(with);
		is_text(id);
		is_text(recipient);
		snprintf(name, sizeof(name), "%s: date", samples[i].server);
		if (is_integer(got.dated, want->dated, name) && got.dated)
			ok(got.at_ns == want->at_ns * NS_PER_SECOND &&
					got.resolution_ns == want->resolution_ns * NS_PER_SECOND,
				"%s: instant", samples[i].server);
	}
}

static const struct {
	const char *text;
	int64_t at_ms; /* -1: none */
	int64_t resolution_ms;
} dates[] = {
	{"Mon, 23 Nov 2026 20:31:53 +0000", 1795465913000, 1000},
	{"23 Nov 2026 20:31:53 GMT", 1795465913000, 1000},
	{" Mon , 23 (day) nov 2026 20:31:53 EST (Eastern)", 1795465913000 + 5 * 3600000, 1000},
	{"Mon, 23 Nov 2026 20:31 +0000", 1795465860000, 60000},
	{"Mon, 23 Nov 2026 20:31:53.250 +0000", 1795465913250, 1},
	{"Mon, 23 Nov 2026 20:31:53.5 +0000", 1795465913500, 100},
	{"23-Nov-2026 20:31:53 +0000", 1795465913000, 1000},
	{"Thu, 1 Jan 70 00:00:00 +0000", 0, 1000},
	{"Sat, 1 Jan 00 00:00:00 +0000", 946684800000, 1000},
	{"Wed, 31 Dec 2026 23:59:60 +0000", 1798761600000, 1000},
	{"Mon, 23 Nov 2026 20:31:53 +0530 (IST)", 1795446113000, 1000},
	{"Mon, 23 Nov 2026 20:31:53 -0000", 1795465913000, 1000},
	{"Mon, 23 Nov 2026 25:31:53 +0000", -1, 0},
	{"Mon, 23 Nov 2026 20:61:53 +0000", -1, 0},
	{"Mon, 32 Nov 2026 20:31:53 +0000", -1, 0},
	{"Mon, 23 Foo 2026 20:31:53 +0000", -1, 0},
	{"Mon, 23 Nov 20260 20:31:53 +0000", -1, 0},
	{"Mon, 23 Nov 9999 20:31:53 +0000", -1, 0},
	{"Mon, 23 Nov 2026 20:31:53 +9960", -1, 0},
	{"Mon, 23 Nov 2026 20:31:53 XYZ", -1, 0},
	{"Mon Nov 23 20:31:53 2026", -1, 0},
	{"Mon, 23 Nov 1926 20:31:53 +0000", -1, 0},
	{"Mon, 23 Nov 69 20:31:53 +0000", -1, 0},
	{"Mon, 23 Nov 2026", -1, 0},
	{"(((((", -1, 0},
	{"", -1, 0},
};

static void test_dates(void)
{
	for (size_t i = 0; i < sizeof(dates) / sizeof(dates[0]); i++) {
		int64_t at = -NS_PER_MS, resolution = 0;

		received_date(dates[i].text, &at, &resolution);
		ok(at == dates[i].at_ms * NS_PER_MS &&
				resolution == dates[i].resolution_ms * NS_PER_MS,
			"\"%s\" is %lld, to %lld ms", dates[i].text, (long long)dates[i].at_ms,
			(long long)dates[i].resolution_ms);
	}
}

static void test_order(void)
{
	static const char mail[] =
		"Delivered-To: x\r\nReceived: from b.test\r\n\tby c.test; Mon, 23 Nov 2026 "
		"20:31:55 "
		"+0000\r\nreceived: from a.test by b.test; Mon, 23 Nov 2026 20:31:53 +0000\r\n"
		"Subject: x\r\n\r\nReceived: by body.test\r\n";
	struct received hops[RECEIVED_MAX];
	size_t omitted;

	is_integer((long long)received_read(mail, strlen(mail), hops, &omitted), 2,
		"fields of the header alone are read");
	is_string(hops[0].by, "b.test", "the lowest field is the first server");
	is_string(hops[1].by, "c.test", "the topmost is the last one");
	is_integer((long long)omitted, 0, "none is left out");
}

static void test_too_many(void)
{
	struct received hops[RECEIVED_MAX];
	char mail[8192];
	size_t used = 0, omitted, count;

	for (int i = 40; i > 0; i--)
		used += (size_t)snprintf(mail + used, sizeof(mail) - used,
			"Received: by h%d.test; Mon, 23 Nov 2026 20:31:53 +0000\r\n", i);
	count = received_read(mail, used, hops, &omitted);
	is_integer((long long)count, RECEIVED_MAX,
		"a mail in a loop has no more hops than there is room for");
	is_integer((long long)omitted, 40 - RECEIVED_MAX, "it is said how many are left out");
	is_string(hops[RECEIVED_MAX - 1].by, "h40.test", "those nearest to the mailbox stay");
}

static void test_too_long(void)
{
	struct received hops[RECEIVED_MAX];
	static char mail[20000];
	size_t omitted, used;

	used = (size_t)snprintf(mail, sizeof(mail), "Received: by ");
	memset(mail + used, 'x', 10000);
	snprintf(mail + used + 10000, 100, "; Mon, 23 Nov 2026 20:31:53 +0000\r\n\r\n");
	is_integer((long long)received_read(mail, strlen(mail), hops, &omitted), 1,
		"a field that is too long is a hop");
	ok(!hops[0].dated && hops[0].by[0] == '\0', "of which nothing is known");
}

int main(void)
{
	test_samples();
	test_dates();
	test_order();
	test_too_many();
	test_too_long();
	return done_testing();
}
