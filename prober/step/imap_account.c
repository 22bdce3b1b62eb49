#include "imap_account.h"

#include "ban.h"

/* STARTTLS by the account's policy. An opportunistic one still never shows a password in plain
 * text: imap_login refuses that. */
static int secure(struct probe *probe, struct imap *imap, struct failure *why)
{
	enum starttls_policy policy = probe->account->tls.starttls;
	struct peer_facts peer = {0};
	int result;

	if (probe->account->imap.implicit_tls || policy == STARTTLS_OFF)
		return 0;
	result = imap_start_tls(imap, &peer, why);
	probe_tls_facts(probe, &peer);
	return result;
}

struct imap *imap_account_open(struct probe *probe, struct failure *why)
{
	struct stream *stream = probe_connect(probe, &probe->account->imap, why);
	struct imap *imap = stream != NULL ? imap_open(stream, why) : NULL;

	if (imap != NULL && (secure(probe, imap, why) == -1 ||
				    imap_login(imap, probe->account->username, probe->password,
					    why) == -1)) {
		timings_pause(&probe->timings);
		imap_close(&imap);
	}
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
