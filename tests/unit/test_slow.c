/* From when on a step is slow: a limit's threshold, or far over what is usual. */
#include "slow.h"
#include "store_help.h"

#include "history.h"

static struct failure why;

static void add_runs(struct state *state, int count, double seconds)
{
	for (int i = 0; i < count; i++) {
		json_t *record = make_result(TEST_START + i * TEST_MINUTE, "pass");

		add_step(record, "login", "pass", seconds + 0.01 * i);
		went_well(history_add(state, record, &why), &why, "a run is kept");
		json_decref(record);
	}
}

static double figure(struct state *state, const struct scenario *scenario, int64_t at_ns,
	const char *metric)
{
	json_t *figures = slow_figures(state, scenario, "here", at_ns);
	json_t *value = json_object_get(figures, metric);
	double seconds = value != NULL ? json_number_value(value) : -1;

	json_decref(figures);
	return seconds;
}

int main(void)
{
	const struct step step = {.id = "login"};
	const struct limit limits[] = {
		{.metric = "in.delivery_seconds",
			.warn = {.is_set = true, .threshold = 30, .unit = LIMIT_SECONDS},
			.crit = {.is_set = true, .threshold = 60, .unit = LIMIT_SECONDS}},
		{.metric = "failure_rate",
			.warn = {.is_set = true, .threshold = 0.1, .unit = LIMIT_SHARE}},
	};
	const struct scenario scenario = {.journey = {.customer = "acme", .scenario = "mail",
						  .steps = &step, .step_count = 1},
		.limits = limits,
		.limit_count = 2};
	const int64_t soon = TEST_START + 60 * TEST_MINUTE;
	struct state *state = state_open(make_folder(), &why);

	is_near(figure(state, &scenario, soon, "in.delivery_seconds"), 30, 0, "the lower threshold");
	is_near(figure(state, &scenario, soon, "failure_rate"), -1, 0, "a share is no duration");
	add_runs(state, 9, 1);
	is_near(figure(state, &scenario, soon, "login.duration_seconds"), -1, 0,
		"of 9 runs nobody knows what is usual");
	add_runs(state, 12, 1);
	is_near(figure(state, &scenario, soon, "login.duration_seconds"), 3 * 1.05, 0.1,
		"then it is three times the median");
	is_near(figure(state, &scenario, soon + 48 * 60 * TEST_MINUTE, "login.duration_seconds"),
		-1, 0, "of the last 24 hours");
	state_close(&state);
	remove_folder();
	state = state_open(make_folder(), &why);
	add_runs(state, 20, 0.01);
	ok(figure(state, &scenario, soon, "login.duration_seconds") > 0.55,
		"and half a second more at least");
	state_close(&state);
	return done_testing();
}
