#include "timeline.h"

#include <string.h>
#include <strings.h>

#include "clock.h"

#include "ban.h"

/* Microseconds inside: sums of as many distances as there can be, of two centuries each, fit. */
#define UNIT 1000
#define NEVER (INT64_MAX / 4)
/* The clock that a server stamps with may lag by a tick behind the one that it reads otherwise. */
#define TICK (10 * NS_PER_MS)
/* A delay that is known this well is known, whatever the clocks. */
#define NARROW (2 * NS_PER_SECOND)

#define ORIGIN 0 /* our MAIL command: instants count from it */
#define NODES_MAX (2 * TIMELINE_MAX + 2)

/* limit[a][b]: the most by which b can be later than a. A clock's node is how much it is behind. */
struct net {
	int64_t limit[NODES_MAX][NODES_MAX];
	size_t count;
	size_t seen;                     /* the node of the mail's arrival */
	size_t clock_of[TIMELINE_MAX];   /* by stop */
	const char *names[TIMELINE_MAX]; /* by clock */
	size_t clocks;
};

static size_t stop_node(size_t stop)
{
	return 1 + stop;
}

static int64_t round_up(int64_t ns)
{
	return ns / UNIT + (ns % UNIT > 0);
}

static int64_t sum(int64_t a, int64_t b)
{
	return a >= NEVER || b >= NEVER ? NEVER : a + b;
}

/* b is later than a by at most so many nanoseconds. */
static void constrain(struct net *net, size_t a, size_t b, int64_t ns)
{
	int64_t limit = round_up(ns);

	if (limit < net->limit[a][b])
		net->limit[a][b] = limit;
}

/* --- what is certain ------------------------------------------------------------------- */

static bool same_clock(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcasecmp(a, b) == 0;
}

static void name_clocks(struct net *net, const struct timeline *timeline, bool shared)
{
	for (size_t i = 0; i < timeline->count; i++) {
		size_t clock = 0;

		while (clock < net->clocks &&
			(!shared || !same_clock(net->names[clock], timeline->stops[i].clock)))
			clock++;
		if (clock == net->clocks)
			net->names[net->clocks++] = timeline->stops[i].clock;
		net->clock_of[i] = clock;
	}
	net->seen = 1 + timeline->count;
	net->count = net->seen + 1 + net->clocks;
	for (size_t i = 0; i < timeline->count; i++)
		net->clock_of[i] += net->seen + 1;
}

static void add_stop(struct net *net, const struct timeline *timeline, size_t i)
{
	const struct stop *stop = &timeline->stops[i];
	int64_t stamp = stop->stamp_ns - timeline->offered_ns;

	constrain(net, stop_node(i), i == 0 ? ORIGIN : stop_node(i - 1), 0);
	if (!stop->stamped)
		return;
	constrain(net, net->clock_of[i], stop_node(i), stamp + stop->resolution_ns + TICK);
	constrain(net, stop_node(i), net->clock_of[i], -stamp);
}

static void add_certain(struct net *net, const struct timeline *timeline)
{
	size_t last = timeline->count > 0 ? stop_node(timeline->count - 1) : ORIGIN;
	int64_t present = timeline->present_ns - timeline->offered_ns;
	int64_t absent = timeline->absent_ns - timeline->offered_ns;
	int64_t accepted = timeline->accepted_ns - timeline->offered_ns;

	for (size_t i = 0; i < timeline->count; i++)
		add_stop(net, timeline, i);
	constrain(net, net->seen, last, 0);
	constrain(net, ORIGIN, net->seen, present);
	if (timeline->absent_ns != 0 && absent <= present)
		constrain(net, net->seen, ORIGIN, -absent);
	if (timeline->first_is_peer && timeline->accepted_ns != 0 && accepted >= 0)
		constrain(net, ORIGIN, stop_node(0), accepted);
}

