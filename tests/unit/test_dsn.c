/* Bounces in the shapes of several mail servers; and what only looks like one. */
#include "dsn.h"
#include "tap.h"

#define TOKEN "v1.01a20abd-d735-76ef-8746-17f034944ad1.0123456789abcdef"
#define QUOTED "Subject: mailprobe\r\nMailprobe-Token: " TOKEN "\r\n\r\nbody\r\n"
#define REPORT(host, fields)                                                                       \
	"From: MAILER-DAEMON@mx.test\r\n"                                                          \
	"Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"          \
	"--b\r\n\r\nIt did not work.\r\n\r\n"                                                      \
	"--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; " host            \
	"\r\n\r\n" fields "\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n" QUOTED "--b--\r\n"

static const struct {
	const char *name, *text;
	enum dsn_kind kind;
	const char *status, *host, *said;
} shapes[] = {
	{"postfix", REPORT("mx.test", "Final-Recipient: rfc822; a@acme.test\r\nAction: failed\r\n"
				      "Status: 5.1.1\r\nRemote-MTA: dns; in.acme.test\r\n"
				      "Diagnostic-Code: smtp; 550 5.1.1 no such user\r\n"),
		DSN_FAILED, "5.1.1", "in.acme.test", "550 5.1.1 no such user"},
	{"exchange, folded", REPORT("ex.test", "Final-recipient: RFC822;a@acme.test\r\n"
					       "Action: failed\r\nStatus: 5.7.1\r\n"
					       "Diagnostic-code: smtp;550 5.7.1 not\r\n allowed\r\n"),
		DSN_FAILED, "5.7.1", "ex.test", "550 5.7.1 not allowed"},
	{"sendmail, delayed", REPORT("mx.test", "Action: delayed\r\nStatus: 4.4.1\r\n"),
		DSN_DELAYED, "4.4.1", "mx.test", ""},
	{"a receipt", REPORT("mx.test", "Action: delivered\r\nStatus: 2.0.0\r\n"), DSN_NONE,
		"2.0.0", "mx.test", ""},
	{"exim, plain",
		"From: Mail Delivery System <Mailer-Daemon@mx.test>\r\n"
		"X-Failed-Recipients: a@acme.test\r\nSubject: Mail delivery failed\r\n\r\n"
		"  a@acme.test\r\n    host in.acme.test: 550 5.1.1 unknown\r\n\r\n" QUOTED,
		DSN_FAILED, "5.1.1", "", "    host in.acme.test: 550 5.1.1 unknown"},
	{"exim, a warning",
		"From: Mailer-Daemon@mx.test\r\nSubject: Warning: message 1 delayed 24 hours\r\n\r\n"
		"No action is required.\r\n\r\n" QUOTED,
		DSN_DELAYED, "", "", ""},
	{"qmail",
		"From: MAILER-DAEMON@mx.test\nSubject: failure notice\n\n"
		"Hi. This is the qmail-send program.\n\n<a@acme.test>:\n"
		"Sorry, no mailbox here by that name. (#5.1.1)\n\n"
		"--- Below this line is a copy of the message.\n\n" QUOTED,
		DSN_FAILED, "5.1.1", "", "Sorry, no mailbox here by that name. (#5.1.1)"},
	{"a vacation reply",
		"From: probe@acme.test\r\nAuto-Submitted: auto-replied\r\n\r\nI am away.\r\n" QUOTED,
		DSN_NONE, "", "", ""},
	{"a bounce of another's mail",
		"From: MAILER-DAEMON@mx.test\r\n\r\nSubject: hello\r\n\r\n5.1.1\r\n", DSN_NONE, "", "",
		""},
	{"nothing", "", DSN_NONE, "", "", ""},
};

static void test_shape(size_t i)
{
	struct dsn dsn;

	dsn_read(shapes[i].text, strlen(shapes[i].text), &dsn);
	is_integer(dsn.kind, shapes[i].kind, shapes[i].name);
	is_string(dsn.status, shapes[i].status, "its status");
	is_string(dsn.host, shapes[i].host, "its host");
	is_string(dsn.text, shapes[i].said, "what was said");
	if (dsn.kind != DSN_NONE)
		is_string(dsn.token, TOKEN, "and the mail that it is about");
}

static void test_soft_break(void)
{
	static const char text[] = "From: MAILER-DAEMON@mx.test\r\n\r\nMailprobe-Token:\r\n v1.0=\r\n"
				   "1a2\r\n";
	struct dsn dsn;

	dsn_read(text, sizeof(text) - 1, &dsn);
	is_string(dsn.token, "v1.01a2", "a token that is folded and wrapped");
}

int main(void)
{
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
		test_shape(i);
	test_soft_break();
	return done_testing();
}
