#include "reach.h"

#include <string.h>

#include "mx.h"
#include "pop3.h"
#include "smtp.h"
#include "submission.h"
#include "text.h"

#include "ban.h"

#define EXCHANGERS_MAX 8

static const char *const no_needs[] = {NULL};
static const char *const phases[] = {
	"resolve", "connect", "tls", "greeting", "ehlo", "starttls", "auth", NULL};

/* --- secret ---------------------------------------------------------------------------- */

/* It was read before the jail; had it not been usable, this would not be called. */
static int run_secret(struct probe *probe, struct failure *why)
{
	(void)why;
	probe_prove(probe, "the secret of account %s can be read, and by nobody else",
		probe->account->name);
	return 0;
}

/* --- submission ------------------------------------------------------------------------ */

static int run_submission(struct probe *probe, struct failure *why)
{
	const struct account *account = probe->account;
	struct stream *stream = probe_connect(probe, &account->submission, why);
	struct smtp *smtp = stream != NULL ? smtp_open(stream, why) : NULL;
	bool login = step_bool(probe->step, "login");
	struct peer_facts peer = {0};
	int result;

	if (smtp == NULL)
		return -1;
	result = submission_enter(probe, smtp, login, &peer, why);
	timings_pause(&probe->timings);
	if (result == 0)
		probe_prove(probe, "%s%s", login ? "takes the login of " : "greets; no login was tried",
			login ? account->username : "");
	smtp_quit(&smtp);
	return result;
}

/* --- POP3 ------------------------------------------------------------------------------ */

static int run_pop3(struct probe *probe, struct failure *why)
{
	struct stream *stream = probe_connect(probe, &probe->account->pop3, why);
	struct pop3 *pop3 = stream != NULL ? pop3_open(stream, why) : NULL;

	timings_pause(&probe->timings);
	if (pop3 == NULL)
		return -1;
	probe_prove(probe, "greets");
	pop3_close(&pop3);
	return 0;
}

/* --- TLS ------------------------------------------------------------------------------- */

static int run_connect(struct probe *probe, struct failure *why)
{
	const struct endpoint endpoint = {.host = step_string(probe->step, "host"),
		.port = (int)step_integer(probe->step, "port"),
		.implicit_tls = step_bool(probe->step, "tls")};
	struct stream *stream = probe_connect(probe, &endpoint, why);

	timings_pause(&probe->timings);
	if (stream == NULL)
		return -1;
	probe_prove(probe, "%s",
		endpoint.implicit_tls ? "answers, and its certificate is trusted" : "answers");
	stream_close(&stream);
	return 0;
}

/* --- exchangers ------------------------------------------------------------------------ */

/* The first address that may be tried: a name must not lead us into our own network. */
static int choose_address(struct probe *probe, const char *host, int port,
	struct address *address_r, struct failure *why)
{
	struct address addresses[8];
	size_t count = 0;

	if (dns_addresses(probe->dns, host, port, probe->account->ip, probe->deadline, addresses, 8,
		    &count, why) == -1)
		return -1;
	for (size_t i = 0; i < count; i++)
		if (probe->account->allow_private || !address_is_private(&addresses[i])) {
			*address_r = addresses[i];
			return 0;
		}
	return failure_set(why, ERROR_DNS_POLICY, "%s has private addresses only", host);
}

static int greet(struct probe *probe, const char *host, struct text *proof, struct failure *why)
{
	int port = (int)step_integer(probe->step, "port");
	const struct endpoint endpoint = {.host = host, .port = port};
	struct peer_facts peer = {0};
	struct address address;
	struct stream *stream;
	struct smtp *smtp;

	if (choose_address(probe, host, port, &address, why) == -1)
		return -1;
	stream = probe_connect_to(
		probe, &endpoint, &address, &probe->account->tls, &peer, why);
	smtp = stream != NULL ? smtp_open(stream, why) : NULL;
	timings_pause(&probe->timings);
	if (smtp == NULL)
		return -1;
	text_printf(proof, "%s%s:%d", proof->length > 0 ? ", " : "", host, port);
	smtp_quit(&smtp);
	return 0;
}

static int try_each(struct probe *probe, const struct exchanger *list, size_t count,
	struct text *proof, struct failure *why)
{
	size_t down = 0;

	for (size_t i = 0; i < count; i++) {
		struct failure one = {0};

		if (greet(probe, list[i].host, proof, &one) == 0)
			continue;
		down++;
		if (why->type == ERROR_NONE)
			*why = one;
	}
	if (down == 0 || down == count)
		return down == 0 ? 0 : -1;
	probe_warn(probe, why->type, "%zu of %zu exchangers do not answer: %s", down, count,
		why->text);
	return 0;
}

static int run_exchangers(struct probe *probe, struct failure *why)
{
	const char *domain = step_string(probe->step, "domain");
	struct exchanger list[EXCHANGERS_MAX];
	struct text proof;
	bool implicit = false;
	size_t count = 0;
	int result;

	timings_begin(&probe->timings, "resolve");
	if (mx_lookup(probe->dns, domain, probe->deadline, list, EXCHANGERS_MAX, &count, &implicit,
		    why) == -1)
		return -1;
	text_init(&proof, 400);
	result = try_each(probe, list, count, &proof, why);
	if (result == 0)
		probe_prove(probe, "the exchangers of %s greet: %s", domain, proof.bytes);
	text_free(&proof);
	return result;
}

/* --- the types ------------------------------------------------------------------------- */

#define REACH(its_name, its_summary)                                                               \
	.name = (its_name), .summary = (its_summary), .phases = phases, .account_needs = no_needs

const struct step_type reach_secret = {
	REACH("secret", "read an account's secret"),
	.run = run_secret,
};
const struct step_type reach_submission = {
	REACH("submission", "log into the submission server"),
	.run = run_submission,
};
const struct step_type reach_pop3 = {
	REACH("pop3", "reach the POP3 server"),
	.run = run_pop3,
};
const struct step_type reach_imap = {
	REACH("imap", "reach the IMAP server"),
	.run = run_connect,
};
const struct step_type reach_https = {
	REACH("https", "reach a web server"),
	.run = run_connect,
};
const struct step_type reach_exchangers = {
	REACH("exchangers", "reach the exchangers of a domain"),
	.run = run_exchangers,
};
