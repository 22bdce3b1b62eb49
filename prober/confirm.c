#include "confirm.h"

#include <stdlib.h>
#include <string.h>

#include "error_type.h"

#include "ban.h"

/* Beside what the first attempt took: another worker has to start and to end. */
#define SPARE NS_PER_SECOND
/* A pause that is shorter says nothing. */
#define PAUSE_LEAST NS_PER_SECOND

static const char *member(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value != NULL ? value : "";
}

static bool has_outcome(const json_t *step, enum outcome outcome)
{
	return strcmp(member(step, "outcome"), outcome_name(outcome)) == 0;
}

static const json_t *step_of(const json_t *steps, const char *id)
{
	const json_t *step;
	size_t index;

	json_array_foreach(steps, index, step)
		if (strcmp(member(step, "id"), id) == 0)
			return step;
	return NULL;
}

/* A chain is named after the step whose mail the others are about. */
static const char *chain_of(const struct step *step)
{
	const char *mail = step_string(step, "mail");

	return mail != NULL ? mail : step->id;
}

static bool chain_has(const struct journey *journey, const char *chain, const json_t *steps,
	enum outcome outcome)
{
	for (size_t i = 0; i < journey->step_count; i++)
		if (strcmp(chain_of(&journey->steps[i]), chain) == 0 &&
			has_outcome(step_of(steps, journey->steps[i].id), outcome))
			return true;
	return false;
}

/* --- planning -------------------------------------------------------------------------- */

/* A second wrong login may lock the account; what was let in that had to be kept out is proved. */
static bool is_final(const json_t *step)
{
	static const enum error_type final[] = {
		ERROR_AUTH_REJECTED, ERROR_AUTH_SERVER_UNPROVEN, ERROR_SECURITY_ACCEPTED};
	const char *type = member(step, "error_type");

	for (size_t i = 0; i < sizeof(final) / sizeof(final[0]); i++)
		if (strcmp(type, error_info(final[i])->name) == 0)
			return true;
	return false;
}

/* How many have failed; *final_r is one that must not be tried again, or NULL. */
static size_t count_failed(const json_t *steps, const json_t **final_r)
{
	const json_t *step;
	size_t index, count = 0;

	*final_r = NULL;
	json_array_foreach(steps, index, step) {
		if (!has_outcome(step, OUTCOME_FAIL))
			continue;
		count++;
		if (is_final(step))
			*final_r = step;
	}
	return count;
}

/* A chain is tried as a whole, but nothing of it that this run was not asked for. */
static const char **failed_chains(const struct journey *journey, const json_t *steps)
{
	const char **ids = calloc(journey->step_count + 1, sizeof(*ids));
	size_t count = 0;

	for (size_t i = 0; ids != NULL && i < journey->step_count; i++)
		if (step_of(steps, journey->steps[i].id) != NULL &&
			chain_has(journey, chain_of(&journey->steps[i]), steps, OUTCOME_FAIL))
			ids[count++] = journey->steps[i].id;
	return ids;
}

/* As long as the scenario says, or as there is room for if the second attempt takes as long as the
 * first. 0: there is none. */
static int64_t pause_ns(const struct journey *journey, struct clock_origin origin,
	struct deadline deadline, int64_t now_ns)
{
	int64_t room = deadline.at_ns - now_ns - (now_ns - origin.monotonic_ns) - SPARE;

	if (room < PAUSE_LEAST && room < journey->confirm_ns)
		return 0;
	return room < journey->confirm_ns ? room : journey->confirm_ns;
}

static bool leave_it(json_t *account, const char *reason)
{
	json_object_set_new(account, "not_retried", json_string(reason));
	return false;
}

bool confirm_plan(struct confirm *confirm, const struct journey *journey, json_t *account,
	struct clock_origin origin, struct deadline deadline)
{
	const json_t *steps = json_object_get(account, "steps"), *final;
	int64_t now_ns = clock_now(), pause;

	if (journey->confirm_ns == 0 || count_failed(steps, &final) == 0)
		return false;
	if (final != NULL)
		return leave_it(account, "a second try could do harm, or tell nothing new");
	pause = pause_ns(journey, origin, deadline, now_ns);
	if (pause == 0)
		return leave_it(account, "the scenario's timeout left no room");
	confirm->ids = failed_chains(journey, steps);
	if (confirm->ids == NULL)
		return leave_it(account, "out of memory");
	confirm->when = (struct deadline){.at_ns = now_ns + pause};
	confirm->first = json_incref(account);
	return true;
}

bool confirm_is_planned(const struct confirm *confirm)
{
	return confirm->first != NULL;
}

