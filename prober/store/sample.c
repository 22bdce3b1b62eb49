#include "sample.h"

#include <endian.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "record.h"

#include "ban.h"

#define ATTEMPT_MOST 0xffU

struct walk {
	sample_each *each;
	void *context;
};

static const char *member(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value != NULL ? value : "";
}

/* --- emitting -------------------------------------------------------------------------- */

/* No more of them are made than fit. */
unsigned int sample_attempt(const json_t *mail)
{
	return (unsigned int)json_integer_value(json_object_get(mail, "attempt")) & ATTEMPT_MOST;
}

/* `missing` is the mail that had not come, or NULL. */
__attribute__((format(printf, 4, 5))) static int emit(
	const struct walk *walk, double value, const json_t *missing, const char *format, ...)
{
	char name[METRIC_NAME_SIZE];
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(name, sizeof(name), format, args);
	va_end(args);
	if (length < 0 || (size_t)length >= sizeof(name) || !isfinite(value))
		return 0;
	return walk->each(walk->context, name,
		(struct sample_value){value, missing != NULL, sample_attempt(missing)});
}

/* All metrics of one object that have the flag, as "<prefix><field>". */
static int emit_fields(const struct walk *walk, const struct field table[], enum field_flag flag,
	const json_t *object, const char *prefix, const char *dot)
{
	for (const struct field *f = table; f != NULL && f->name != NULL; f++) {
		const json_t *value = json_object_get(object, f->name);

		if ((f->flags & flag) != 0 && json_is_number(value) &&
			emit(walk, json_number_value(value), NULL, "%s%s%s", prefix, dot,
				f->name) < 0)
			return -1;
	}
	return 0;
}

/* --- steps ----------------------------------------------------------------------------- */

static double phase_sum(const json_t *phases, const char *name)
{
	double sum = 0;
	size_t index;
	json_t *phase;

	json_array_foreach(phases, index, phase) if (strcmp(member(phase, "name"), name) == 0)
		sum += json_number_value(json_object_get(phase, "duration_seconds"));
	return sum;
}

static bool came_before(const json_t *phases, size_t index, const char *name)
{
	for (size_t i = 0; i < index; i++)
		if (strcmp(member(json_array_get(phases, i), "name"), name) == 0)
			return true;
	return false;
}

/* A phase that was gone through twice (two folders) is one value: their sum. */
static int emit_phases(const struct walk *walk, const json_t *step)
{
	const json_t *phases = json_object_get(step, "phases");
	size_t index;
	json_t *phase;

	json_array_foreach(phases, index, phase)
	{
		const char *name = member(phase, "name");

		if (came_before(phases, index, name))
			continue;
		if (emit(walk, phase_sum(phases, name), NULL, "%s.phases.%s", member(step, "id"),
			    name) < 0)
			return -1;
	}
	return 0;
}

/* Of what did not work, the time says how long it was tried, not how long it takes. */
static bool proved(const json_t *object)
{
	const char *outcome = member(object, "outcome");

	return strcmp(outcome, "pass") == 0 || strcmp(outcome, "warn") == 0;
}

/* Taken while the vantage slept, or did not get the processor. */
static bool is_unfit(const json_t *step)
{
	return json_object_get(step, "timings_unfit") != NULL;
}

/* How long the server's certificates are still good, as of the run. */
static int emit_tls_days(const struct walk *walk, const json_t *record, const json_t *step)
{
	int64_t at_ns, expires_ns;

	if (clock_parse(member(step, "tls_expires_at"), &expires_ns) < 0 ||
		clock_parse(member(record, "started_at"), &at_ns) < 0)
		return 0;
	return emit(walk, clock_seconds(expires_ns - at_ns) / 86400, NULL, "%s.%s",
		member(step, "id"), METRIC_TLS_DAYS_LEFT);
}

static int emit_step(const struct walk *walk, const json_t *record, const json_t *step,
	const struct field *(*facts)(const char *step_type))
{
	const char *id = member(step, "id");
	const struct field *table = facts != NULL ? facts(member(step, "type")) : NULL;

	if (is_unfit(step) || !field_is_name(id))
		return 0;
	if (strcmp(member(step, "outcome"), "fail") == 0)
		return emit_fields(walk, table, FIELD_COUNT, step, id, ".");
	if (!proved(step))
		return 0;
	if (emit_fields(walk, record_step, FIELD_METRIC, step, id, ".") < 0 || emit_phases(walk, step) < 0 ||
		emit_tls_days(walk, record, step) < 0)
		return -1;
	return emit_fields(walk, table, FIELD_METRIC, step, id, ".");
}

/* --- mails ----------------------------------------------------------------------------- */

static const json_t *step_of(const json_t *record, const char *id)
{
	size_t index;
	json_t *step;

	json_array_foreach(json_object_get(record, "steps"), index,
		step) if (strcmp(member(step, "id"), id) == 0) return step;
	return NULL;
}

/* The step that looked for a mail: that of the attempt which sent it. */
static const json_t *await_of(const json_t *record, const json_t *mail)
{
	json_int_t attempt = json_integer_value(json_object_get(mail, "attempt"));
	const json_t *one;
	size_t index;

	if (attempt == 0)
		return step_of(record, member(mail, "await"));
	json_array_foreach(json_object_get(record, "attempts"), index, one)
		if (json_integer_value(json_object_get(one, "attempt")) == attempt)
			return step_of(one, member(mail, "await"));
	return NULL;
}

