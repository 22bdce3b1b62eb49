#include "access_token.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "oauth_device.h"
#include "secret.h"
#include "stage_private.h"
#include "step.h"
#include "token_file.h"
#include "url.h"

#include "ban.h"

/* A token that ends sooner is not begun with: it must outlive the login. */
#define MARGIN (60 * NS_PER_SECOND)
/* For another run that is getting one right now. */
#define LOCK_PATIENCE (20 * NS_PER_SECOND)
/* An authorization server that hangs may not take the whole run. */
#define FETCH_MAX (20 * NS_PER_SECOND)

struct access_token {
	const struct probe_run *run;
	const struct account *account;
	bool anew; /* what is kept does not matter: access_token_begin */
	char name[TOKEN_DIGEST_SIZE];
	char *client_secret;
	struct token_state kept; /* by earlier runs */
	int lock;                /* -1: not held */
	pthread_mutex_t mutex;   /* of all below */
	bool tried;
	struct failure failed;
	struct oauth_tokens got; /* by this run */
};

/* --- before the jail ------------------------------------------------------------------- */

static int read_secret(const struct access_token *token, const json_t *source, const char *what,
	char **secret_r, struct failure *why)
{
	if (source == NULL)
		return 0;
	if (secret_read(source, token->run->journey->base_dir, secret_r, why) == 0)
		return 0;
	return failure_prefix(why, "%s of account \"%s\"", what, token->account->name);
}

static bool is_fresh(const struct token_state *state)
{
	return state->access_token != NULL && state->expires_wall_ns > clock_wall() + MARGIN;
}

/* What was kept counts only if it began with the refresh token that the scenario has now: a new
 * one in the scenario is a new beginning. */
static int load(struct access_token *token, struct failure *why)
{
	const json_t *source = token->account->oauth2.refresh_token;
	struct token_state *kept = &token->kept;
	char *given = NULL, seed[TOKEN_DIGEST_SIZE] = "";

	token_state_free(kept);
	if (read_secret(token, source, "refresh token", &given, why) == -1 ||
		token_file_load(token->run->tokens_dir, token->name, kept, why) == -1) {
		secret_free(&given);
		return -1;
	}
	if (given != NULL)
		token_digest(given, seed);
	if (strcmp(kept->seed, seed) != 0) {
		token_state_free(kept);
		text_copy(kept->seed, sizeof(kept->seed), seed);
	}
	if (kept->refresh_token == NULL)
		kept->refresh_token = given;
	else
		secret_free(&given);
	return 0;
}

/* With the lock held, what is there is looked at again: another run may have been faster. */
static int load_or_lock(struct access_token *token, struct failure *why)
{
	if (load(token, why) == -1)
		return -1;
	if (!token->anew && is_fresh(&token->kept))
		return 0;
	token->lock = token_file_lock(token->run->tokens_dir, token->name,
		deadline_earlier(token->run->deadline, deadline_in(LOCK_PATIENCE)), why);
	if (token->lock == -1 || load(token, why) == -1)
		return -1;
	if (!token->anew && is_fresh(&token->kept)) {
		close(token->lock);
		token->lock = -1;
	}
	return 0;
}

/* Something to get a token with, or a person who can help. */
static int check_grant(const struct access_token *token, struct failure *why)
{
	if (token->anew || token->account->oauth2.by_client || token->kept.refresh_token != NULL)
		return 0;
	return failure_set(why, ERROR_CONFIG_SECRET,
		"account \"%s\" has no refresh token yet: get one with 'mailprobe auth'",
		token->account->name);
}

struct access_token *access_token_prepare(const struct probe_run *run,
	const struct account *account, bool anew, struct failure *why)
{
	struct access_token *token = stage_allocate(1, sizeof(*token));
	const struct oauth_settings *settings = &account->oauth2;

	*token = (struct access_token){.run = run,
		.account = account,
		.anew = anew,
		.lock = -1,
		.mutex = PTHREAD_MUTEX_INITIALIZER};
	token_file_name(settings->token_url, settings->client_id, account->username, token->name);
	http_preload();
	if (read_secret(token, settings->client_secret, "client secret", &token->client_secret,
		    why) == 0 &&
		load_or_lock(token, why) == 0 && check_grant(token, why) == 0)
		return token;
	access_token_free(&token);
	return NULL;
}

