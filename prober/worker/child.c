#include "child.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "jail.h"
#include "link.h"
#include "record.h"
#include "redact.h"
#include "stage.h"
#include "step.h"
#include "trust.h"

#include "ban.h"

#define ADDRESS_SPACE ((size_t)512 << 20)
/* With what is shared it stays below 256 MB resident. */
#define DATA ((size_t)200 << 20)
/* Of a step: its stream, a second look, and the sockets of DNS. */
#define DESCRIPTORS_PER_STEP 8
#define DESCRIPTORS_MAX 4096

static void publish_names(const char *const names[])
{
	for (size_t i = 0; names != NULL && names[i] != NULL; i++)
		redact_public(names[i]);
}

static void publish_fields(const struct field *fields)
{
	for (; fields != NULL && fields->name != NULL; fields++) {
		redact_public(fields->name);
		publish_fields(fields->fields);
	}
}

/* Words of ours and of the scenario, which may be somebody's careless password as well. */
static void publish_words(const struct worker_job *job)
{
	const struct journey *journey = job->journey;
	const char *const words[] = {journey->customer, journey->scenario, job->run_id,
		job->vantage, "full", "partial", "none", NULL};

	publish_names(words);
	publish_names(outcome_names);
	publish_names(error_names);
	publish_names(blame_names);
	publish_names(mail_states);
	publish_fields(record_step);
	publish_fields(record_mail);
	for (size_t i = 0; i < FRAME_COUNT; i++) {
		redact_public(frame_kinds[i].name);
		publish_fields(frame_kinds[i].fields);
	}
	for (size_t i = 0; i < journey->account_count; i++) {
		redact_public(journey->accounts[i].name);
		redact_public(journey->accounts[i].address);
	}
	for (size_t i = 0; i < journey->step_count; i++) {
		redact_public(journey->steps[i].id);
		redact_public(journey->steps[i].type->name);
		publish_names(journey->steps[i].type->phases);
		publish_fields(journey->steps[i].type->facts);
	}
}

static struct jail_limits limits_of(const struct worker_job *job)
{
	size_t descriptors = 64 + DESCRIPTORS_PER_STEP * job->journey->step_count;
	int64_t left = deadline_left(job->deadline);
	struct jail_limits limits = {.address_space = ADDRESS_SPACE,
		.data = DATA,
		.descriptors = descriptors < DESCRIPTORS_MAX ? descriptors : DESCRIPTORS_MAX,
		/* Who computes for longer than the run lasts does nothing of ours. */
		.cpu_seconds = (size_t)(left / NS_PER_SECOND) + 2,
		.without = job->jail_without};

	return limits;
}

/* False if the run must not be made like this. */
static bool confine(const struct worker_job *job, struct link *link, struct folder_grant *grant)
{
	struct jail_limits limits = limits_of(job);
	struct jail_report report;

	limits.grant = grant;
	jail_enter(&limits, &report);
	grant->denied = !report.granted;
	link_send(link, FRAME_JAIL,
		json_pack("{s:s, s:o}", "sandbox", jail_state(&report), "missing",
			jail_missing(&report)));
	return !job->require_sandbox || report.count == 0;
}

void child_run(const struct worker_job *job, int fd, pid_t parent)
{
	struct link link;
	struct probe_link stage_link;
	struct probe_run run = {.journey = job->journey,
		.run_id = job->run_id,
		.vantage = job->vantage,
		.origin = job->origin,
		.deadline = job->deadline,
		.key = job->key,
		.tokens_dir = job->tokens_dir,
		.open_mails = job->open_mails,
		.slow = job->slow,
		.marks = job->marks,
		.has_past = job->has_past,
		.link = &stage_link};
	struct stage *stage;
	json_t *steps, *mails;

	jail_prepare(fd, parent);
	publish_words(job);
	link_open(&link, job, JAIL_FD);
	stage_link = link_for_stage(&link);
	run.trust = trust_create();
	stage = stage_set(&run, job->only);
	if (!confine(job, &link, stage_folder_grant(stage)))
		_exit(0);
	stage_play(stage, &steps, &mails);
	link_send_result(&link, steps, mails, stage_vantage(stage));
	_exit(0);
}
