/* play - plays the steps of a scenario in this very process, many times: what leaks adds up.
 *
 *	play SCENARIO FOLDER TIMES
 *
 * FOLDER keeps the key of the tokens. No supervisor, no jail, no ledger: what is left at the end
 * was left by steps, sessions and transport. Prints a line of JSON for each time: the outcomes,
 * the bytes in use and the open descriptors after it. A sanitizer build looks for leaks as well.
 */
#include <dirent.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "probe_mail.h"
#include "scenario.h"
#include "stage.h"
#include "trust.h"
#include "uuid.h"

static int on_intent(void *context, const json_t *mail, struct failure *why)
{
	(void)context;
	(void)mail;
	(void)why;
	return 0;
}

static void on_state(void *context, const json_t *mail)
{
	(void)context;
	(void)mail;
}

static void on_progress(void *context, const char *step, const char *phase, const char *note)
{
	(void)context;
	(void)step;
	(void)phase;
	(void)note;
}

static json_t *no_recall(void *context, json_t *ids, struct failure *why)
{
	(void)context;
	(void)ids;
	(void)why;
	return json_array();
}

static int no_settle(void *context, const json_t *mails, struct failure *why)
{
	(void)context;
	(void)mails;
	(void)why;
	return 0;
}

static const struct probe_link deaf_link = {
	.recall = no_recall,
	.settle = no_settle,
	.intent = on_intent, .state = on_state, .progress = on_progress};

static int count_descriptors(void)
{
	DIR *folder = opendir("/proc/self/fd");
	int count = 0;

	while (folder != NULL && readdir(folder) != NULL)
		count++;
	if (folder != NULL)
		closedir(folder);
	return count;
}

static json_t *play_once(const struct scenario *scenario, const struct mail_key *key)
{
	char run_id[UUID_SIZE];
	struct probe_run run = {
		.journey = &scenario->journey,
		.run_id = run_id,
		.vantage = "here",
		.origin = clock_origin_now(),
		.deadline = deadline_in(scenario->journey.timeout_ns),
		.key = key,
		.trust = trust_create(),
		.link = &deaf_link,
	};
	struct stage *stage;
	json_t *steps, *mails;

	uuid_v7(run.origin.wall_ns, run_id);
	stage = stage_set(&run, NULL);
	stage_play(stage, &steps, &mails);
	stage_strike(&stage);
	trust_destroy(&run.trust);
	json_decref(mails);
	return steps;
}

static void print_once(const struct scenario *scenario, const struct mail_key *key)
{
	json_t *steps = play_once(scenario, key), *outcomes = json_array(), *line, *step;
	size_t index;

	json_array_foreach(steps, index, step)
		json_array_append(outcomes, json_object_get(step, "outcome"));
	json_decref(steps);
	line = json_pack("{s:o, s:i, s:I}", "outcomes", outcomes, "descriptors",
		count_descriptors(), "bytes", (json_int_t)mallinfo2().uordblks);
	json_dumpf(line, stdout, JSON_COMPACT);
	puts("");
	json_decref(line);
}

int main(int argc, char **argv)
{
	struct complaints complaints = {0};
	struct scenario *scenario;
	struct mail_key key;
	struct failure why = {0};

	if (argc != 4)
		return 64;
	scenario = scenario_load(argv[1], &complaints);
	if (scenario == NULL)
		complaints_print(&complaints, stderr, false);
	complaints_free(&complaints);
	if (scenario == NULL || mail_key_load(argv[2], &key, &why) == -1)
		return 65;
	for (long i = strtol(argv[3], NULL, 10); i > 0; i--)
		print_once(scenario, &key);
	scenario_free(&scenario);
	return 0;
}
