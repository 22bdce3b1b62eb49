#include "zone.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "text.h"
#include "zone_rule.h"

#include "ban.h"

#define FOLDER "/usr/share/zoneinfo/"
#define FILE_MAX 65536 /* bytes; the largest of the database has a twentieth of that */
#define DAY 86400

/* RFC 8536 section 3.1: a header of 44 bytes, of which the last 24 are counts. */
#define HEADER_SIZE 44
enum { COUNT_UT, COUNT_STANDARD, COUNT_LEAP, COUNT_TIMES, COUNT_TYPES, COUNT_CHARS, COUNTS };

struct zone {
	int64_t *times;   /* of changes, ascending */
	int32_t *offsets; /* from each of them on */
	size_t count;
	int32_t first_offset;  /* before all of them */
	bool has_rule;         /* for after the last of them */
	struct zone_rule rule;
};

/* --- dates ------------------------------------------------------------------------------ */

/* Years from March, so that a leap day is the last of its year; eras of 400 years. */
int64_t zone_days(int year, int month, int day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = (y >= 0 ? y : y - 399) / 400, of_era = y - era * 400;
	int64_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

void zone_date(int64_t days, int *year_r, int *month_r, int *day_r)
{
	int64_t shifted = days + 719468;
	int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
	int64_t of_era = shifted - era * 146097;
	int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
	int64_t month = (5 * of_year + 2) / 153;

	*day_r = (int)(of_year - (153 * month + 2) / 5 + 1);
	*month_r = (int)(month < 10 ? month + 3 : month - 9);
	*year_r = (int)(year + era * 400 + (*month_r <= 2));
}

/* --- its file --------------------------------------------------------------------------- */

static int64_t big_endian(const unsigned char *bytes, size_t size)
{
	uint64_t value = 0;

	for (size_t i = 0; i < size; i++)
		value = value << 8 | bytes[i];
	return size == 8 ? (int64_t)value : (int32_t)(uint32_t)value;
}

/* Of the header at `bytes`; false if there is none, or the counts cannot be. */
static bool read_counts(const unsigned char *bytes, size_t left, size_t counts[static COUNTS])
{
	if (left < HEADER_SIZE || strncmp((const char *)bytes, "TZif", 4) != 0)
		return false;
	for (size_t i = 0; i < COUNTS; i++) {
		counts[i] = (size_t)(uint32_t)big_endian(bytes + 20 + 4 * i, 4);
		if (counts[i] > FILE_MAX)
			return false;
	}
	return true;
}

static size_t block_size(const size_t counts[static COUNTS], size_t time_size)
{
	return counts[COUNT_TIMES] * (time_size + 1) + counts[COUNT_TYPES] * 6 +
		counts[COUNT_CHARS] + counts[COUNT_LEAP] * (time_size + 4) +
		counts[COUNT_STANDARD] + counts[COUNT_UT];
}

static bool read_changes(
	struct zone *zone, const unsigned char *block, const size_t counts[static COUNTS])
{
	const unsigned char *indices = block + 8 * counts[COUNT_TIMES];
	const unsigned char *types = indices + counts[COUNT_TIMES];

	zone->count = counts[COUNT_TIMES];
	zone->times = calloc(zone->count + 1, sizeof(*zone->times));
	zone->offsets = calloc(zone->count + 1, sizeof(*zone->offsets));
	if (zone->times == NULL || zone->offsets == NULL)
		return false;
	zone->first_offset = (int32_t)big_endian(types, 4);
	for (size_t i = 0; i < zone->count; i++) {
		if (indices[i] >= counts[COUNT_TYPES])
			return false;
		zone->times[i] = big_endian(block + 8 * i, 8);
		zone->offsets[i] = (int32_t)big_endian(types + 6 * (size_t)indices[i], 4);
		if (i > 0 && zone->times[i] <= zone->times[i - 1])
			return false;
	}
	return true;
}

/* A line with the rule for all later years, which may be empty. */
static bool read_footer(struct zone *zone, const unsigned char *bytes, size_t left)
{
	char text[128] = "";
	size_t length = 0;

	if (left < 2 || bytes[0] != '\n')
		return false;
	while (length + 1 < left && bytes[length + 1] != '\n')
		length++;
	if (length + 1 == left || length >= sizeof(text))
		return false;
	snprintf(text, sizeof(text), "%.*s", (int)length, (const char *)bytes + 1);
	zone->has_rule = length > 0;
	return length == 0 || zone_rule_parse(text, &zone->rule);
}

/* The first block has times of 4 bytes, and is there for old readers. */
static bool read_zone(struct zone *zone, const unsigned char *bytes, size_t size)
{
	size_t counts[COUNTS], at;

	if (!read_counts(bytes, size, counts) || bytes[4] < '2')
		return false;
	at = HEADER_SIZE + block_size(counts, 4);
	if (at > size || !read_counts(bytes + at, size - at, counts))
		return false;
	at += HEADER_SIZE;
	/* Leap seconds would shift all times; "right/" zones alone have them. */
	if (block_size(counts, 8) > size - at || counts[COUNT_TYPES] == 0 || counts[COUNT_LEAP] != 0)
		return false;
	return read_changes(zone, bytes + at, counts) &&
		read_footer(zone, bytes + at + block_size(counts, 8), size - at - block_size(counts, 8));
}

/* --- names ------------------------------------------------------------------------------ */

static bool is_name(const char *name)
{
	return strlen(name) < ZONE_NAME_MAX && name[0] != '/' && name[0] != '\0' &&
		strstr(name, "..") == NULL &&
		name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
				  "_+-/")] == '\0';
}

