#include "kept.h"

#include <stdlib.h>

#include "error_type.h"
#include "statement.h"

#include "ban.h"

static bool take_rollup(struct statement *query, int column, struct rollup *rollup)
{
	bool damaged;
	size_t size;
	const unsigned char *bytes = statement_blob(query, column, &size);

	return rollup_add_packed(rollup, bytes, size, &damaged) == 0;
}

void kept_free(struct kept *kept)
{
	rollup_free(&kept->week);
	rollup_free(&kept->month);
	json_decref(kept->shapes);
	kept->shapes = NULL;
}

/* What cannot be read is made anew. */
int kept_load(
	struct state *state, int64_t series, struct kept *kept, bool *found_r, struct failure *why)
{
	struct statement query;

	*found_r = false;
	statement_begin(&query, state,
		"SELECT week, month, shapes FROM trends"
		" WHERE series = ? AND hour_ns = ? AND until_ns = ?");
	statement_bind_integer(&query, series);
	statement_bind_integer(&query, kept->hour_ns);
	statement_bind_integer(&query, kept->until_ns);
	if (statement_row(&query)) {
		kept->shapes = json_loads(statement_text(&query, 2), 0, NULL);
		*found_r = kept->shapes != NULL && take_rollup(&query, 0, &kept->week) &&
			take_rollup(&query, 1, &kept->month);
		if (!*found_r)
			kept_free(kept);
	}
	return statement_end(&query, why);
}

struct packed {
	unsigned char *week, *month;
	size_t week_size, month_size;
	char *shapes;
};

static int put(struct state *state, int64_t series, const struct kept *kept,
	const struct packed *packed, struct failure *why)
{
	struct statement query;

	statement_begin(&query, state,
		"INSERT OR REPLACE INTO trends (series, hour_ns, until_ns, week, month, shapes)"
		" VALUES (?, ?, ?, ?, ?, ?)");
	statement_bind_integer(&query, series);
	statement_bind_integer(&query, kept->hour_ns);
	statement_bind_integer(&query, kept->until_ns);
	statement_bind_blob(&query, packed->week, packed->week_size);
	statement_bind_blob(&query, packed->month, packed->month_size);
	statement_bind_text(&query, packed->shapes);
	return statement_run(&query, why);
}

int kept_store(struct state *state, int64_t series, const struct kept *kept, struct failure *why)
{
	struct packed packed = {.shapes = json_dumps(kept->shapes,
			JSON_COMPACT | JSON_REAL_PRECISION(15))};
	int result;

	packed.week = rollup_pack(&kept->week, &packed.week_size);
	packed.month = rollup_pack(&kept->month, &packed.month_size);
	if (packed.week == NULL || packed.month == NULL || packed.shapes == NULL)
		result = failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory");
	else
		result = put(state, series, kept, &packed, why);
	free(packed.week);
	free(packed.month);
	free(packed.shapes);
	return result;
}
