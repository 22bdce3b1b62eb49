/* The steps are played on a stage that is set (stage_set.c): chains side by side, records out. */
#include "stage_private.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "access_token.h"
#include "evidence.h"
#include "step.h"
#include "text.h"
#include "vantage.h"

#include "ban.h"

/* Deep enough for libetpan's parser within the guard's depth; small beside the memory limit. */
#define CHAIN_STACK (1024 * 1024)
/* Less than this is no time for a dialogue. */
#define LEAST_TIME (100 * NS_PER_MS)

static void observe(void *context, const char *phase)
{
	struct probe *probe = context;
	const struct probe_link *link = probe->run->link;

	link->progress(link->context, probe->step->id, phase, NULL);
}

/* Each half of a step (prepare, run) may take the step's time. */
static void enter(struct part *part)
{
	struct probe *probe = &part->probe;

	if (!part->begun) {
		part->begun = true;
		part->began_ns = clock_now();
		probe->timings.observe = observe;
		probe->timings.context = probe;
	}
	part->cpu_began_ns = clock_thread_cpu();
	probe->deadline = deadline_earlier(
		probe->run->deadline, deadline_in(step_duration(probe->step, "timeout")));
}

/* What those before it have left to a step that has not begun: of it, nothing can be said. */
static bool has_time(struct part *part)
{
	if (part->begun || deadline_left(part->probe.run->deadline) > LEAST_TIME)
		return true;
	failure_set(&part->why, ERROR_LIMIT_TIME,
		"the scenario's timeout had passed before the step could begin");
	part->why.blame = BLAME_CONFIG;
	part->result = -1;
	return false;
}

/* Until its next turn, other steps of the chain have theirs. */
static void leave(struct part *part)
{
	timings_pause(&part->probe.timings);
	part->cpu_ns += clock_thread_cpu() - part->cpu_began_ns;
}

static void prepare(struct part *part)
{
	const struct step_type *type = part->probe.step->type;

	if (type->prepare == NULL || part->setup.type != ERROR_NONE || !has_time(part))
		return;
	enter(part);
	part->result = access_token_get(&part->probe, &part->why);
	if (part->result == 0)
		part->result = type->prepare(&part->probe, &part->why);
	leave(part);
}

/* Why the step cannot be tried at all, or NULL. */
static const char *obstacle(const struct part *part)
{
	const char *source = step_string(part->probe.step, "mail");
	const struct probe_mail *mail;

	if (source == NULL)
		return NULL;
	mail = probe_mail_of((struct probe *)(uintptr_t)&part->probe, source);
	if (mail == NULL || mail->sending_ns == 0 || strcmp(mail->state, "refused") == 0)
		return "the mail was not sent";
	if (strcmp(mail->state, "deferred") == 0)
		return "the mail was deferred, and a later run will try again";
	return NULL;
}

static void set_failure(json_t *record, const struct failure *why, const char *phase)
{
	char text[FAILURE_TEXT_SIZE];

	text_printable_copy(text, sizeof(text), why->text, strlen(why->text));
	json_object_set_new(record, "error_type", json_string(error_info(why->type)->name));
	if (phase[0] != '\0')
		json_object_set_new(record, "error_phase", json_string(phase));
	json_object_set_new(record, "error", json_string(text));
	json_object_set_new(record, "blame", json_string(blame_name(why->blame)));
}

/* A step begins with its first phase: what the scheduler takes before that is no user's time. */
static int64_t began_ns(const struct part *part)
{
	const struct timings *timings = &part->probe.timings;

	return timings->count > 0 ? timings->phases[0].begin_ns : part->began_ns;
}

