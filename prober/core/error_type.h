/* error_type - the closed list of what can go wrong, and whom each is blamed on.
 *
 * The dotted names are part of the record's format: one is added, never renamed. A blame of
 * target or network makes an outcome of `fail` (the platform failed the user); any other makes
 * `error` (we could not judge).
 */
#ifndef MAILPROBE_ERROR_TYPE_H
#define MAILPROBE_ERROR_TYPE_H

enum blame {
	BLAME_NONE,
	BLAME_TARGET,
	BLAME_NETWORK,
	BLAME_VANTAGE,
	BLAME_CONFIG,
	BLAME_PROBER,
};

enum outcome {
	OUTCOME_PASS,
	OUTCOME_WARN,
	OUTCOME_FAIL,
	OUTCOME_ERROR,
	OUTCOME_SKIPPED,
};

#define ERROR_TYPES(X)                                                                         \
	X(DNS_NXDOMAIN, "dns.nxdomain", TARGET, "the name does not exist")                     \
	X(DNS_NODATA, "dns.nodata", TARGET, "the name exists but has no record of that type")  \
	X(DNS_SERVFAIL, "dns.servfail", TARGET, "the resolver could not get an answer")        \
	X(DNS_REFUSED, "dns.refused", TARGET, "the name server refused the question")          \
	X(DNS_TIMEOUT, "dns.timeout", NETWORK, "no answer from DNS in time")                   \
	X(DNS_MALFORMED, "dns.malformed", TARGET, "the DNS answer could not be read")          \
	X(DNS_NULLMX, "dns.nullmx", TARGET, "the domain says that it takes no mail (RFC 7505)") \
	X(DNS_POLICY, "dns.policy", TARGET, "the DNS names a host that mail may not go to")    \
	X(DNS_RECORD, "dns.record", TARGET, "a record that was expected is missing or wrong")  \
	X(DNS_LISTED, "dns.listed", TARGET, "an address of the platform is on a block list")   \
	X(DNS_UNREACHABLE, "dns.unreachable", VANTAGE, "no resolver could be reached")         \
	X(TCP_REFUSED, "tcp.refused", TARGET, "nothing listens at that port")                  \
	X(TCP_TIMEOUT, "tcp.timeout", NETWORK, "the connection was not answered in time")      \
	X(TCP_UNREACHABLE, "tcp.unreachable", NETWORK, "no route to the host")                 \
	X(TCP_RESET, "tcp.reset", TARGET, "the connection was reset")                          \
	X(TCP_EOF, "tcp.eof", TARGET, "the server closed the connection too early")            \
	X(TLS_CERT_EXPIRED, "tls.cert.expired", TARGET, "the certificate has expired")         \
	X(TLS_CERT_NOT_YET_VALID, "tls.cert.not_yet_valid", TARGET,                            \
		"the certificate is not valid yet")                                            \
	X(TLS_CERT_WRONG_HOST, "tls.cert.wrong_host", TARGET,                                  \
		"the certificate is for another host")                                         \
	X(TLS_CERT_SELF_SIGNED, "tls.cert.self_signed", TARGET,                                \
		"the certificate is signed by itself")                                         \
	X(TLS_CERT_UNKNOWN_CA, "tls.cert.unknown_ca", TARGET,                                  \
		"the certificate's issuer is not trusted here")                                \
	X(TLS_CERT_INVALID, "tls.cert.invalid", TARGET, "the certificate failed verification") \
	X(TLS_WEAK, "tls.weak", TARGET, "only weak or outdated TLS was offered")               \
	X(TLS_HANDSHAKE, "tls.handshake", TARGET, "the TLS handshake failed")                  \
	X(TLS_TRUNCATED, "tls.truncated", TARGET, "TLS ended without close_notify")            \
	X(TLS_STARTTLS_STRIPPED, "tls.starttls_stripped", TARGET,                              \
		"STARTTLS was required and not offered or refused")                            \
	X(TLS_INJECTED, "tls.injected", TARGET,                                                \
		"plaintext was slipped in around STARTTLS (CVE-2011-0411)")                    \
	X(SMTP_REJECT, "smtp.reject", TARGET, "the server refused for good (5yz)")             \
	X(SMTP_TEMPFAIL, "smtp.tempfail", TARGET, "the server refused for now (4yz)")          \
	X(SMTP_DEFERRED, "smtp.deferred", TARGET,                                              \
		"the exchanger asked to try again later, as greylisting does")                 \
	X(SMTP_EXCHANGER, "smtp.exchanger", TARGET, "an exchanger of the domain takes no mail")   \
	X(SMTP_POLICY, "smtp.policy", TARGET,                                                  \
		"the domain's MTA-STS or DANE policy is broken, or not kept")                  \
	X(SMTP_MALFORMED, "smtp.malformed", TARGET, "the reply breaks RFC 5321")               \
	X(SMTP_UNKNOWN, "smtp.unknown", TARGET,                                                \
		"no reply to the final dot: the mail may or may not have been accepted")       \
	X(AUTH_REJECTED, "auth.rejected", TARGET, "the credentials were refused")              \
	X(AUTH_TEMP, "auth.temp", TARGET, "authentication is out of order for now")            \
	X(AUTH_UNAVAILABLE, "auth.unavailable", TARGET,                                        \
		"no authentication mechanism that we may use was offered")                     \
	X(AUTH_MALFORMED, "auth.malformed", TARGET,                                            \
		"the server's part of the authentication makes no sense")                      \
	X(AUTH_SERVER_UNPROVEN, "auth.server_unproven", TARGET,                                \
		"the server did not prove that it knows the password")                         \
	X(OAUTH_REFUSED, "oauth.refused", CONFIG,                                              \
		"the authorization server refuses us an access token")                         \
	X(OAUTH_UNAVAILABLE, "oauth.unavailable", PROBER,                                      \
		"the authorization server could not be asked for an access token")             \
	X(OAUTH_MALFORMED, "oauth.malformed", PROBER,                                          \
		"the authorization server's answer makes no sense")                            \
	X(SECURITY_ACCEPTED, "security.accepted", TARGET,                                      \
		"the server accepted what it must refuse")                                     \
	X(NODE_DOWN, "node.down", TARGET, "an address behind the server's name does not work") \
	X(IMAP_BYE, "imap.bye", TARGET, "the server said BYE")                                 \
	X(IMAP_NO, "imap.no", TARGET, "the command was answered NO")                           \
	X(IMAP_MALFORMED, "imap.malformed", TARGET, "the response breaks RFC 3501")            \
	X(IMAP_STATE, "imap.state", TARGET, "the mailbox changed under us (UIDVALIDITY)")      \
	X(IMAP_PUSH, "imap.push", TARGET,                                                      \
		"new mail is not announced to a client that idles (RFC 2177)")                 \
	X(POP3_ERR, "pop3.err", TARGET, "the command was answered -ERR")                       \
	X(POP3_MALFORMED, "pop3.malformed", TARGET, "the answer breaks RFC 1939")              \
	X(DAV_MALFORMED, "dav.malformed", TARGET, "the DAV answer, or an object in it, is broken")  \
	X(DAV_XML_POLICY, "dav.xml_policy", TARGET, "the XML holds what no honest answer needs")   \
	X(DAV_MISSING, "dav.missing", TARGET, "principal, home or collections are not to be found") \
	X(DAV_LOST, "dav.lost", TARGET, "what was written is not there afterwards")                \
	X(MAIL_LATE, "mail.late", TARGET, "the mail did not arrive within the time allowed")   \
	X(MAIL_BOUNCED, "mail.bounced", TARGET, "the mail came back to its sender")            \
	X(MAIL_SPAM, "mail.spam", TARGET, "the mail was put in the junk folder")               \
	X(MAIL_DUPLICATE, "mail.duplicate", TARGET, "the mail arrived more than once")         \
	X(MAIL_ALTERED, "mail.altered", TARGET, "the mail's content was changed on its way")   \
	X(HTTP_STATUS, "http.status", TARGET, "the web server answered with an error")         \
	X(HTTP_BUSY, "http.busy", TARGET, "the web server asks to come back later (429, 503)") \
	X(HTTP_REDIRECT, "http.redirect", TARGET, "the redirects lead nowhere")                \
	X(HTTP_POLICY, "http.policy", TARGET,                                                  \
		"the web server leads where a browser would be unsafe")                        \
	X(HTTP_MALFORMED, "http.malformed", TARGET, "the answer breaks RFC 9112")              \
	X(HTTP_EXPECT, "http.expect", TARGET, "the answer is not what the scenario expects")   \
	X(WEB_FORM, "web.form", TARGET, "there is no form to log in with")                     \
	X(WEB_CHALLENGE, "web.challenge", TARGET,                                              \
		"a second factor or a captcha stands before the mailbox")                      \
	X(WEB_CONTENT, "web.content", TARGET, "the page shown is not the user's mailbox")      \
	X(LIMIT_TIME, "limit.time", TARGET, "the server took longer than the step may take")   \
	X(LIMIT_SIZE, "limit.size", TARGET, "the server sent more than any honest one would")  \
	X(LIMIT_DEPTH, "limit.depth", TARGET, "the response is nested too deeply")             \
	X(CONFIG_SECRET, "config.secret", CONFIG, "a secret cannot be used as it is stored")   \
	X(CONFIG_FILE, "config.file", CONFIG, "a file the scenario names cannot be used")      \
	X(LOCAL_RESOURCE, "local.resource", VANTAGE, "this machine ran out of something")      \
	X(LOCAL_STORAGE, "local.storage", VANTAGE, "the results cannot be written")            \
	X(LOCAL_OFFLINE, "local.offline", VANTAGE,                                             \
		"this machine has no network or no DNS: its control fails, too")               \
	X(LOCAL_CLOCK, "local.clock", VANTAGE,                                                 \
		"this machine's clock is wrong, or nothing vouches for it")                    \
	X(LOCAL_SUSPENDED, "local.suspended", VANTAGE, "this machine was suspended meanwhile") \
	X(LOCAL_STARVED, "local.starved", VANTAGE, "the prober did not get the processor in time") \
	X(LOCAL_OVERLAP, "local.overlap", VANTAGE, "an earlier run is still going on")         \
	X(LOCAL_INTERRUPTED, "local.interrupted", PROBER, "the run was interrupted")           \
	X(WORKER_CRASH, "worker.crash", PROBER, "the worker process died")                     \
	X(WORKER_STUCK, "worker.stuck", PROBER, "the worker overran the run's deadline")       \
	X(WORKER_PROTOCOL, "worker.protocol", PROBER, "the worker broke the framed protocol")  \
	X(SANDBOX_REQUIRED, "sandbox.required", VANTAGE,                                       \
		"a full sandbox was asked for and this kernel has none")

enum error_type {
	ERROR_NONE,
#define X(id, name, blame, help) ERROR_##id,
	ERROR_TYPES(X)
#undef X
	ERROR_COUNT
};

struct error_info {
	const char *name;
	enum blame blame;
	const char *help;
};

/* The row of a type; of ERROR_NONE the name is "". Never NULL. */
const struct error_info *error_info(enum error_type type);

/* "target", ...; "" for BLAME_NONE. */
const char *blame_name(enum blame blame);
const char *outcome_name(enum outcome outcome);
/* The choices of a field table, NULL at the end. */
extern const char *const blame_names[];
extern const char *const outcome_names[];
extern const char *const error_names[];

/* `fail` if the blame is the platform's or the network's, otherwise `error`. */
enum outcome outcome_of_blame(enum blame blame);

/* Index in names, or -1. */
int name_index(const char *const names[], const char *name);

#endif
