/* What a record shows, part by part: connections, dialogues with servers, mails on their way. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "observation.h"
#include "text.h"

#include "ban.h"

/* What is less is within what a machine and a network do by themselves. */
#define LEAST_SECONDS 0.5
#define LEAST_RTT_SECONDS 0.01
#define LEAST_RETRANSMITS 3.0
/* A slow phase is the network's if its round trips explain all but that much. */
#define SLACK_SECONDS 0.1

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text != NULL ? text : "";
}

static double number_of(const json_t *object, const char *key)
{
	return json_number_value(json_object_get(object, key));
}

static struct observation *add(struct observations *to)
{
	static struct observation spare;
	struct observation *added = to->count < OBSERVATIONS_MAX ? &to->items[to->count++] : &spare;

	*added = (struct observation){.certain = true};
	return added;
}

__attribute__((format(printf, 5, 6))) static void suspect(struct observation *observation,
	const char *role, const char *host, const char *component, const char *format, ...)
{
	struct suspect *added = &observation->suspects[observation->suspect_count++];
	va_list args;

	*added = (struct suspect){.role = role};
	text_copy(added->host, sizeof(added->host), host);
	text_copy(added->component, sizeof(added->component), component);
	va_start(args, format);
	vsnprintf(added->where, sizeof(added->where), format, args);
	va_end(args);
}

/* --- the network ----------------------------------------------------------------------- */

/* By how much a round trip of this step is longer than usual; 0: by nothing that counts. */
static double network_excess(
	const json_t *step, const struct baseline *baseline, struct observations *to)
{
	double value = number_of(step, "network_rtt_min_seconds"), usual;
	char metric[160];
	struct observation *seen;
	enum standing standing;

	snprintf(metric, sizeof(metric), "%s.network_rtt_min_seconds", text_of(step, "id"));
	standing = baseline_compare(baseline, metric, value, LEAST_RTT_SECONDS, &usual);
	if (json_object_get(step, "network_rtt_min_seconds") == NULL ||
		standing == STANDING_UNKNOWN)
		return 0;
	seen = add(to);
	seen->slow = standing == STANDING_UNUSUAL;
	seen->value = value;
	seen->usual = usual;
	text_copy(seen->metric, sizeof(seen->metric), metric);
	suspect(seen, "network", "", "network", "the way to all servers");
	suspect(seen, "network-to", text_of(step, "server"), "network", "the way to %s",
		text_of(step, "server"));
	return seen->slow ? value - usual : 0;
}

static bool loses_segments(const json_t *step, const struct baseline *baseline)
{
	double usual;
	char metric[160];

	snprintf(metric, sizeof(metric), "%s.retransmits", text_of(step, "id"));
	return baseline_compare(baseline, metric, number_of(step, "retransmits"), LEAST_RETRANSMITS,
		       &usual) == STANDING_UNUSUAL;
}

/* --- dialogues ------------------------------------------------------------------------- */

enum group { GROUP_DNS, GROUP_LOGIN, GROUP_SERVER, GROUP_NONE };

#define GROUPS 3

/* A wait for a mail is no dialogue. */
static enum group group_of(const json_t *step, const char *phase)
{
	if (strcmp(phase, "wait") == 0 || strcmp(phase, "recheck") == 0)
		return GROUP_NONE;
	if (strcmp(phase, "resolve") == 0)
		return GROUP_DNS;
	return strncmp(text_of(step, "type"), "imap_", 5) == 0 && strcmp(phase, "auth") == 0
		? GROUP_LOGIN
		: GROUP_SERVER;
}

static const struct {
	const char *type, *component; /* of all types that begin so */
} kinds[] = {
	{"smtp_send", "submission"},
	{"mx_send", "exchanger"},
	{"imap_", "mailstore"},
	{"pop3_", "pop3"},
	{"webmail_", "webmail"},
	{"caldav_", "calendar"},
	{"carddav_", "contacts"},
	{"dns_", "dns"},
	{"", "server"},
};

static const char *kind_of(const json_t *step)
{
	size_t i = 0;

	while (strncmp(text_of(step, "type"), kinds[i].type, strlen(kinds[i].type)) != 0)
		i++;
	return kinds[i].component;
}

