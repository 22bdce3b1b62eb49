#include "trace.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "clock.h"
#include "received.h"
#include "timeline.h"
#include "verdicts.h"

#include "ban.h"

struct trace {
	struct received hops[RECEIVED_MAX];
	size_t count, omitted;
	struct timeline timeline;
};

static void set_text(json_t *object, const char *name, const char *text)
{
	if (text[0] != '\0')
		json_object_set_new(object, name, json_string(text));
}

static void set_seconds(json_t *object, const char *name, int64_t ns)
{
	json_object_set_new(object, name, json_real(clock_seconds(ns)));
}

/* --- the timeline ---------------------------------------------------------------------- */

/* The first hop is the server that we spoke to if it names us as we did, or if it has named the
 * mail in its reply as it does in its field. */
static bool is_peer(const struct received *first, const struct trace_way *way)
{
	if (way->helo[0] != '\0' && strcasecmp(first->helo, way->helo) == 0)
		return true;
	return strlen(first->id) >= 6 && strstr(way->reply, first->id) != NULL;
}

static void build_timeline(const struct trace_way *way, struct trace *trace)
{
	struct timeline *timeline = &trace->timeline;

	*timeline = (struct timeline){
		.offered_ns = way->offered_ns,
		.accepted_ns = way->accepted_ns,
		.absent_ns = way->absent_ns,
		.present_ns = way->present_ns,
		.first_is_peer =
			trace->omitted == 0 && trace->count > 0 && is_peer(&trace->hops[0], way),
	};
	for (size_t i = 0; i < trace->count; i++) {
		const struct received *hop = &trace->hops[i];

		timeline->stops[timeline->count++] = (struct stop){
			.clock = hop->by[0] != '\0' ? hop->by : NULL,
			.stamped = hop->dated,
			.stamp_ns = hop->at_ns,
			.resolution_ns = hop->resolution_ns,
		};
	}
	if (way->stored_ns != 0)
		timeline->stops[timeline->count++] = (struct stop){
			.stamped = true,
			.stamp_ns = way->stored_ns,
			.resolution_ns = NS_PER_SECOND,
		};
	timeline_solve(timeline);
}

/* --- as a record ----------------------------------------------------------------------- */

/* By what it calls itself, or by what the next one calls it. */
static const char *component_of(const struct probe *probe, const struct trace *trace, size_t i)
{
	const struct journey *journey = probe->run->journey;
	const char *name = journey_component(journey, trace->hops[i].by);

	if (name == NULL && i + 1 < trace->count)
		name = journey_component(journey, trace->hops[i + 1].helo);
	if (name == NULL && i + 1 < trace->count)
		name = journey_component(journey, trace->hops[i + 1].name);
	return name;
}

static void describe_server(const struct received *hop, const char *component, json_t *to)
{
	set_text(to, "by", hop->by);
	set_text(to, "component", component != NULL ? component : "");
	set_text(to, "from",
		hop->helo[0] != '\0'           ? hop->helo
			: hop->name[0] != '\0' ? hop->name
					       : hop->address);
	set_text(to, "with", hop->with);
	set_text(to, "id", hop->id);
}

static const char *why_unknown(const struct stop *stop, bool is_last)
{
	if (!stop->stamped)
		return "its date cannot be read";
	if (stop->skewed)
		return "its clock is wrong, by how much is not known well enough";
	return is_last ? "nothing is known of when the mail came"
		       : "the next hop's clock is wrong, or its date cannot be read";
}

static void describe_times(const struct stop *stop, bool is_last, json_t *to)
{
	char text[CLOCK_TIMESTAMP_SIZE];

	if (stop->stamped) {
		clock_format(stop->stamp_ns, text);
		set_text(to, "stamped_at", text);
	}
	if (stop->known)
		set_seconds(to, "delay_seconds", stop->delay_ns);
	else
		set_text(to, "unknown", why_unknown(stop, is_last));
	set_seconds(to, "delay_seconds_min", stop->delay.min_ns);
	set_seconds(to, "delay_seconds_max", stop->delay.max_ns);
	if (!stop->stamped)
		return;
	set_seconds(to, "clock_offset_seconds_min", stop->offset.min_ns);
	set_seconds(to, "clock_offset_seconds_max", stop->offset.max_ns);
	if (stop->skewed)
		json_object_set_new(to, "clock_wrong", json_true());
}

