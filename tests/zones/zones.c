/* Answers questions of time zones, a line each: ZONE offset SECONDS; ZONE first SECONDS; ZONE last
 * SECONDS (what zone_offset and zone_instant say). "?" where there is no such zone. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "zone.h"

int main(void)
{
	char line[256], name[ZONE_NAME_MAX], question[16];
	int64_t at;

	while (fgets(line, sizeof(line), stdin) != NULL) {
		struct zone *zone;

		if (sscanf(line, "%63s %15s %" SCNd64, name, question, &at) != 3)
			return 2;
		zone = zone_load(name);
		if (zone == NULL)
			puts("?");
		else if (strcmp(question, "offset") == 0)
			printf("%" PRId32 "\n", zone_offset(zone, at));
		else
			printf("%" PRId64 "\n", zone_instant(zone, at, strcmp(question, "last") == 0));
		zone_free(&zone);
	}
	return 0;
}
