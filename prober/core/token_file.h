/* token_file - OAuth 2.0 tokens between runs: one file for each grant, mode 0600.
 *
 *   <results>/<customer>/.tokens/NAME.json    NAME.lock
 *
 * Read by the worker before it is confined; written by the supervisor alone. A file is replaced in
 * one step and synced before the call returns: what is in it survives a power cut.
 */
#ifndef MAILPROBE_TOKEN_FILE_H
#define MAILPROBE_TOKEN_FILE_H

#include <stdint.h>

#include "clock.h"
#include "failure.h"

/* SHA-256 in hexadecimal digits. */
#define TOKEN_DIGEST_SIZE 65

/* All strings are owned (secret.h); NULL or "": there is none. */
struct token_state {
	char *access_token;
	int64_t expires_wall_ns;
	char *refresh_token;
	char seed[TOKEN_DIGEST_SIZE]; /* digest of the scenario's refresh token that it began with */
};

void token_digest(const char *text, char digest[static TOKEN_DIGEST_SIZE]);

/* The name of a grant: the same for all scenarios of a customer that use it. */
void token_file_name(const char *token_url, const char *client_id, const char *username,
	char name[static TOKEN_DIGEST_SIZE]);

/* Makes the folder if it is missing and locks the grant against other processes, waiting until
 * the deadline. A descriptor that holds the lock until it is closed, or -1 with local.storage. */
int token_file_lock(
	const char *folder, const char *name, struct deadline deadline, struct failure *why);

/* Reads what is there; an empty state if there is none. Fails with config.secret if others may
 * read or have written it, or if it makes no sense. */
int token_file_load(
	const char *folder, const char *name, struct token_state *state_r, struct failure *why);

/* Replaces what is there. Fails with local.storage: then the old one is still there. */
int token_file_save(const char *folder, const char *name, const struct token_state *state,
	struct failure *why);

/* Wipes, frees and empties. */
void token_state_free(struct token_state *state);

#endif