static json_t *describe(const struct probe *probe, const struct trace *trace)
{
	const struct timeline *timeline = &trace->timeline;
	json_t *hops = json_array();

	for (size_t i = 0; i < timeline->count; i++) {
		bool is_received = i < trace->count;
		json_t *hop = json_object();

		set_text(hop, "event", is_received ? "received" : "stored");
		if (is_received)
			describe_server(&trace->hops[i], component_of(probe, trace, i), hop);
		else if (i > 0)
			/* The store is the last server, as far as anybody outside can tell. */
			describe_server(
				&(struct received){0}, component_of(probe, trace, i - 1), hop);
		describe_times(&timeline->stops[i], i + 1 == timeline->count, hop);
		json_array_append_new(hops, hop);
	}
	return hops;
}

/* --- verdicts -------------------------------------------------------------------------- */

static void keep_authentication(
	struct probe *probe, const struct trace *trace, const char *header, size_t length)
{
	const char *at = strrchr(probe->account->address, '@');
	const struct authserv whose = {
		.id = step_string(probe->step, "authserv_id"),
		.by = trace->count > 0 ? trace->hops[trace->count - 1].by : "",
		.domain = at != NULL ? at + 1 : "",
	};
	struct authentication found;

	if (!authentication_read(header, length, &whose, &found))
		return;
	set_text(probe->facts, "authserv_id", found.authserv_id);
	set_text(probe->facts, "spf", found.spf);
	set_text(probe->facts, "dkim", found.dkim);
	set_text(probe->facts, "dmarc", found.dmarc);
}

static void keep_spam(struct probe *probe, const char *header, size_t length)
{
	struct spam_verdict found;

	spam_read(header, length, &found);
	if (found.has_flag)
		json_object_set_new(probe->facts, "spam_flag", json_boolean(found.flag));
	if (found.has_score)
		json_object_set_new(probe->facts, "spam_score", json_real(found.score));
	if (found.limit != 0)
		json_object_set_new(probe->facts, "spam_limit", json_real(found.limit));
	if (found.has_level)
		json_object_set_new(probe->facts, "spam_level", json_integer(found.level));
}

/* --- the whole ------------------------------------------------------------------------- */

/* NULL if there is no memory for it. */
static struct trace *follow(const char *header, const struct trace_way *way)
{
	struct trace *trace = calloc(1, sizeof(*trace));

	if (trace == NULL)
		return NULL;
	trace->count = received_read(header, strlen(header), trace->hops, &trace->omitted);
	build_timeline(way, trace);
	return trace;
}

json_t *trace_hops(const struct probe *probe, const char *header, const struct trace_way *way)
{
	struct trace *trace = follow(header, way);
	json_t *hops = trace != NULL ? describe(probe, trace) : NULL;

	free(trace);
	return hops;
}

static int64_t label(const struct probe *probe, int64_t monotonic_ns)
{
	return monotonic_ns == 0 ? 0 : clock_label(probe->run->origin, monotonic_ns);
}

void trace_keep(
	struct probe *probe, const char *header, int64_t stored_ns, struct probe_mail *mail)
{
	const struct trace_way way = {
		.offered_ns =
			label(probe, mail->offered_ns != 0 ? mail->offered_ns : mail->sending_ns),
		.accepted_ns = label(probe, mail->accepted_ns),
		.absent_ns = label(probe, mail->absent_ns),
		.present_ns = label(probe, mail->present_ns),
		.stored_ns = stored_ns,
		.helo = mail->helo,
		.reply = mail->reply,
	};
	struct trace *trace = header != NULL ? follow(header, &way) : NULL;

	if (trace == NULL)
		return;
	json_decref(mail->hops);
	mail->hops = describe(probe, trace);
	json_object_set(probe->facts, "hops", mail->hops);
	if (trace->omitted > 0)
		json_object_set_new(probe->facts, "hops_omitted",
			json_integer((json_int_t)trace->omitted));
	if (trace->timeline.contradictory)
		json_object_set_new(probe->facts, "clock_was_set", json_true());
	keep_authentication(probe, trace, header, strlen(header));
	keep_spam(probe, header, strlen(header));
	free(trace);
}