static void host_of(const json_t *step, char *host, size_t size)
{
	text_copy(host, size, text_of(step, "server"));
	host[strcspn(host, ":")] = '\0';
}

static void suspect_server(
	struct observation *seen, const json_t *step, enum group group, const char *phase)
{
	const char *id = text_of(step, "id"), *server = text_of(step, "server");
	char host[128], *dot;

	host_of(step, host, sizeof(host));
	dot = strchr(host, '.');
	if (group == GROUP_DNS) {
		suspect(seen, "dns", "", "dns", "%s.phases.%s", id, phase);
	} else if (group == GROUP_LOGIN) {
		suspect(seen, "login", server, "imap-login", "%s.phases.%s, at %s", id, phase,
			server);
	} else {
		suspect(seen, "dialogue", server, kind_of(step), "%s.phases.%s, at %s", id, phase,
			server);
		if (dot != NULL && strstr(text_of(step, "type"), "_send") != NULL)
			suspect(seen, "smtp", dot + 1, "smtp", "phase %s of all that take mail",
				phase);
	}
}

struct phase_sum {
	const char *name;
	double seconds;
	json_int_t round_trips;
};

static struct phase_sum sum_phase(const json_t *phases, const char *name)
{
	struct phase_sum sum = {.name = name};
	size_t index;
	json_t *phase;

	json_array_foreach(phases, index, phase)
	{
		if (strcmp(text_of(phase, "name"), name) != 0)
			continue;
		sum.seconds += number_of(phase, "duration_seconds");
		sum.round_trips += json_integer_value(json_object_get(phase, "round_trips"));
	}
	return sum;
}

/* The phase of a group that is slowest against what is usual stands for it. */
static void observe_group(const json_t *step, enum group group, const struct baseline *baseline,
	double rtt_excess, struct observations *to)
{
	const json_t *phases = json_object_get(step, "phases");
	struct observation best = {.certain = true}, *seen;
	const char *phase_name = NULL;
	bool network = false;
	size_t index;
	json_t *phase;

	json_array_foreach(phases, index, phase)
	{
		struct phase_sum sum = sum_phase(phases, text_of(phase, "name"));
		enum standing standing;
		char metric[160];
		double usual;

		if (group_of(step, sum.name) != group)
			continue;
		snprintf(metric, sizeof(metric), "%s.phases.%s", text_of(step, "id"), sum.name);
		standing = baseline_compare(baseline, metric, sum.seconds, LEAST_SECONDS, &usual);
		if (standing == STANDING_UNKNOWN ||
			(phase_name != NULL && sum.seconds - usual <= best.value - best.usual))
			continue;
		phase_name = sum.name;
		best.slow = standing == STANDING_UNUSUAL;
		best.value = sum.seconds;
		best.usual = usual;
		text_copy(best.metric, sizeof(best.metric), metric);
		network = best.slow &&
			(sum.seconds - usual <=
					(double)sum.round_trips * rtt_excess + SLACK_SECONDS ||
				loses_segments(step, baseline));
	}
	if (phase_name == NULL)
		return;
	seen = add(to);
	*seen = best;
	if (!network) {
		suspect_server(seen, step, group, phase_name);
		return;
	}
	suspect(seen, "network", "", "network", "the way to all servers");
	suspect(seen, "network-to", text_of(step, "server"), "network", "the way to %s",
		text_of(step, "server"));
}

static void observe_step(
	const json_t *step, const struct baseline *baseline, struct observations *to)
{
	double rtt_excess;

	if (strcmp(text_of(step, "outcome"), "pass") != 0 &&
		strcmp(text_of(step, "outcome"), "warn") != 0)
		return;
	rtt_excess = network_excess(step, baseline, to);
	for (int group = 0; group < GROUPS; group++)
		observe_group(step, (enum group)group, baseline, rtt_excess, to);
}

/* --- mails ----------------------------------------------------------------------------- */

/* A stretch of a mail's way: hops of one holder in a row. */
struct stretch {
	const char *holder; /* component, or what the server calls itself */
	const char *next;   /* the next one's; NULL: the mailbox */
	double least, likely;
	bool known;
	size_t hops;
};

