#include "imap_account.h"

#include "ban.h"

/* STARTTLS by the account's policy. An opportunistic one still never shows a password in plain
 * text: imap_login refuses that. */
static int secure(
	struct probe *probe, struct imap *imap, struct peer_facts *peer, struct failure *why)
{
	enum starttls_policy policy = probe->account->tls.starttls;

	if (probe->account->imap.implicit_tls || policy == STARTTLS_OFF)
		return 0;
	return imap_start_tls(imap, peer, why);
}

static int log_in(struct probe *probe, struct imap *imap, struct failure *why)
{
	const struct sasl_identity who = probe_identity(probe, &probe->account->imap);
	const char *mechanism = NULL;
	int result = imap_login(imap, &who, &mechanism, why);

	probe_auth_fact(probe, mechanism);
	return result;
}

struct imap *imap_account_open_at(struct probe *probe, const struct address *address,
	struct peer_facts *peer_r, struct failure *why)
{
	const struct account *account = probe->account;
	struct stream *stream = probe_connect_to(
		probe, &account->imap, address, &account->tls, peer_r, why);
	struct imap *imap = stream != NULL ? imap_open(stream, why) : NULL;

	if (imap != NULL &&
		(secure(probe, imap, peer_r, why) == -1 ||
			log_in(probe, imap, why) == -1)) {
		timings_pause(&probe->timings);
		imap_close(&imap);
	}
	return imap;
}

struct imap *imap_account_open(struct probe *probe, struct failure *why)
{
	struct peer_facts peer;
	struct imap *imap = imap_account_open_at(probe, NULL, &peer, why);

	probe_describe_peer(probe->facts, &peer);
	return imap;
}

int imap_account_leave(struct probe *probe, struct imap *imap, struct failure *why)
{
	probe_peer_facts(probe, imap_stream(imap));
	timings_begin(&probe->timings, "logout");
	return imap_logout(imap, why);
}

int imap_account_visit(struct probe *probe,
	int (*visit)(struct probe *probe, struct imap *imap, struct failure *why),
	struct failure *why)
{
	struct imap *imap = imap_account_open(probe, why);
	int result = imap != NULL ? visit(probe, imap, why) : -1;

	timings_pause(&probe->timings);
	imap_close(&imap);
	return result;
}
