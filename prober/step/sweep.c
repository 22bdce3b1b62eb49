#include "sweep.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "header.h"
#include "step.h"
#include "sweep_private.h"
#include "text.h"
#include "token.h"

#include "ban.h"

/* UIDs that one search may go over: its answer, all on one line, stays below the guard's cap. */
#define SEARCH_SPAN 5000
/* What one sweep takes on; the next one goes on from there. */
#define CANDIDATES_MAX 2000

const struct field sweep_mailbox_fields[] = {
	{"folder", &field_text, FIELD_REQUIRED, "its name"},
	{"uid_validity", &field_integer, FIELD_REQUIRED, "what its UIDs are worth"},
	{"uid_next", &field_integer, FIELD_REQUIRED, "what comes later has this UID or a greater one"},
	{"looked_at", &field_timestamp, FIELD_REQUIRED, "when nothing of that was there yet"},
	{0},
};

static const char *member(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value != NULL ? value : "";
}

/* --- where to begin -------------------------------------------------------------------- */

/* The last sweep's mark, if it is of this very mailbox. */
static const json_t *mark_of(const struct probe *probe, const struct sweep_place *place)
{
	json_t *mark;
	size_t index;

	json_array_foreach(probe->run->marks, index, mark)
	{
		json_int_t next = json_integer_value(json_object_get(mark, "uid_next"));

		if (strcmp(member(mark, "account"), probe->account->name) == 0 &&
			strcmp(member(mark, "folder"), place->folder) == 0 &&
			json_integer_value(json_object_get(mark, "uid_validity")) ==
				place->uid_validity &&
			(place->uid_next == 0 || next <= place->uid_next))
			return mark;
	}
	return NULL;
}

static void set_mark(struct probe *probe, const struct sweep_place *place, uint32_t uid_next)
{
	json_t *marks = json_object_get(probe->facts, "mailboxes");
	char looked[CLOCK_TIMESTAMP_SIZE];

	if (uid_next == 0 || place->uid_validity == 0)
		return;
	if (marks == NULL) {
		marks = json_array();
		json_object_set_new(probe->facts, "mailboxes", marks);
	}
	clock_format(clock_label(probe->run->origin, place->looked_ns), looked);
	json_array_append_new(marks,
		json_pack("{s:s, s:I, s:I, s:s}", "folder", place->folder, "uid_validity",
			(json_int_t)place->uid_validity, "uid_next", (json_int_t)uid_next,
			"looked_at", looked));
}

void sweep_received(struct probe *probe, const char *folder, uint32_t uid)
{
	json_t *mark;
	size_t index;

	json_array_foreach(json_object_get(probe->facts, "mailboxes"), index, mark)
	{
		if (strcmp(member(mark, "folder"), folder) == 0 &&
			json_integer_value(json_object_get(mark, "uid_next")) == uid)
			json_object_set_new(mark, "uid_next", json_integer((json_int_t)uid + 1));
	}
}

/* --- what is there --------------------------------------------------------------------- */

static int find_candidates(
	struct sweep *sweep, uint32_t from, struct imap_uids *found, struct failure *why)
{
	const struct sweep_place *place = sweep->place;
	struct imap_search what = {.header = TOKEN_HEADER, .value = "", .uid_from = from};

	if (sweep_expects_bounces(sweep))
		what.text = TOKEN_HEADER;
	do {
		bool last = place->uid_next == 0 || place->uid_next - what.uid_from <= SEARCH_SPAN;

		what.uid_to = last ? 0 : what.uid_from + SEARCH_SPAN - 1;
		if (imap_search(sweep->imap, &what, found, why) == -1)
			return -1;
		what.uid_from = what.uid_to + 1;
	} while (what.uid_to != 0 && found->count < CANDIDATES_MAX);
	if (found->count > CANDIDATES_MAX)
		found->count = CANDIDATES_MAX;
	sweep->found_ns = clock_now();
	sweep->end = found->count == CANDIDATES_MAX ? found->uids[found->count - 1] + 1
		: what.uid_to != 0                  ? what.uid_from
						    : place->uid_next;
	return 0;
}

