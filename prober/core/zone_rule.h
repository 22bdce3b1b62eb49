/* zone_rule - clock changes that come each year, as a TZ string says (POSIX, and RFC 8536 section
 * 3.3.1): CET-1CEST,M3.5.0,M10.5.0/3. */
#ifndef MAILPROBE_ZONE_RULE_H
#define MAILPROBE_ZONE_RULE_H

#include <stdbool.h>
#include <stdint.h>

enum zone_day { ZONE_JULIAN, ZONE_ORDINAL, ZONE_WEEKDAY };

/* A day of each year, and a time of it as the clock shows it until then. */
struct zone_change {
	enum zone_day form;
	int day; /* J1 to J365, without 29 February; 0 to 365; or 0 (Sunday) to 6 */
	int month, week; /* ZONE_WEEKDAY; week 5 is the last */
	int32_t at;      /* seconds after midnight, of either sign */
};

struct zone_rule {
	int32_t offset, other_offset; /* seconds east of UTC: standard, and between the changes */
	bool changes;
	struct zone_change begin, end;
};

/* False if it is none. */
bool zone_rule_parse(const char *text, struct zone_rule *rule_r);

/* Seconds east of UTC at an instant. */
int32_t zone_rule_offset(const struct zone_rule *rule, int64_t at);

#endif
