/* access_token - what an account with oauth2 logs in with: kept between runs, got when it is due.
 *
 * One for an account, used by all its steps, in any thread. Getting a token lies in no phase: a
 * mail program does it once an hour, and not at each login. One try in a run: what the
 * authorization server has refused once it is not asked for again by the next step.
 */
#ifndef MAILPROBE_ACCESS_TOKEN_H
#define MAILPROBE_ACCESS_TOKEN_H

#include "probe.h"

struct access_token;

/* Reads the account's secrets and what earlier runs have kept; if that will not do, locks the
 * grant against other runs, until a new token is kept or the process ends. Before the process is
 * confined. With `anew` the grant is locked in any case, for access_token_begin. NULL with
 * config.secret or local.storage. */
struct access_token *access_token_prepare(const struct probe_run *run,
	const struct account *account, bool anew, struct failure *why);
void access_token_free(struct access_token **token);

/* Whether a step of this kind can use a token in place of a password. */
bool access_token_serves(const struct step *step);

/* Sets probe->token, if the probe has a source for one. Fails with oauth.* or local.storage. */
int access_token_get(struct probe *probe, struct failure *why);

/* For sasl_identity: `context` is the probe. */
int access_token_renew(void *context, const char **secret_r, struct failure *why);

/* Gets the account's first tokens with the help of a person (RFC 8628), who is shown where to go
 * and what to enter, and keeps them. Takes as long as the person, but not longer than the probe's
 * deadline. Fails with oauth.* or local.storage. */
typedef void access_token_show(
	struct probe *probe, const char *verification_uri, const char *user_code);
int access_token_begin(struct probe *probe, access_token_show *show, struct failure *why);

#endif