void access_token_free(struct access_token **token)
{
	struct access_token *gone = *token;

	if (gone == NULL)
		return;
	secret_free(&gone->client_secret);
	secret_free(&gone->got.access_token);
	secret_free(&gone->got.refresh_token);
	token_state_free(&gone->kept);
	if (gone->lock != -1)
		close(gone->lock);
	free(gone);
	*token = NULL;
}

bool access_token_serves(const struct step *step)
{
	const char *const *needs = step->type->account_needs;

	if (step->type->begins_grant)
		return true;
	if (step->type->password_only || json_object_get(step->config, "password") != NULL ||
		json_is_false(json_object_get(step->config, "auth")))
		return false;
	for (; needs != NULL && *needs != NULL; needs++)
		if (strcmp(*needs, "password") == 0)
			return true;
	return false;
}

/* --- getting one ----------------------------------------------------------------------- */

/* On disk before it is used: the old refresh token may be worth nothing from now on. */
static int keep(struct access_token *token, struct failure *why)
{
	const struct probe_link *link = token->run->link;
	const char *next = token->got.refresh_token != NULL ? token->got.refresh_token
							    : token->kept.refresh_token;
	char expires[CLOCK_TIMESTAMP_SIZE];
	json_t *body;

	if (link->token == NULL)
		return 0;
	clock_format(clock_wall() + token->got.lifetime_ns, expires);
	body = json_pack("{s:s, s:s, s:s}", "account", token->account->name, "access_token",
		token->got.access_token, "expires_at", expires);
	if (next != NULL)
		json_object_set_new(body, "refresh_token", json_string(next));
	if (token->kept.seed[0] != '\0')
		json_object_set_new(body, "seed", json_string(token->kept.seed));
	return link->token(link->context, body, why);
}

/* A session with the authorization server, by the account's settings. */
struct session {
	struct http *http;
	char host[URL_HOST_SIZE], device_host[URL_HOST_SIZE];
	const char *hosts[3];
	struct oauth_client client;
};

static int open_session(struct session *session, const struct access_token *token,
	struct probe *probe, struct failure *why)
{
	const struct oauth_settings *settings = &token->account->oauth2;
	const struct http_settings way = {.dns = probe->dns,
		.ip = token->account->ip,
		.tls = &token->account->tls,
		.trust = token->run->trust,
		.transcript = &probe->transcript,
		.allow_private = token->account->allow_private,
		.named_hosts = session->hosts};

	*session = (struct session){.hosts = {session->host, session->device_host},
		.client = {.token_url = settings->token_url,
			.client_id = settings->client_id,
			.client_secret = token->client_secret,
			.scope = settings->scope}};
	http_url_host(settings->token_url, session->host, sizeof(session->host));
	if (settings->device_url != NULL)
		http_url_host(settings->device_url, session->device_host,
			sizeof(session->device_host));
	session->http = http_open(&way, why);
	return session->http != NULL ? 0 : -1;
}

static struct deadline answer_deadline(const struct probe *probe)
{
	return deadline_earlier(probe->deadline, deadline_in(FETCH_MAX));
}

static int ask_server(struct access_token *token, struct probe *probe, struct failure *why)
{
	const struct oauth_settings *settings = &token->account->oauth2;
	struct session session;
	int result;

	if (open_session(&session, token, probe, why) == -1)
		return -1;
	result = oauth_fetch(session.http, &session.client,
		settings->by_client ? NULL : token->kept.refresh_token, answer_deadline(probe),
		&token->got, why);
	http_close(&session.http);
	return result;
}