/* A mail that had not come when it was last looked for: it takes at least that long. Where
 * nobody looked (the mailbox was down, the run was cut off), nothing is known and nothing is
 * said. */
static int emit_censored(const struct walk *walk, const json_t *record, const json_t *mail)
{
	static const char *const missing[] = {"accepted", "unknown", "lost", "bounced", NULL};
	const json_t *await = await_of(record, mail);
	const json_t *waited = json_object_get(await, "waited_seconds");

	if (!json_is_number(waited))
		return 0;
	for (size_t i = 0; missing[i] != NULL; i++)
		if (strcmp(member(mail, "state"), missing[i]) == 0)
			return emit(walk, json_number_value(waited), mail,
				"%s." METRIC_DELIVERY, member(mail, "step"));
	return 0;
}

/* A component that had the mail more than once counts with the sum; one of whose delays is not known
 * does not count. */
static int emit_component(
	const struct walk *walk, const json_t *mail, const char *component, size_t first)
{
	const json_t *hops = json_object_get(mail, "hops");
	double total = 0;

	for (size_t i = 0; i < json_array_size(hops); i++) {
		const json_t *hop = json_array_get(hops, i);
		const json_t *delay = json_object_get(hop, "delay_seconds");

		if (strcmp(member(hop, "component"), component) != 0)
			continue;
		if (i < first || delay == NULL)
			return 0;
		total += json_number_value(delay);
	}
	return emit(walk, total, NULL, "%s.hops.%s", member(mail, "step"), component);
}

static int emit_hops(const struct walk *walk, const json_t *mail)
{
	const json_t *hops = json_object_get(mail, "hops");

	for (size_t i = 0; i < json_array_size(hops); i++) {
		const char *component = member(json_array_get(hops, i), "component");

		if (field_is_name(component) && emit_component(walk, mail, component, i) < 0)
			return -1;
	}
	return 0;
}

static int emit_mail(const struct walk *walk, const json_t *record, const json_t *mail)
{
	const char *step = member(mail, "step");

	if (!field_is_name(step) || is_unfit(step_of(record, step)) ||
		is_unfit(step_of(record, member(mail, "await"))))
		return 0;
	if (emit_fields(walk, record_mail, FIELD_METRIC, mail, step, ".") < 0 || emit_hops(walk, mail) < 0)
		return -1;
	if (json_object_get(mail, "delivery_seconds") != NULL)
		return 0;
	return emit_censored(walk, record, mail);
}

static bool any_unfit(const json_t *record)
{
	size_t index;
	json_t *step;

	json_array_foreach(json_object_get(record, "steps"), index,
		step) if (is_unfit(step)) return true;
	return false;
}

/* How many mails this run has settled like that: its own and earlier ones. */
static int emit_counts(const struct walk *walk, const json_t *record)
{
	static const char *const lists[] = {"mails", "settled"};
	size_t index;
	json_t *mail;

	for (size_t i = 0; mail_counts[i] != NULL; i++) {
		json_int_t count = 0;

		for (size_t j = 0; j < 2; j++)
			json_array_foreach(json_object_get(record, lists[j]), index, mail)
				count += strcmp(mail_counts[i], "duplicates") == 0
					? json_integer_value(json_object_get(mail, "duplicates"))
					: strcmp(member(mail, "state"), mail_counts[i]) == 0;
		if (emit(walk, (double)count, NULL, "%s", mail_counts[i]) < 0)
			return -1;
	}
	return 0;
}

int sample_record(const json_t *record, const struct field *(*facts)(const char *step_type),
	sample_each *each, void *context)
{
	const struct walk walk = {each, context};
	size_t index;
	json_t *item;

	if (proved(record) && !any_unfit(record) && emit_fields(&walk, record_run, FIELD_METRIC, record, "", "") < 0)
		return -1;
	if (json_array_size(json_object_get(record, "mails")) +
			json_array_size(json_object_get(record, "settled")) > 0 &&
		emit_counts(&walk, record) < 0)
		return -1;
	json_array_foreach(json_object_get(record, "steps"), index,
		item) if (emit_step(&walk, record, item, facts) < 0) return -1;
	json_array_foreach(json_object_get(record, "mails"), index,
		item) if (emit_mail(&walk, record, item) < 0) return -1;
	return 0;
}

/* --- as bytes -------------------------------------------------------------------------- */

#define CENSORED 1U
#define ATTEMPT_SHIFT 8

void sample_pack(struct history_value value, unsigned char bytes[static SAMPLE_BYTES])
{
	uint32_t head[2] = {htole32(value.metric), htole32((value.censored ? CENSORED : 0) |
				      value.attempt << ATTEMPT_SHIFT)};
	uint64_t bits;

	memcpy(&bits, &value.value, sizeof(bits));
	bits = htole64(bits);
	memcpy(bytes, head, sizeof(head));
	memcpy(bytes + sizeof(head), &bits, sizeof(bits));
}

struct history_value sample_unpack(const unsigned char bytes[static SAMPLE_BYTES])
{
	struct history_value value;
	uint32_t head[2];
	uint64_t bits;

	memcpy(head, bytes, sizeof(head));
	memcpy(&bits, bytes + sizeof(head), sizeof(bits));
	bits = le64toh(bits);
	value.metric = le32toh(head[0]);
	value.censored = (le32toh(head[1]) & CENSORED) != 0;
	value.attempt = le32toh(head[1]) >> ATTEMPT_SHIFT & ATTEMPT_MOST;
	memcpy(&value.value, &bits, sizeof(bits));
	return value;
}