/* Shortest paths (Floyd and Warshall); false if what is certain contradicts itself. */
static bool close_net(struct net *net)
{
	for (size_t k = 0; k < net->count; k++) {
		for (size_t i = 0; i < net->count; i++)
			for (size_t j = 0; j < net->count; j++) {
				int64_t by_k = sum(net->limit[i][k], net->limit[k][j]);

				if (by_k < net->limit[i][j])
					net->limit[i][j] = by_k;
			}
		/* At once: distances of a contradiction double with each step. */
		for (size_t i = 0; i < net->count; i++)
			if (net->limit[i][i] < 0)
				return false;
	}
	return true;
}

static bool build(struct net *net, const struct timeline *timeline, bool shared)
{
	*net = (struct net){0};
	name_clocks(net, timeline, shared);
	for (size_t i = 0; i < net->count; i++)
		for (size_t j = 0; j < net->count; j++)
			net->limit[i][j] = i == j ? 0 : NEVER;
	add_certain(net, timeline);
	return close_net(net);
}

/* --- what follows ---------------------------------------------------------------------- */

/* How much b is later than a. */
static struct bounds difference(const struct net *net, size_t a, size_t b)
{
	return (struct bounds){-net->limit[b][a] * UNIT, net->limit[a][b] * UNIT};
}

static size_t next_node(const struct timeline *timeline, size_t stop, const struct net *net)
{
	return stop + 1 < timeline->count ? stop_node(stop + 1) : net->seen;
}

static void read_bounds(const struct net *net, struct timeline *timeline)
{
	for (size_t i = 0; i < timeline->count; i++) {
		struct stop *stop = &timeline->stops[i];

		stop->delay = difference(net, stop_node(i), next_node(timeline, i, net));
		if (!stop->stamped)
			continue;
		stop->offset = difference(net, net->clock_of[i], ORIGIN);
		stop->skewed = stop->offset.min_ns > 0 || stop->offset.max_ns < 0;
	}
}

/* Only what is between two stamps of clocks that may be right can be guessed. */
static bool may_be_guessed(const struct timeline *timeline, size_t i)
{
	const struct stop *stop = &timeline->stops[i];

	if (stop->delay.max_ns - stop->delay.min_ns <= NARROW)
		return true;
	if (!stop->stamped || stop->skewed)
		return false;
	return i + 1 == timeline->count || (stop[1].stamped && !stop[1].skewed);
}

/* The node's instant is what it is: everything else follows. */
static void pin(struct net *net, size_t node, int64_t at)
{
	for (size_t i = 0; i < net->count; i++)
		for (size_t j = 0; j < net->count; j++) {
			int64_t from = sum(sum(net->limit[i][ORIGIN], at), net->limit[node][j]);
			int64_t to = sum(sum(net->limit[i][node], -at), net->limit[ORIGIN][j]);
			int64_t least = from < to ? from : to;

			if (least < net->limit[i][j])
				net->limit[i][j] = least;
		}
}

static int64_t pin_middle(struct net *net, size_t node)
{
	int64_t min = -net->limit[node][ORIGIN], max = net->limit[ORIGIN][node];
	int64_t at = min + (max - min) / 2;

	pin(net, node, at);
	return at;
}

/* As near to right as it can be. */
static void pin_clock(struct net *net, size_t node)
{
	int64_t min = -net->limit[node][ORIGIN], max = net->limit[ORIGIN][node];

	if (min > -NEVER && max < NEVER)
		pin(net, node, min > 0 ? min : max < 0 ? max : 0);
}

/* One course of events that fits, so that the delays add up. */
static void guess(struct net *net, struct timeline *timeline)
{
	int64_t at, next;

	for (size_t clock = 0; clock < net->clocks; clock++)
		pin_clock(net, net->seen + 1 + clock);
	pin_middle(net, net->seen);
	at = timeline->count > 0 ? pin_middle(net, stop_node(0)) : 0;
	for (size_t i = 0; i < timeline->count; i++, at = next) {
		next = pin_middle(net, next_node(timeline, i, net));
		timeline->stops[i].known = may_be_guessed(timeline, i);
		timeline->stops[i].delay_ns = (next - at) * UNIT;
	}
}

void timeline_solve(struct timeline *timeline)
{
	struct net net;

	timeline->contradictory = !build(&net, timeline, true);
	if (timeline->contradictory)
		build(&net, timeline, false);
	read_bounds(&net, timeline);
	guess(&net, timeline);
}
