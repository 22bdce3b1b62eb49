#include "machine.h"

#include "ban.h"

static int64_t boot_lead(void)
{
	return clock_boot() - clock_now();
}

void machine_begin(struct machine *machine, struct clock_origin origin)
{
	*machine = (struct machine){.lock = PTHREAD_MUTEX_INITIALIZER,
		.origin = origin,
		.boot_ns = boot_lead(),
		.discipline = clock_discipline(),
		.looked_ns = clock_now()};
}

/* A flood of lapses is one: the last place takes all that follow. */
static void note(
	struct machine *machine, enum error_type type, int64_t from_ns, int64_t now, int64_t lost)
{
	struct machine_lapse *last = &machine->lapses[MACHINE_LAPSES_MAX - 1];

	if (machine->lapse_count < MACHINE_LAPSES_MAX) {
		machine->lapses[machine->lapse_count++] = (struct machine_lapse){
			.type = type, .from_ns = from_ns, .until_ns = now, .lost_ns = lost};
		return;
	}
	last->until_ns = now;
	last->lost_ns += lost;
}

static void look_at_processor(struct machine *machine, int64_t now)
{
	int64_t delay = now - machine->expected_ns;

	if (machine->expected_ns == 0 || delay <= 0)
		return;
	if (delay > machine->delay_max_ns)
		machine->delay_max_ns = delay;
	if (delay > MACHINE_STARVED)
		note(machine, ERROR_LOCAL_STARVED, machine->expected_ns, now, delay);
	/* Who looks next is late for what comes from here on. */
	machine->expected_ns = now;
}

static void look_at_sleep(struct machine *machine, int64_t now)
{
	int64_t slept = boot_lead() - machine->boot_ns;

	if (slept < MACHINE_SUSPENDED)
		return;
	note(machine, ERROR_LOCAL_SUSPENDED, machine->looked_ns, now, slept);
	machine->suspended_ns += slept;
	machine->boot_ns += slept;
}

static int64_t magnitude(int64_t ns)
{
	return ns < 0 ? -ns : ns;
}

/* The wall clock does run on while the machine is suspended. */
static void look_at_clock(struct machine *machine, int64_t now)
{
	int64_t jump = clock_wall() - clock_label(machine->origin, now) - machine->suspended_ns;

	if (magnitude(jump) > magnitude(machine->jump_ns))
		machine->jump_ns = jump;
}

static void look(struct machine *machine)
{
	int64_t now = clock_now();

	look_at_processor(machine, now);
	look_at_sleep(machine, now);
	look_at_clock(machine, now);
	machine->looked_ns = now;
}

void machine_look(struct machine *machine)
{
	pthread_mutex_lock(&machine->lock);
	look(machine);
	pthread_mutex_unlock(&machine->lock);
}

struct deadline machine_expect(struct machine *machine)
{
	struct deadline next;

	pthread_mutex_lock(&machine->lock);
	look(machine);
	machine->expected_ns = machine->looked_ns + MACHINE_PERIOD;
	next = (struct deadline){.at_ns = machine->expected_ns};
	pthread_mutex_unlock(&machine->lock);
	return next;
}

void machine_rest(struct machine *machine)
{
	pthread_mutex_lock(&machine->lock);
	look(machine);
	machine->expected_ns = 0;
	pthread_mutex_unlock(&machine->lock);
}

/* How much of the lapse lies between the two instants. A suspension has no length of its own on the
 * monotonic clock: wherever it touches, all of it was lost. */
static int64_t lost_between(const struct machine_lapse *lapse, int64_t from_ns, int64_t until_ns)
{
	int64_t from = lapse->from_ns > from_ns ? lapse->from_ns : from_ns;
	int64_t until = lapse->until_ns < until_ns ? lapse->until_ns : until_ns;

	if (until <= from)
		return 0;
	return lapse->type == ERROR_LOCAL_SUSPENDED || until - from > lapse->lost_ns
		? lapse->lost_ns
		: until - from;
}

int64_t machine_lost(
	struct machine *machine, enum error_type type, int64_t from_ns, int64_t until_ns)
{
	int64_t lost = 0;

	pthread_mutex_lock(&machine->lock);
	for (size_t i = 0; i < machine->lapse_count; i++)
		if (machine->lapses[i].type == type)
			lost += lost_between(&machine->lapses[i], from_ns, until_ns);
	pthread_mutex_unlock(&machine->lock);
	return lost;
}

bool machine_clock_is_wrong(struct machine *machine)
{
	bool jumped;

	pthread_mutex_lock(&machine->lock);
	jumped = magnitude(machine->jump_ns) > MACHINE_JUMPED;
	pthread_mutex_unlock(&machine->lock);
	return jumped || clock_wall() < MACHINE_EPOCH;
}

const char *machine_clock_doubt(struct machine *machine, bool trusted)
{
	if (machine_clock_is_wrong(machine))
		return clock_wall() < MACHINE_EPOCH
			? "its clock is years behind"
			: "its clock was set while the run was going on";
	return machine->discipline.synchronised || trusted ? NULL : "nothing keeps its clock synchronised";
}

json_t *machine_json(struct machine *machine)
{
	json_t *state;

	pthread_mutex_lock(&machine->lock);
	state = json_pack("{s:b, s:f, s:f, s:f}", "clock_synchronised",
		machine->discipline.synchronised, "clock_error_seconds_max",
		machine->discipline.error_seconds, "clock_jump_seconds",
		clock_seconds(machine->jump_ns), "suspended_seconds",
		clock_seconds(machine->suspended_ns));
	if (machine->expected_ns != 0 || machine->delay_max_ns != 0)
		json_object_set_new(state, "scheduler_delay_seconds_max",
			json_real(clock_seconds(machine->delay_max_ns)));
	pthread_mutex_unlock(&machine->lock);
	return state;
}
