#include "grant.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "device_login.h"
#include "folder.h"
#include "record.h"
#include "stage.h"
#include "text.h"
#include "token_file.h"
#include "uuid.h"
#include "worker.h"

#include "ban.h"

/* Longer than codes are valid. */
#define PATIENCE (1800 * NS_PER_SECOND)
#define STEP_TIMEOUT "30m"

struct grant {
	const struct journey *journey;
	char folder[PATH_MAX];
	void (*show)(const char *sentence);
};

/* --- keeping --------------------------------------------------------------------------- */

void grant_folder(const char *results_dir, const char *customer, char folder_r[static PATH_MAX])
{
	snprintf(folder_r, PATH_MAX, "%s/%s/.tokens", results_dir, customer);
}

static char *lent(const json_t *object, const char *key)
{
	return (char *)(uintptr_t)json_string_value(json_object_get(object, key));
}

int grant_keep(const struct journey *journey, const char *folder, const json_t *token,
	struct failure *why)
{
	const struct account *account = journey_account(journey, lent(token, "account"));
	struct token_state state = {.access_token = lent(token, "access_token"),
		.refresh_token = lent(token, "refresh_token")};
	const char *seed = lent(token, "seed");
	char name[TOKEN_DIGEST_SIZE];

	text_copy(state.seed, sizeof(state.seed), seed != NULL ? seed : "");
	clock_parse(lent(token, "expires_at"), &state.expires_wall_ns);
	token_file_name(account->oauth2.token_url, account->oauth2.client_id, account->username,
		name);
	return token_file_save(folder, name, &state, why);
}

/* --- beginning ------------------------------------------------------------------------- */

static int keep(void *context, const json_t *token, struct failure *why)
{
	const struct grant *grant = context;

	return grant_keep(grant->journey, grant->folder, token, why);
}

static void on_progress(void *context, const char *step, const char *phase, const char *note)
{
	const struct grant *grant = context;

	(void)step;
	(void)phase;
	if (note != NULL)
		grant->show(note);
}

/* Until it has given its result, or has ended without one. */
static json_t *attend(struct worker *worker, struct grant *grant)
{
	const struct worker_listener listener = {.progress = on_progress, .context = grant};
	bool alive = true;

	while (alive && !worker_overdue(worker)) {
		struct pollfd polls[] = {{.fd = worker_fd(worker), .events = POLLIN},
			{.fd = worker_pidfd(worker), .events = POLLIN}};

		poll(polls, 2, worker_left_ms(worker));
		alive = worker_receive(worker, &listener) && polls[1].revents == 0;
	}
	return worker_end(&worker, false);
}

/* The record of the one step says what came of it. */
static int judge(const json_t *account, struct failure *why)
{
	const json_t *step = json_array_get(json_object_get(account, "steps"), 0);
	const char *outcome = lent(step, "outcome"), *sentence = lent(step, "error");
	int type;

	if (outcome == NULL)
		return failure_set(why, ERROR_WORKER_CRASH, "the worker has left no record");
	if (strcmp(outcome, outcome_name(OUTCOME_PASS)) == 0)
		return 0;
	type = name_index(error_names, lent(step, "error_type"));
	return failure_set(why, type >= 0 ? (enum error_type)(type + 1) : ERROR_WORKER_CRASH, "%s",
		sentence);
}

static int work(const struct journey *journey, struct grant *grant, struct failure *why)
{
	char run_id[UUID_SIZE];
	struct worker_job order = {.journey = journey,
		.run_id = run_id,
		.vantage = "auth",
		.origin = clock_origin_now(),
		.deadline = deadline_in(PATIENCE),
		.tokens_dir = grant->folder,
		.keep_token = keep,
		.token_context = grant};
	struct worker *worker;
	json_t *account;
	int result;

	uuid_v7(order.origin.wall_ns, run_id);
	stage_preload(journey);
	worker = worker_start(&order, why);
	if (worker == NULL)
		return -1;
	account = attend(worker, grant);
	result = judge(account, why);
	json_decref(account);
	return result;
}

int grant_begin(const struct scenario *scenario, const struct account *account,
	const char *results_dir, void (*show)(const char *sentence), struct failure *why)
{
	json_t *config = json_pack("{s:s, s:s}", "account", account->name, "timeout", STEP_TIMEOUT);
	const struct step step = {.type = &step_device_login, .id = "auth", .config = config};
	struct journey journey = scenario->journey;
	struct grant grant = {.journey = &journey, .show = show};
	struct folder folder;
	int result;

	journey.steps = &step;
	journey.step_count = 1;
	journey.timeout_ns = PATIENCE;
	grant_folder(results_dir, journey.customer, grant.folder);
	result = folder_open(&folder, results_dir, journey.customer, journey.scenario, why);
	if (result == 0) {
		result = work(&journey, &grant, why);
		folder_close(&folder);
	}
	json_decref(config);
	return result;
}
