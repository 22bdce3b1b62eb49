#include "submission.h"

#include "ban.h"

static int secure(
	struct probe *probe, struct smtp *smtp, struct peer_facts *peer, struct failure *why)
{
	enum starttls_policy policy = probe->account->tls.starttls;

	if (probe->account->submission.implicit_tls || policy == STARTTLS_OFF)
		return 0;
	if (policy == STARTTLS_OPPORTUNISTIC && !smtp_offers(smtp, "STARTTLS", NULL))
		return 0;
	return smtp_start_tls(smtp, peer, why);
}

static int log_in(struct probe *probe, struct smtp *smtp, struct failure *why)
{
	const struct sasl_identity who = probe_identity(probe, &probe->account->submission);
	const char *mechanism = NULL;
	int result = smtp_auth(smtp, &who, &mechanism, why);

	probe_auth_fact(probe, mechanism);
	return result;
}

int submission_enter(struct probe *probe, struct smtp *smtp, bool login, struct peer_facts *peer,
	struct failure *why)
{
	if (smtp_ehlo(smtp, NULL, why) == -1 || secure(probe, smtp, peer, why) == -1)
		return -1;
	return login ? log_in(probe, smtp, why) : 0;
}
