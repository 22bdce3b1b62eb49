/* grant - where OAuth 2.0 tokens are kept, and how an account comes to its first ones.
 *
 * The supervisor's side: it never parses a byte that came from a server.
 */
#ifndef MAILPROBE_GRANT_H
#define MAILPROBE_GRANT_H

#include <limits.h>

#include <jansson.h>

#include "failure.h"
#include "scenario.h"

/* <results>/<customer>/.tokens */
void grant_folder(const char *results_dir, const char *customer, char folder_r[static PATH_MAX]);

/* Writes a worker's token (a frame, checked) to its file there. Fails with local.storage. */
int grant_keep(const struct journey *journey, const char *folder, const json_t *token,
	struct failure *why);

/* Has a jailed worker ask for the account's tokens with the help of a person (RFC 8628), and keeps
 * them. `show` is called with a sentence that says where to go and what to enter. Takes half an
 * hour at most. -1 with why->text set: oauth.*, local.* and whatever may become of a worker. */
int grant_begin(const struct scenario *scenario, const struct account *account,
	const char *results_dir, void (*show)(const char *sentence), struct failure *why);

#endif
