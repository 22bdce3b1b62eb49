#include "plan.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"

#include "ban.h"

static const char *get_string(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

/* The file of a zone was there a moment ago, when the scenario was checked. */
static void build_calendar(struct calendar *calendar, const char *name, const json_t *config,
	const char *times)
{
	if (!calendar_open(calendar, name, get_string(config, "zone"),
		    json_object_get(config, times), json_object_get(config, "closed")))
		abort();
}

static int64_t moment_of(const struct zone *zone, const char *text, bool last)
{
	int64_t shown = 0;

	moment_parse(text, &shown);
	return zone_instant(zone, shown, last) * NS_PER_SECOND;
}

static void build_maintenance(
	const struct plan *plan, struct maintenance *maintenance, const json_t *config)
{
	const char *calendar = get_string(config, "calendar");
	struct zone *zone;

	maintenance->name = get_string(config, "name");
	if (calendar != NULL) {
		maintenance->calendar = plan_calendar(plan, calendar);
	} else if (json_object_get(config, "weekly") != NULL) {
		build_calendar(&maintenance->own, maintenance->name, config, "weekly");
		maintenance->calendar = &maintenance->own;
	} else {
		zone = zone_load(get_string(config, "zone"));
		if (zone == NULL)
			abort();
		maintenance->from_ns = moment_of(zone, get_string(config, "from"), false);
		maintenance->to_ns = moment_of(zone, get_string(config, "to"), true);
		zone_free(&zone);
	}
}

void plan_build(const json_t *tree, struct plan *plan_r)
{
	const json_t *windows = json_object_get(tree, "maintenance");
	json_t *calendars = json_object_get(tree, "calendars"), *item;
	const char *name;
	size_t index;

	*plan_r = (struct plan){
		.tier = get_string(tree, "tier"),
		.rules = json_object_get(tree, "rules"),
		.calendars = calloc(json_object_size(calendars) + 1, sizeof(*plan_r->calendars)),
		.maintenance = calloc(json_array_size(windows) + 1, sizeof(*plan_r->maintenance))};
	if (plan_r->calendars == NULL || plan_r->maintenance == NULL)
		abort();
	json_object_foreach(calendars, name, item)
		build_calendar(&plan_r->calendars[plan_r->calendar_count++], name, item, "open");
	json_array_foreach(windows, index, item) build_maintenance(
		plan_r, &plan_r->maintenance[plan_r->maintenance_count++], item);
}

void plan_free(struct plan *plan)
{
	for (size_t i = 0; i < plan->calendar_count; i++)
		calendar_close(&plan->calendars[i]);
	for (size_t i = 0; i < plan->maintenance_count; i++)
		calendar_close(&plan->maintenance[i].own);
	free(plan->calendars);
	free(plan->maintenance);
	*plan = (struct plan){.calendars = NULL};
}

const struct calendar *plan_calendar(const struct plan *plan, const char *name)
{
	for (size_t i = 0; i < plan->calendar_count; i++)
		if (strcmp(plan->calendars[i].name, name) == 0)
			return &plan->calendars[i];
	return NULL;
}

const char *plan_maintenance(const struct plan *plan, int64_t from_ns, int64_t to_ns)
{
	for (size_t i = 0; i < plan->maintenance_count; i++) {
		const struct maintenance *maintenance = &plan->maintenance[i];

		if (maintenance->calendar != NULL
				? calendar_is_open_between(maintenance->calendar, from_ns, to_ns)
				: to_ns >= maintenance->from_ns && from_ns < maintenance->to_ns)
			return maintenance->name;
	}
	return NULL;
}