/* Once in a run; with the mutex held. */
static int fetch(struct access_token *token, struct probe *probe, struct failure *why)
{
	if (!token->tried) {
		token->tried = true;
		if (ask_server(token, probe, &token->failed) == 0)
			keep(token, &token->failed);
		if (token->failed.type != ERROR_NONE)
			failure_prefix(&token->failed, "access token of account \"%s\"",
				token->account->name);
		/* The others may have it now. */
		if (token->lock != -1)
			close(token->lock);
		token->lock = -1;
	}
	if (token->failed.type == ERROR_NONE)
		return 0;
	*why = token->failed;
	return -1;
}

static int lend(struct access_token *token, struct probe *probe, struct failure *why)
{
	if (!token->tried && is_fresh(&token->kept)) {
		probe->token = token->kept.access_token;
		return 0;
	}
	if (fetch(token, probe, why) == -1)
		return -1;
	probe->token = token->got.access_token;
	return 0;
}

static int take_turn(const struct access_token *token, const struct probe *probe, struct failure *why)
{
	const struct timespec until = {.tv_sec = probe->deadline.at_ns / NS_PER_SECOND,
		.tv_nsec = probe->deadline.at_ns % NS_PER_SECOND};

	if (pthread_mutex_clocklock((pthread_mutex_t *)(uintptr_t)&token->mutex, CLOCK_MONOTONIC,
		    &until) == 0)
		return 0;
	return failure_set(why, ERROR_OAUTH_UNAVAILABLE,
		"another step waits for an access token for too long");
}

int access_token_get(struct probe *probe, struct failure *why)
{
	struct access_token *token = probe->token_source;
	int64_t began = clock_now();
	int result;

	if (token == NULL || probe->token != NULL || token->anew)
		return 0;
	if (take_turn(token, probe, why) == -1)
		return -1;
	result = lend(token, probe, why);
	/* A token that lay ready was not waited for. */
	if (token->tried)
		probe->token_wait_ns = clock_now() - began;
	pthread_mutex_unlock(&token->mutex);
	return result;
}

int access_token_renew(void *context, const char **secret_r, struct failure *why)
{
	struct probe *probe = context;
	struct access_token *token = probe->token_source;
	int result;

	if (take_turn(token, probe, why) == -1)
		return -1;
	/* One that was made for this very run and is refused: that is the server's word. */
	result = probe->token == token->got.access_token ? 1 : fetch(token, probe, why);
	if (result == 0)
		*secret_r = probe->token = token->got.access_token;
	pthread_mutex_unlock(&token->mutex);
	return result;
}

/* --- with a person's help -------------------------------------------------------------- */

static int await_decision(struct session *session, struct access_token *token,
	struct probe *probe, struct oauth_device *device, struct failure *why)
{
	struct deadline end = deadline_earlier(probe->deadline, deadline_in(device->lifetime_ns));
	int result = 1;

	while (result == 1) {
		if (deadline_passed(end))
			return failure_set(why, ERROR_OAUTH_REFUSED,
				"nobody has allowed it while the code was valid");
		clock_sleep_until(deadline_earlier(end, deadline_in(device->interval_ns)));
		result = oauth_device_poll(session->http, &session->client, device,
			answer_deadline(probe), &token->got, why);
	}
	return result;
}

/* A grant that ends with its first token is not what a person was asked for. */
static int check_lasting(const struct access_token *token, struct failure *why)
{
	if (token->got.refresh_token != NULL)
		return 0;
	return failure_set(why, ERROR_OAUTH_MALFORMED,
		"the authorization server gives an access token, but no refresh token: a scope such "
		"as offline_access may be missing");
}

int access_token_begin(struct probe *probe, access_token_show *show, struct failure *why)
{
	struct access_token *token = probe->token_source;
	struct oauth_device device = {0};
	struct session session;
	int result;

	if (open_session(&session, token, probe, why) == -1)
		return -1;
	result = oauth_device_begin(session.http, &session.client,
		token->account->oauth2.device_url, answer_deadline(probe), &device, why);
	if (result == 0) {
		show(probe, device.verification_uri, device.user_code);
		result = await_decision(&session, token, probe, &device, why);
	}
	http_close(&session.http);
	secret_free(&device.device_code);
	if (result == 0)
		result = check_lasting(token, why);
	return result == 0 ? keep(token, why) : -1;
}