/* Bytes of the file, or 0. */
static size_t read_file(const char *name, unsigned char *bytes)
{
	char path[sizeof(FOLDER) + ZONE_NAME_MAX];
	size_t size = 0;
	ssize_t got = 1;
	int fd;

	snprintf(path, sizeof(path), "%s%s", FOLDER, name);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return 0;
	for (; size < FILE_MAX && got > 0; size += got > 0 ? (size_t)got : 0)
		got = read(fd, bytes + size, FILE_MAX - size);
	close(fd);
	return got == 0 ? size : 0;
}

struct zone *zone_load(const char *name)
{
	struct zone *zone = calloc(1, sizeof(*zone));
	unsigned char *bytes = malloc(FILE_MAX);
	bool good = zone != NULL && bytes != NULL && is_name(name);

	if (good && strcmp(name, "UTC") != 0)
		good = read_zone(zone, bytes, read_file(name, bytes));
	free(bytes);
	if (!good)
		zone_free(&zone);
	return zone;
}

void zone_free(struct zone **zone)
{
	if (*zone == NULL)
		return;
	free((*zone)->times);
	free((*zone)->offsets);
	free(*zone);
	*zone = NULL;
}

/* Each line of zone.tab: country, coordinates, name, and perhaps a remark. */
bool zone_nearest(const char *wrong, char name[static ZONE_NAME_MAX])
{
	char *bytes = calloc(1, FILE_MAX + 1), *rest = bytes, *line;
	const char *names[1024] = {"UTC"}, *nearest;
	size_t count = 1;

	if (bytes == NULL)
		return false;
	read_file("zone.tab", (unsigned char *)bytes);
	while ((line = strsep(&rest, "\n")) != NULL && count < 1023) {
		char *field = line;

		if (line[0] == '#' || strsep(&field, "\t") == NULL || strsep(&field, "\t") == NULL)
			continue;
		line = strsep(&field, "\t");
		if (line != NULL)
			names[count++] = line;
	}
	nearest = text_nearest(wrong, names);
	text_copy(name, ZONE_NAME_MAX, nearest != NULL ? nearest : "");
	free(bytes);
	return name[0] != '\0';
}

/* --- asking ----------------------------------------------------------------------------- */

int32_t zone_offset(const struct zone *zone, int64_t at)
{
	size_t low = 0, high = zone->count;

	if (zone->has_rule && (zone->count == 0 || at >= zone->times[zone->count - 1]))
		return zone_rule_offset(&zone->rule, at);
	while (low < high) { /* how many changes were before */
		size_t middle = low + (high - low) / 2;

		if (zone->times[middle] <= at)
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 ? zone->offsets[low - 1] : zone->first_offset;
}

int64_t zone_instant(const struct zone *zone, int64_t shown, bool last)
{
	int32_t before = zone_offset(zone, shown - DAY), after = zone_offset(zone, shown + DAY);
	bool fits_before = zone_offset(zone, shown - before) == before;
	bool fits_after = zone_offset(zone, shown - after) == after;

	return fits_after && (last || !fits_before) ? shown - after : shown - before;
}
