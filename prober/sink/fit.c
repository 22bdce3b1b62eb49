/* fit - what is longer than a receiver takes is made to fit, and says so. */
#include <string.h>

#include "sink.h"

#include "ban.h"

#define ELLIPSIS "..."
#define SUMMARY_MAX 1000

/* What tells which event it is, and is short. */
static const char *const kept[] = {"schema", "event_id", "dedup_key", "revision", "state",
	"severity", "at", "since", "customer", "scenario", "summary", "left_out", NULL};

/* As JavaScript and Java count them, and so most vendors: two beyond the first plane. */
static size_t units_of(unsigned char lead)
{
	if ((lead & 0xc0) == 0x80)
		return 0;
	return lead >= 0xf0 ? 2 : 1;
}

json_t *fit_text(const char *text, size_t max)
{
	size_t units = 0, room = 0;

	for (size_t i = 0; text[i] != '\0'; i++) {
		units += units_of((unsigned char)text[i]);
		if (units <= max - strlen(ELLIPSIS))
			room = i + 1;
	}
	return units <= max ? json_string(text) : json_sprintf("%.*s" ELLIPSIS, (int)room, text);
}

static size_t size_of(const json_t *value)
{
	return json_dumpb(value, NULL, 0, JSON_COMPACT | JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
}

static bool is_kept(const char *key)
{
	for (size_t i = 0; kept[i] != NULL; i++)
		if (strcmp(kept[i], key) == 0)
			return true;
	return false;
}

static const char *largest_of(json_t *event)
{
	const char *key, *largest = NULL;
	size_t most = 0;
	json_t *value;

	json_object_foreach(event, key, value)
	{
		size_t size = size_of(value);

		if (is_kept(key) || size <= most)
			continue;
		most = size;
		largest = key;
	}
	return largest;
}

json_t *fit_event(const json_t *event, size_t max)
{
	json_t *fitting = json_deep_copy(event), *left_out;
	const char *largest;

	if (size_of(fitting) <= max)
		return fitting;
	left_out = json_array();
	json_object_set_new(fitting, "left_out", left_out);
	while (size_of(fitting) > max && (largest = largest_of(fitting)) != NULL) {
		json_array_append_new(left_out, json_string(largest));
		json_object_del(fitting, largest);
	}
	if (size_of(fitting) > max)
		json_object_set_new(
			fitting, "summary", fit_text(event_string(event, "summary"), SUMMARY_MAX));
	return fitting;
}