static void set_times(const struct part *part, json_t *record)
{
	const struct probe *probe = &part->probe;
	struct clock_origin origin = probe->run->origin;
	char text[CLOCK_TIMESTAMP_SIZE];

	if (part->begun) {
		clock_format(clock_label(origin, began_ns(part)), text);
		json_object_set_new(record, "started_at", json_string(text));
		json_object_set_new(record, "start_seconds",
			json_real(clock_seconds(began_ns(part) - origin.monotonic_ns)));
		json_object_set_new(record, "duration_seconds",
			json_real(clock_seconds(timings_total(&probe->timings))));
		json_object_set_new(
			record, "cpu_seconds", json_real(clock_seconds(part->cpu_ns)));
	}
	json_object_set_new(
		record, "phases", timings_json(&probe->timings, origin.monotonic_ns));
}

static json_t *begin_record(const struct part *part, enum outcome outcome)
{
	const struct probe *probe = &part->probe;
	json_t *record = json_pack("{s:s, s:s}", "id", probe->step->id, "type",
		probe->step->type->name);

	if (probe->account != NULL)
		json_object_set_new(record, "account", json_string(probe->account->name));
	json_object_set_new(record, "outcome", json_string(outcome_name(outcome)));
	return record;
}

static void write_record(struct part *part, const char *skipped)
{
	struct probe *probe = &part->probe;
	const struct failure *why = NULL;
	const char *phase = timings_current(&probe->timings);
	enum outcome outcome = OUTCOME_PASS;

	if (skipped != NULL) {
		outcome = OUTCOME_SKIPPED;
	} else if (part->result == -1) {
		why = &part->why;
		phase = probe->failed_in != NULL ? probe->failed_in : phase;
		outcome = outcome_of_blame(why->blame);
	} else if (probe->warned) {
		why = &probe->warning;
		phase = probe->warned_in;
		outcome = OUTCOME_WARN;
	}
	part->record = begin_record(part, outcome);
	if (why != NULL)
		set_failure(part->record, why, phase);
	if (part->unfit != ERROR_NONE)
		json_object_set_new(part->record, "timings_unfit",
			json_string(error_info(part->unfit)->name));
	if (skipped != NULL)
		json_object_set_new(part->record, "reason", json_string(skipped));
	set_times(part, part->record);
	if (probe->timings.excluded_ns + probe->token_wait_ns > 0)
		json_object_set_new(part->record, "auth_wait_seconds",
			json_real(clock_seconds(
				probe->timings.excluded_ns + probe->token_wait_ns)));
	json_object_update(part->record, probe->facts);
	evidence_keep(probe, part->record);
}

static void perform(struct part *part)
{
	struct probe *probe = &part->probe;

	if (part->setup.type != ERROR_NONE) {
		part->why = part->setup;
		part->result = -1;
	}
	if (part->result == -1)
		return;
	part->obstacle = obstacle(part);
	if (part->obstacle != NULL || !has_time(part))
		return;
	enter(part);
	part->result = access_token_get(probe, &part->why);
	if (part->result == 0)
		part->result = probe->step->type->run(probe, &part->why);
	leave(part);
}

static bool is_put_off(const struct part *part)
{
	return part->probe.put_off && part->result == 0 && part->obstacle == NULL;
}

/* What the step has put off until now, its end, and its record. */
static void conclude(struct part *part)
{
	struct probe *probe = &part->probe;
	const struct step_type *type = probe->step->type;
	const struct probe_link *link = probe->run->link;

	if (is_put_off(part)) {
		enter(part);
		part->result = type->after(probe, &part->why);
		leave(part);
	}
	if (type->finish != NULL)
		type->finish(probe);
	vantage_judge(part);
	write_record(part, part->obstacle);
	if (link->finished != NULL)
		link->finished(link->context, part->record);
}

static void perform_all(struct stage *stage, size_t first, bool listens)
{
	for (size_t i = 0; i < stage->count; i++) {
		struct part *part = &stage->parts[i];
		const struct step_type *type = part->probe.step->type;

		if (!part->chosen || part->chain != first || type->listens != listens)
			continue;
		perform(part);
		if (!is_put_off(part))
			conclude(part); /* as soon as it can be: what was proved survives us */
	}
}

/* How many chains there are that still play. */
struct cast {
	pthread_mutex_t lock;
	pthread_cond_t ended;
	size_t playing;
};