static const char *holder_of(const json_t *hop)
{
	const char *component = text_of(hop, "component");

	return component[0] != '\0' ? component : text_of(hop, "by");
}

/* The stretch that begins with hop `first`. The mailstore is the last server's. */
static struct stretch stretch_at(const json_t *hops, size_t first)
{
	struct stretch stretch = {.holder = holder_of(json_array_get(hops, first)), .known = true};

	for (size_t i = first; i < json_array_size(hops); i++) {
		const json_t *hop = json_array_get(hops, i);

		if (strcmp(text_of(hop, "event"), "stored") != 0 &&
			strcmp(holder_of(hop), stretch.holder) != 0) {
			stretch.next = holder_of(hop);
			break;
		}
		stretch.least += number_of(hop, "delay_seconds_min");
		stretch.likely += number_of(hop, "delay_seconds");
		stretch.known = stretch.known && json_object_get(hop, "delay_seconds") != NULL;
		stretch.hops++;
	}
	return stretch;
}

static void suspect_holder(struct observation *seen, const struct stretch *stretch)
{
	if (stretch->next == NULL) {
		suspect(seen, "store", stretch->holder, stretch->holder, "from %s into the mailbox",
			stretch->holder);
		return;
	}
	suspect(seen, "held", stretch->holder, stretch->holder, "at %s, before %s had it",
		stretch->holder, stretch->next);
	suspect(seen, "into", stretch->next, stretch->next, "from %s into %s", stretch->holder,
		stretch->next);
}

static struct observation *add_mail(
	const json_t *mail, double value, double usual, bool slow, struct observations *to)
{
	struct observation *seen = add(to);

	seen->slow = slow;
	seen->value = value;
	seen->usual = usual;
	seen->leg = json_string_value(json_object_get(mail, "leg"));
	snprintf(seen->metric, sizeof(seen->metric), "%s.delivery_seconds", text_of(mail, "step"));
	return seen;
}

/* Nothing that a mail went through quickly is to blame. */
static void observe_quick_mail(
	const json_t *mail, double value, double usual, struct observations *to)
{
	const json_t *hops = json_object_get(mail, "hops");
	struct stretch stretch;

	for (size_t i = 0; i < json_array_size(hops); i += stretch.hops) {
		stretch = stretch_at(hops, i);
		suspect_holder(add_mail(mail, value, usual, false, to), &stretch);
	}
}

/* The one stretch that took more than all of the way usually does, and half of what came on top. */
static void observe_slow_mail(
	const json_t *mail, double value, double usual, struct observations *to)
{
	const json_t *hops = json_object_get(mail, "hops");
	struct observation *seen = add_mail(mail, value, usual, true, to);
	double needed = usual + (value - usual) / 2;
	struct stretch stretch;

	for (size_t i = 0; i < json_array_size(hops) && seen->suspect_count == 0;
		i += stretch.hops) {
		stretch = stretch_at(hops, i);
		if (stretch.holder[0] == '\0' ||
			(stretch.least < needed && (!stretch.known || stretch.likely < needed)))
			continue;
		seen->certain = stretch.least >= needed;
		suspect_holder(seen, &stretch);
	}
}

static void observe_mail(
	const json_t *mail, const struct baseline *baseline, struct observations *to)
{
	double value = number_of(mail, "delivery_seconds"), usual;
	char metric[160];
	enum standing standing;

	if (json_object_get(mail, "delivery_seconds") == NULL)
		return;
	snprintf(metric, sizeof(metric), "%s.delivery_seconds", text_of(mail, "step"));
	standing = baseline_compare(baseline, metric, value, LEAST_SECONDS, &usual);
	if (standing == STANDING_UNUSUAL)
		observe_slow_mail(mail, value, usual, to);
	else if (standing == STANDING_USUAL)
		observe_quick_mail(mail, value, usual, to);
}

void observe_record(const json_t *record, const struct baseline *baseline, struct observations *to)
{
	size_t index;
	json_t *item;

	json_array_foreach(json_object_get(record, "steps"), index, item)
		observe_step(item, baseline, to);
	json_array_foreach(json_object_get(record, "mails"), index, item)
		observe_mail(item, baseline, to);
}
