#include "audit.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "archive.h"
#include "audit_private.h"
#include "clock.h"
#include "folder.h"
#include "lines.h"
#include "statement.h"

#include "ban.h"

#define DAMAGE_ADVICE                                                                              \
	"mailprobe doctor --repair sets it aside; the disk or whoever changed the file is to blame"
#define EVENTS "events.jsonl"

/* --- reading the lines ----------------------------------------------------------------- */

struct reading {
	struct audit *audit;
	const char *path;
};

static const char *member(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value != NULL ? value : "";
}

static int64_t time_of(const json_t *record, const char *key)
{
	int64_t at_ns;

	return clock_parse(member(record, key), &at_ns) == 0 ? at_ns : 0;
}

static void note_run(struct audit *audit, const json_t *record)
{
	struct failure ignored = {0};
	struct statement insert;

	statement_begin(&insert, audit->state,
		"INSERT INTO line_runs VALUES (?, ?, ?, 1) ON CONFLICT DO UPDATE SET n = n + 1");
	statement_bind_text(&insert, member(record, "run_id"));
	statement_bind_integer(&insert, time_of(record, "started_at"));
	statement_bind_integer(&insert, time_of(record, "ended_at"));
	statement_run(&insert, &ignored);
}

/* Later lines have the later word. */
static void note_mails(struct audit *audit, const json_t *record, const char *key)
{
	int64_t at_ns = time_of(record, "ended_at");
	struct failure ignored = {0};
	struct statement insert;
	json_t *mail;
	size_t index;

	json_array_foreach(json_object_get(record, key), index, mail) {
		statement_begin(&insert, audit->state,
			"INSERT INTO line_mails VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET"
			" state = excluded.state, at_ns = excluded.at_ns");
		statement_bind_text(&insert, member(mail, "mail"));
		statement_bind_text(&insert, member(mail, "state"));
		statement_bind_integer(&insert, at_ns);
		statement_run(&insert, &ignored);
	}
}

static void tell_damage(struct reading *reading, const struct line *line)
{
	bool torn = line->verdict == LINE_TORN;

	/* The end of a line that is being written right now looks the same. */
	finding_say(reading->audit->findings, torn ? FINDING_WARN : FINDING_BAD, "lines",
		torn ? "the next run sets it aside, as does mailprobe doctor --repair"
		     : DAMAGE_ADVICE,
		"%s: line %zu %s", reading->path, line->number,
		torn ? "has no end: a crash tore it" : "is damaged (checksum)");
	reading->audit->torn += torn;
	reading->audit->damaged += !torn;
}

static void take_line(void *context, const struct line *line)
{
	struct reading *reading = context;

	reading->audit->lines++;
	if (line->verdict != LINE_GOOD) {
		tell_damage(reading, line);
		return;
	}
	if (reading->audit->state == NULL || json_object_get(line->record, "run_id") == NULL)
		return;
	note_run(reading->audit, line->record);
	note_mails(reading->audit, line->record, "mails");
	note_mails(reading->audit, line->record, "settled");
}

static void read_file(struct audit *audit, const char *path)
{
	struct reading reading = {.audit = audit, .path = path};
	struct failure why = {0};

	audit->files++;
	if (lines_read(path, take_line, &reading, &why) < 0)
		finding_say(audit->findings, FINDING_UNKNOWN, "lines",
			"run it as the user that mailprobe runs as", "%s", why.text);
}

static int read_series(void *context, const struct archive_series *series, struct failure *why)
{
	char path[PATH_MAX];

	(void)why;
	for (size_t i = 0; i < series->day_count; i++) {
		archive_path(series, series->days[i], path);
		read_file(context, path);
	}
	return 0;
}