struct chain {
	struct stage *stage;
	struct cast *cast;
	size_t first;
	pthread_t thread;
	bool threaded;
};

static void *play_chain(void *context)
{
	const struct chain *chain = context;
	struct stage *stage = chain->stage;

	for (size_t i = 0; i < stage->count; i++)
		if (stage->parts[i].chosen && stage->parts[i].chain == chain->first)
			prepare(&stage->parts[i]);
	perform_all(stage, chain->first, false);
	perform_all(stage, chain->first, true);
	for (size_t i = 0; i < stage->count; i++)
		if (stage->parts[i].chosen && stage->parts[i].chain == chain->first &&
			stage->parts[i].record == NULL)
			conclude(&stage->parts[i]);
	pthread_mutex_lock(&chain->cast->lock);
	chain->cast->playing--;
	pthread_cond_signal(&chain->cast->ended);
	pthread_mutex_unlock(&chain->cast->lock);
	return NULL;
}

/* One that gets no thread is played here. */
static void start_chain(struct chain *chain)
{
	pthread_attr_t attributes;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, CHAIN_STACK);
	chain->threaded =
		pthread_create(&chain->thread, &attributes, play_chain, chain) == 0;
	pthread_attr_destroy(&attributes);
	if (!chain->threaded)
		play_chain(chain);
}

static size_t find_chains(struct stage *stage, struct cast *cast, struct chain *chains)
{
	size_t count = 0;

	for (size_t i = 0; i < stage->count; i++)
		if (stage->parts[i].chosen && stage->parts[i].chain == i)
			chains[count++] = (struct chain){
				.stage = stage, .cast = cast, .first = i};
	return count;
}

/* While the chains play, we watch the machine: who only ever wakes up sees best how late it does. */
static void watch(struct cast *cast, struct machine *machine)
{
	pthread_mutex_lock(&cast->lock);
	while (cast->playing > 0) {
		struct deadline next = machine_expect(machine);
		struct timespec at = {.tv_sec = next.at_ns / NS_PER_SECOND,
			.tv_nsec = next.at_ns % NS_PER_SECOND};

		pthread_cond_clockwait(&cast->ended, &cast->lock, CLOCK_MONOTONIC, &at);
	}
	pthread_mutex_unlock(&cast->lock);
	machine_rest(machine);
}

static void play_all(struct stage *stage)
{
	struct cast cast = {
		.lock = PTHREAD_MUTEX_INITIALIZER, .ended = PTHREAD_COND_INITIALIZER};
	struct chain *chains = stage_allocate(stage->count, sizeof(*chains));
	size_t count = find_chains(stage, &cast, chains);

	cast.playing = count;
	for (size_t i = 0; i < count; i++)
		start_chain(&chains[i]);
	watch(&cast, &stage->machine);
	for (size_t i = 0; i < count; i++)
		if (chains[i].threaded)
			pthread_join(chains[i].thread, NULL);
	free(chains);
}

static void reconsider(struct stage *stage)
{
	for (size_t i = 0; i < stage->count; i++)
		if (vantage_reconsider(stage, &stage->parts[i])) {
			json_decref(stage->parts[i].record);
			write_record(&stage->parts[i], NULL);
		}
}

json_t *stage_vantage(struct stage *stage)
{
	return machine_json(&stage->machine);
}

void stage_play(struct stage *stage, json_t **steps_r, json_t **mails_r)
{
	*steps_r = json_array();
	*mails_r = json_array();
	play_all(stage);
	reconsider(stage);
	for (size_t i = 0; i < stage->count; i++) {
		if (stage->parts[i].record != NULL)
			json_array_append(*steps_r, stage->parts[i].record);
		/* One that was never announced is no mail yet. */
		if (stage->mails[i] != NULL && stage->mails[i]->sending_ns != 0)
			json_array_append_new(
				*mails_r, probe_mail_record(stage->run, stage->mails[i]));
	}
}