static void take_candidate(void *context, uint32_t uid, const struct imap_message *message)
{
	struct sweep *sweep = context;
	struct candidate *candidate = &sweep->candidates[sweep->count];

	if (sweep->count == sweep->room)
		return;
	candidate->uid = uid;
	candidate->size = message->size;
	candidate->internal_date_ns = message->internal_date_ns;
	if (header_value(message->text, message->length, TOKEN_HEADER, candidate->token,
		    sizeof(candidate->token)))
		token_mail(candidate->token, candidate->id);
	sweep->count++;
}

/* What was found out in another place of this mailbox, the ledger is yet to be told. */
static void remember(struct sweep *sweep, json_t *mail)
{
	const char *id = member(mail, "mail");
	json_t *changed = json_object_get(sweep->changed, id);

	json_object_set(sweep->known, id, changed != NULL ? changed : mail);
}

/* What the ledger knows of them, into sweep->known by id. */
static int recall(struct sweep *sweep, struct failure *why)
{
	const struct probe_link *link = sweep->probe->run->link;
	json_t *ids = json_array(), *mails, *mail;
	size_t index;
	int result = 0;

	for (size_t i = 0; i < sweep->count && result == 0; i++) {
		const struct candidate *candidate = &sweep->candidates[i];

		if (candidate->id[0] != '\0')
			json_array_append_new(ids, json_string(candidate->id));
		if (json_array_size(ids) == 0 ||
			(json_array_size(ids) < PROBE_RECALL_MAX && i + 1 < sweep->count))
			continue;
		mails = link->recall(link->context, ids, why);
		json_array_foreach(mails, index, mail)
			remember(sweep, mail);
		result = mails != NULL ? 0 : -1;
		json_decref(mails);
		json_array_clear(ids);
	}
	json_decref(ids);
	return result;
}

/* --- the place ------------------------------------------------------------------------- */

static int keep_doomed(struct sweep *sweep, struct imap_uids *doomed, struct failure *why)
{
	doomed->uids = calloc(sweep->count + 1, sizeof(*doomed->uids));
	if (doomed->uids == NULL)
		return failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory");
	for (size_t i = 0; i < sweep->count; i++)
		if (sweep->candidates[i].doomed)
			doomed->uids[doomed->count++] = sweep->candidates[i].uid;
	imap_uids_sort(doomed);
	return 0;
}

static int by_uid(const void *a, const void *b)
{
	const struct candidate *left = a, *right = b;

	return (left->uid > right->uid) - (left->uid < right->uid);
}

static int judge_found(struct sweep *sweep, const struct imap_uids *found,
	struct imap_uids *doomed, struct failure *why)
{
	static const char *const names[] = {TOKEN_HEADER, NULL};

	sweep->room = found->count;
	sweep->count = 0;
	sweep->candidates = calloc(found->count + 1, sizeof(*sweep->candidates));
	if (sweep->candidates == NULL)
		return failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory");
	if (imap_fetch_fields(sweep->imap, found->uids, found->count, names, take_candidate, sweep,
		    why) == -1)
		return -1;
	qsort(sweep->candidates, sweep->count, sizeof(*sweep->candidates), by_uid);
	if (sweep_read_bounces(sweep, why) == -1 || recall(sweep, why) == -1 || sweep_judge(sweep, why) == -1)
		return -1;
	return keep_doomed(sweep, doomed, why);
}

static int select_place(
	struct sweep *sweep, const struct sweep_place *place, struct failure *why)
{
	struct imap_mailbox mailbox;

	if (sweep->selected == place)
		return 0;
	if (imap_select(sweep->imap, place->folder, false, &mailbox, why) == -1)
		return -1;
	sweep->selected = place;
	if (mailbox.uid_validity == place->uid_validity)
		return 0;
	return failure_set(why, ERROR_IMAP_STATE,
		"the mailbox \"%s\" was made anew while it was looked at", place->folder);
}

/* Looks through the current place; `doomed` is what must be deleted there. */
static int look_through(struct sweep *sweep, struct imap_uids *doomed, struct failure *why)
{
	struct imap_uids found = {0};
	uint32_t from = sweep->mark != NULL
		? (uint32_t)json_integer_value(json_object_get(sweep->mark, "uid_next"))
		: 1;
	int result;

	if (sweep->began_ns == 0)
		timings_begin(&sweep->probe->timings, "settle");
	sweep->began_ns = clock_now();
	result = select_place(sweep, sweep->place, why);
	if (result == 0)
		result = find_candidates(sweep, from, &found, why);
	if (result == 0 && found.count > 0)
		result = judge_found(sweep, &found, doomed, why);
	imap_uids_free(&found);
	free(sweep->candidates);
	sweep->candidates = NULL;
	return result;
}