static void read_lines(struct audit *audit)
{
	struct failure why = {0};
	char events[PATH_MAX];

	snprintf(events, sizeof(events), "%s/" EVENTS, audit->results_dir);
	if (audit->customer == NULL && access(events, F_OK) == 0)
		read_file(audit, events);
	if (archive_walk(audit->results_dir, audit->customer, audit->scenario, read_series, audit,
		    &why) < 0)
		finding_say(audit->findings, FINDING_UNKNOWN, "lines", NULL, "%s", why.text);
	else if (audit->damaged + audit->torn == 0)
		finding_say(audit->findings, FINDING_OK, "lines", NULL,
			"%zu lines in %zu files are whole (checksums)", audit->lines, audit->files);
}

/* --- the whole ------------------------------------------------------------------------- */

void audit(const char *results_dir, const char *customer, const char *scenario,
	struct findings *findings)
{
	struct audit audit = {.results_dir = results_dir, .customer = customer,
		.scenario = scenario, .findings = findings};
	struct failure why = {0};
	char path[PATH_MAX];
	bool is_missing;

	snprintf(path, sizeof(path), "%s/state.db", results_dir);
	is_missing = access(path, F_OK) < 0;
	/* The database first: what ends between the two is in the lines alone, and known by its
	 * time. */
	audit.state = state_open_to_read(results_dir, &why);
	audit.now_ns = clock_wall();
	if (audit.state != NULL)
		audit_database(&audit);
	if (audit.state != NULL && audit_prepare(&audit, &why) < 0) {
		finding_say(findings, FINDING_UNKNOWN, "agreement", NULL, "%s", why.text);
		state_close(&audit.state);
	}
	read_lines(&audit);
	if (audit.state != NULL)
		audit_compare(&audit);
	else if (audit.lines > 0 || !is_missing)
		finding_say(findings, FINDING_BAD, "database", REBUILD_ADVICE, "%s", why.text);
	else
		finding_say(findings, FINDING_WARN, "database", "the first run makes it",
			"there is none in %s yet, nor any line", results_dir);
	state_close(&audit.state);
}

/* --- repairing ------------------------------------------------------------------------- */

static enum line_fate set_aside(void *context, const struct line *line)
{
	size_t *count = context;

	if (line->verdict == LINE_GOOD)
		return LINE_STAYS;
	++*count;
	return LINE_ASIDE;
}

static void repair_file(
	struct findings *findings, const char *folder_path, const char *name)
{
	int folder = open(folder_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct failure why = {0};
	size_t judged = 0;

	if (folder < 0 || lines_sift(folder, folder_path, name, set_aside, &judged, &why) < 0)
		finding_say(findings, FINDING_BAD, "repair",
			"run it as the user that mailprobe runs as", "%s/%s: %s", folder_path,
			name, folder < 0 ? "cannot open the folder" : why.text);
	/* Each is judged twice: before it is known that any goes, and when they go. */
	else if (judged > 0)
		finding_say(findings, FINDING_OK, "repair", NULL,
			"%s/%s: %zu lines set aside, to %s.damaged or .torn", folder_path, name,
			judged / 2, name);
	if (folder >= 0)
		close(folder);
}

static int repair_series(void *context, const struct archive_series *series, struct failure *why)
{
	char folder[PATH_MAX], name[32];

	(void)why;
	snprintf(folder, sizeof(folder), "%s/%s/%s", series->results_dir, series->customer,
		series->scenario);
	for (size_t i = 0; i < series->day_count; i++) {
		snprintf(name, sizeof(name), "%s.jsonl", series->days[i]);
		repair_file(context, folder, name);
	}
	return 0;
}

void audit_repair(const char *results_dir, const char *customer, const char *scenario,
	struct findings *findings)
{
	struct failure why = {0};
	char events[PATH_MAX];

	snprintf(events, sizeof(events), "%s/" EVENTS, results_dir);
	if (customer == NULL && access(events, F_OK) == 0)
		repair_file(findings, results_dir, EVENTS);
	if (archive_walk(results_dir, customer, scenario, repair_series, findings, &why) < 0)
		finding_say(findings, FINDING_BAD, "repair", NULL, "%s", why.text);
}