void confirm_free(struct confirm *confirm)
{
	json_decref(confirm->first);
	free(confirm->ids);
	*confirm = (struct confirm){0};
}

/* --- two attempts, one account ---------------------------------------------------------- */

void confirm_settle(struct confirm *confirm, const json_t *mails)
{
	json_t *own = json_object_get(confirm->first, "mails"), *mail;
	const json_t *known;
	size_t index, at;

	json_array_foreach(mails, index, mail)
		json_array_foreach(own, at, known)
			if (strcmp(member(known, "mail"), member(mail, "mail")) == 0)
				json_array_set(own, at, mail);
}

struct unite {
	const struct journey *journey;
	const json_t *first, *second; /* steps */
	json_t *steps;                /* the run's */
	json_t *replaced[2];          /* steps that are not, by attempt */
};

static bool is_judged(const struct unite *unite, const char *chain)
{
	return chain_has(unite->journey, chain, unite->first, OUTCOME_FAIL) &&
		!chain_has(unite->journey, chain, unite->second, OUTCOME_ERROR);
}

static void add_step(struct unite *unite, const struct step *step)
{
	json_t *first = (json_t *)(uintptr_t)step_of(unite->first, step->id);
	json_t *second = (json_t *)(uintptr_t)step_of(unite->second, step->id);
	bool taken = second != NULL && is_judged(unite, chain_of(step));

	if (first == NULL)
		return;
	json_array_append(unite->steps, taken ? second : first);
	if (taken)
		json_array_append(unite->replaced[0], first);
	else if (second != NULL)
		json_array_append(unite->replaced[1], second);
}

/* Mails of an attempt whose steps are not the run's say which it was. */
static void add_mails(json_t *mails, const json_t *more, const json_t *replaced, int attempt)
{
	json_t *mail;
	size_t index;

	json_array_foreach(more, index, mail) {
		if (step_of(replaced, member(mail, "step")) != NULL)
			json_object_set_new(mail, "attempt", json_integer(attempt));
		json_array_append(mails, mail);
	}
}

static void add_attempts(json_t *account, const struct unite *unite)
{
	json_t *attempts = json_array();

	for (int i = 0; i < 2; i++)
		if (json_array_size(unite->replaced[i]) > 0)
			json_array_append_new(attempts,
				json_pack("{s:i, s:O}", "attempt", i + 1, "steps", unite->replaced[i]));
	json_object_set_new(account, "attempts", attempts);
	json_object_set_new(account, "retried",
		json_integer((json_int_t)(json_array_size(unite->replaced[0]) +
			json_array_size(unite->replaced[1]))));
}

static void larger(json_t *account, const json_t *first, const char *key)
{
	const json_t *before = json_object_get(first, key);

	if (before != NULL && json_number_value(before) > json_number_value(json_object_get(account, key)))
		json_object_set(account, key, (json_t *)(uintptr_t)before);
}

static void add_cpu(json_t *account, const json_t *first)
{
	double seconds = json_number_value(json_object_get(first, "worker_cpu_seconds")) +
		json_number_value(json_object_get(account, "worker_cpu_seconds"));

	if (json_object_get(account, "worker_cpu_seconds") != NULL)
		json_object_set_new(account, "worker_cpu_seconds", json_real(seconds));
}

json_t *confirm_unite(struct confirm *confirm, const struct journey *journey, json_t *second)
{
	json_t *first = confirm->first, *mails = json_array();
	struct unite unite = {.journey = journey,
		.first = json_object_get(first, "steps"),
		.second = json_object_get(second, "steps"),
		.steps = json_array(),
		.replaced = {json_array(), json_array()}};

	if (second == NULL) {
		json_incref(first);
		leave_it(first, "the run was ended before");
		second = first;
	} else {
		for (size_t i = 0; i < journey->step_count; i++)
			add_step(&unite, &journey->steps[i]);
		add_mails(mails, json_object_get(first, "mails"), unite.replaced[0], 1);
		add_mails(mails, json_object_get(second, "mails"), unite.replaced[1], 2);
		json_object_set(second, "steps", unite.steps);
		json_object_set(second, "mails", mails);
		add_attempts(second, &unite);
		larger(second, first, "worker_max_rss_bytes");
		larger(json_object_get(second, "vantage_state"),
			json_object_get(first, "vantage_state"), "scheduler_delay_seconds_max");
		add_cpu(second, first);
	}
	json_decref(unite.steps);
	json_decref(unite.replaced[0]);
	json_decref(unite.replaced[1]);
	json_decref(mails);
	confirm_free(confirm);
	return second;
}