/* Whether anything can be there: something new, or something of runs before the first mark. A run
 * that is killed once a mail is settled, and before it is deleted, leaves it without leaving a mark,
 * and nothing open. Where there can be no mark, only what is open is worth a look in every run. */
static bool has_news(const struct sweep *sweep)
{
	const struct probe_run *run = sweep->probe->run;

	if (sweep->mark != NULL)
		return sweep->place->uid_next == 0 ||
		       json_integer_value(json_object_get(sweep->mark, "uid_next")) <
			       sweep->place->uid_next;
	if (sweep->place->uid_next == 0 || sweep->place->uid_validity == 0)
		return json_array_size(run->open_mails) > 0;
	return sweep->place->uid_next != 1 && run->has_past;
}

/* --- all places ------------------------------------------------------------------------ */

/* Steps of several chains may use one mailbox at once: the first of its kind sweeps it. */
static bool is_first(const struct probe *probe)
{
	const struct journey *journey = probe->run->journey;

	for (size_t i = 0; i < journey->step_count && &journey->steps[i] != probe->step; i++)
		if (journey->steps[i].type == probe->step->type &&
			strcmp(step_string(&journey->steps[i], "account"), probe->account->name) ==
				0)
			return false;
	return true;
}

static void set_count(struct probe *probe, const char *fact, unsigned int count)
{
	if (count > 0)
		json_object_set_new(probe->facts, fact, json_integer(count));
}

/* Accounted for first, deleted then. */
static int clean_up(struct sweep *sweep, const struct sweep_place *places,
	const struct imap_uids *doomed, size_t count, struct failure *why)
{
	bool plain = step_bool(sweep->probe->step, "expunge"), expunged;

	for (size_t i = 0; i < count; i++) {
		if (doomed[i].count == 0)
			continue;
		if (strcmp(timings_current(&sweep->probe->timings), "clean") != 0)
			timings_begin(&sweep->probe->timings, "clean");
		if (select_place(sweep, &places[i], why) == -1 ||
			imap_delete(sweep->imap, doomed[i].uids, doomed[i].count, plain, &expunged,
				why) == -1)
			return -1;
	}
	return select_place(sweep, &places[0], why);
}

static int sweep_all(struct sweep *sweep, const struct sweep_place *places,
	struct imap_uids *doomed, size_t count, struct failure *why)
{
	sweep->selected = &places[0];
	for (size_t i = 0; i < count; i++) {
		sweep->place = &places[i];
		sweep->mark = mark_of(sweep->probe, sweep->place);
		sweep->end = sweep->place->uid_next;
		if (has_news(sweep) && look_through(sweep, &doomed[i], why) == -1)
			return -1;
		set_mark(sweep->probe, sweep->place, sweep->end);
	}
	sweep_lose(sweep, places[0].looked_ns);
	if (sweep_report(sweep, why) == -1)
		return -1;
	return clean_up(sweep, places, doomed, count, why);
}

int sweep(struct probe *probe, struct imap *imap, const struct sweep_place *places, size_t count,
	struct failure *why)
{
	struct sweep sweep = {.probe = probe, .imap = imap};
	struct imap_uids doomed[SWEEP_PLACES_MAX] = {{0}};
	int result;

	if (!is_first(probe))
		return 0;
	sweep.known = json_object();
	sweep.changed = json_object();
	result = sweep_all(&sweep, places, doomed, count, why);
	for (size_t i = 0; i < count; i++)
		imap_uids_free(&doomed[i]);
	set_count(probe, "late_copies", sweep.late_copies);
	set_count(probe, "filed_copies", sweep.filed_copies);
	set_count(probe, "leftovers", sweep.leftovers);
	set_count(probe, "strangers", sweep.strangers);
	json_decref(sweep.known);
	json_decref(sweep.changed);
	if (result == -1) {
		/* What was not accounted for is looked for again. */
		json_object_del(probe->facts, "mailboxes");
		failure_prefix(why, "settling mails of earlier runs");
	}
	return result;
}
