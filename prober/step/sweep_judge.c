/* What a message that is found by a later run is, and what that means for its mail. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "header.h"
#include "record.h"
#include "step.h"
#include "sweep_private.h"
#include "text.h"
#include "trace.h"

#include "ban.h"

/* Together they stay below the guard's cap for one answer; a larger one is not hashed. */
#define TEXTS_BYTES (1024 * 1024)
#define TEXT_BYTES (256 * 1024)
#define REPORT_MAX 500
/* Of all mails together; a mail whose hops would be more has none. They go into one line of the
 * records, and into frames, with many mails. */
#define HOPS_MAX 256

static const char *member(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value != NULL ? value : "";
}

static json_int_t number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

/* Wall clock; 0 if it is not given. */
static int64_t instant(const json_t *object, const char *key)
{
	int64_t ns = 0;

	return clock_parse(member(object, key), &ns) == 0 ? ns : 0;
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t label(const struct sweep *sweep, int64_t monotonic_ns)
{
	return clock_label(sweep->probe->run->origin, monotonic_ns);
}

static void set_time(json_t *object, const char *key, int64_t wall_ns)
{
	char text[CLOCK_TIMESTAMP_SIZE];

	clock_format(wall_ns, text);
	json_object_set_new(object, key, json_string(text));
}

/* --- whose it is ----------------------------------------------------------------------- */

bool sweep_verifies(const struct sweep *sweep, const char *token, const json_t *mail)
{
	char expected[160];

	token_make(sweep->probe->run->key, member(mail, "mail"), member(mail, "from"), member(mail, "to"),
		member(mail, "content_hash"), expected, sizeof(expected));
	return token_equal(token, expected);
}

static bool is_state(const json_t *mail, const char *state)
{
	return strcmp(member(mail, "state"), state) == 0;
}

static const json_t *find_open(const struct sweep *sweep, const json_t *mail)
{
	const json_t *open;
	size_t index;

	json_array_foreach(sweep->probe->run->open_mails, index, open)
		if (strcmp(member(open, "mail"), member(mail, "mail")) == 0)
			return open;
	return NULL;
}

bool sweep_is_own(const struct sweep *sweep, const json_t *mail)
{
	return strcmp(member(mail, "run_id"), sweep->probe->run->run_id) == 0 &&
	       find_open(sweep, mail) == NULL;
}

/* A mail that this attempt has on its hands, and another chain may be waiting for: its own, or one
 * that it offers again. */
static bool is_underway(const struct sweep *sweep, const json_t *mail)
{
	const json_t *open = find_open(sweep, mail);

	return sweep_is_own(sweep, mail) || (open != NULL && is_state(open, "deferred"));
}

static bool is_awaited(const json_t *mail)
{
	return is_state(mail, "accepted") || is_state(mail, "unknown") || is_state(mail, "lost");
}

/* This very copy was counted before, by a run that could not delete it any more. */
static bool was_counted(
	const struct sweep *sweep, const struct candidate *candidate, const json_t *mail)
{
	return strcmp(member(mail, "folder"), sweep->place->folder) == 0 &&
	       number(mail, "uid_validity") == sweep->place->uid_validity &&
	       number(mail, "uid") >= candidate->uid;
}

static bool is_old(const struct sweep *sweep, const json_t *mail)
{
	int64_t sent = later(instant(mail, "sending_at"), instant(mail, "accepted_at"));

	return label(sweep, sweep->found_ns) - sent > sweep->probe->run->journey->horizon_ns;
}

/* --- when it came ---------------------------------------------------------------------- */

/* The last moment at which it was certainly not there, by our own clock. A message whose UID was
 * not given out yet when the mailbox was last looked through came after that. */
static int64_t absent_until(
	const struct sweep *sweep, const struct candidate *candidate, const json_t *mail)
{
	int64_t absent = later(instant(mail, "sending_at"), instant(mail, "last_look_at"));

	if (sweep->mark != NULL && candidate->uid >= number(sweep->mark, "uid_next"))
		absent = later(absent, instant(sweep->mark, "looked_at"));
	return absent;
}

/* Both bounds are of our clock, and certain. The server's date, whatever its clock, only says
 * where between them the mail is likeliest to have come. */
static void set_delivery(
	const struct sweep *sweep, const struct candidate *candidate, json_t *mail)
{
	int64_t zero = instant(mail, "accepted_at");
	int64_t present = label(sweep, sweep->found_ns);
	int64_t absent = absent_until(sweep, candidate, mail), middle;

	set_time(mail, "first_look_at", present);
	if (candidate->internal_date_ns != 0)
		set_time(mail, "internal_date", candidate->internal_date_ns);
	if (zero == 0)
		return;
	if (absent > present)
		absent = present;
	/* It is cut to whole seconds. */
	middle = candidate->internal_date_ns != 0 ? candidate->internal_date_ns + NS_PER_SECOND / 2
						  : absent + (present - absent) / 2;
	middle = middle < absent ? absent : middle > present ? present : middle;
	json_object_set_new(mail, "delivery_seconds",
		json_real(clock_seconds(later(middle - zero, 0))));
	json_object_set_new(
		mail, "delivery_seconds_min", json_real(clock_seconds(absent - zero)));
	json_object_set_new(
		mail, "delivery_seconds_max", json_real(clock_seconds(present - zero)));
}

/* --- what becomes of the mail ---------------------------------------------------------- */

/* A mail that its own run has looked for in vain is late; one whose run was killed before it could
 * look may have come in time. */
static const char *state_of(const struct sweep *sweep, const json_t *mail)
{
	if (is_state(mail, "lost"))
		return "found_after_lost";
	if (sweep->place->junk)
		return "junked";
	return member(mail, "last_look_at")[0] != '\0' ? "late" : "delivered";
}

static bool is_kept(const struct sweep *sweep, const char *state)
{
	return strcmp(step_string(sweep->probe->step, "keep"), "failures") == 0 &&
	       strcmp(state, "delivered") != 0;
}

static void note_copy(const struct sweep *sweep, const struct candidate *candidate, json_t *mail)
{
	json_object_set_new(mail, "folder", json_string(sweep->place->folder));
	if (sweep->place->uid_validity != 0)
		json_object_set_new(mail, "uid_validity", json_integer(sweep->place->uid_validity));
	json_object_set_new(mail, "uid", json_integer(candidate->uid));
	json_object_set(sweep->changed, candidate->id, mail);
}

static void settle(struct sweep *sweep, struct candidate *candidate, json_t *mail)
{
	candidate->settles = true;
	set_delivery(sweep, candidate, mail);
	json_object_set_new(mail, "state", json_string(state_of(sweep, mail)));
	json_object_set_new(mail, "duplicates", json_integer(0));
	note_copy(sweep, candidate, mail);
}

static void count_copy(struct sweep *sweep, struct candidate *candidate, json_t *mail)
{
	candidate->doomed = true;
	sweep->late_copies++;
	json_object_set_new(mail, "duplicates", json_integer(number(mail, "duplicates") + 1));
	note_copy(sweep, candidate, mail);
}

static bool is_settled(const json_t *mail)
{
	static const char *const open[] = {"sending", "accepted", "deferred", "unknown"};

	for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++)
		if (is_state(mail, open[i]))
			return json_is_true(json_object_get(mail, "unwatched"));
	return true;
}

/* What the sender's server has filed tells nothing of the mail's fate. It goes with the mail: until
 * that is settled, the next sweep begins with it. */
static void judge_filed(struct sweep *sweep, struct candidate *candidate, const json_t *mail)
{
	if (strcasecmp(member(mail, "from"), sweep->probe->account->address) != 0)
		return;
	if (is_underway(sweep, mail) || !is_settled(mail)) {
		if (candidate->uid < sweep->end)
			sweep->end = candidate->uid;
		return;
	}
	candidate->doomed = !is_kept(sweep, member(mail, "state"));
	sweep->filed_copies += candidate->doomed;
}

static void judge(struct sweep *sweep, struct candidate *candidate)
{
	json_t *mail = json_object_get(sweep->known, candidate->id);

	if (candidate->token[0] == '\0')
		return;
	if (mail == NULL || !sweep_verifies(sweep, candidate->token, mail)) {
		sweep->strangers += candidate->dsn.token[0] == '\0';
	} else if (candidate->dsn.token[0] != '\0') {
		sweep_judge_bounce(sweep, candidate, mail);
	} else if (sweep->place->sent) {
		judge_filed(sweep, candidate, mail);
	} else if (is_underway(sweep, mail)) {
		return;
	} else if (is_awaited(mail)) {
		settle(sweep, candidate, mail);
	} else if (was_counted(sweep, candidate, mail)) {
		candidate->doomed = !json_is_true(json_object_get(mail, "kept"));
		sweep->leftovers += candidate->doomed;
	} else if (is_old(sweep, mail)) {
		sweep->strangers++; /* somebody has sent it once more */
	} else {
		count_copy(sweep, candidate, mail);
	}
}

/* --- what it says ---------------------------------------------------------------------- */

/* The same as of a mail that was in time, with the bounds that a later run has. */
static void keep_hops(struct sweep *sweep, const struct candidate *candidate, json_t *mail,
	const struct imap_message *message)
{
	size_t length = (size_t)(header_end(message->text, message->length) - message->text);
	const struct trace_way way = {
		.offered_ns = instant(mail, "offered_at"),
		.accepted_ns = instant(mail, "accepted_at"),
		.absent_ns = absent_until(sweep, candidate, mail),
		.present_ns = label(sweep, sweep->found_ns),
		.stored_ns = candidate->internal_date_ns,
		.helo = "",
		.reply = member(mail, "reply"),
	};
	char *header = way.offered_ns != 0 ? strndup(message->text, length) : NULL;
	json_t *hops = header != NULL ? trace_hops(sweep->probe, header, &way) : NULL;

	free(header);
	if (hops != NULL && sweep->hops + json_array_size(hops) <= HOPS_MAX) {
		sweep->hops += json_array_size(hops);
		json_object_set(mail, "hops", hops);
	}
	json_decref(hops);
}

static void read_text(void *context, uint32_t uid, const struct imap_message *message)
{
	struct sweep *sweep = context;
	const char *body = header_end(message->text, message->length);
	char hash[HASH_SIZE];

	content_hash(body, message->length - (size_t)(body - message->text), hash);
	for (size_t i = 0; i < sweep->count; i++) {
		const struct candidate *candidate = &sweep->candidates[i];
		json_t *mail = json_object_get(sweep->known, candidate->id);

		if (candidate->uid != uid || !candidate->settles)
			continue;
		if (!is_state(mail, "found_after_lost") &&
			strcmp(member(mail, "content_hash"), hash) != 0)
			json_object_set_new(mail, "state", json_string("altered"));
		keep_hops(sweep, candidate, mail, message);
	}
}

/* Fetches what settles a mail whole: was it altered, and which way did it take? As many at once as one answer can hold. */
static int fetch_texts(struct sweep *sweep, struct failure *why)
{
	uint32_t *uids = calloc(sweep->count + 1, sizeof(*uids));
	size_t count = 0, bytes = 0;
	int result = 0;

	if (uids == NULL)
		return failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory");
	for (size_t i = 0; i < sweep->count && result == 0; i++) {
		const struct candidate *candidate = &sweep->candidates[i];

		if (!candidate->settles || candidate->size > TEXT_BYTES)
			continue;
		if (bytes + candidate->size > TEXTS_BYTES) {
			result = imap_fetch_all(sweep->imap, uids, count, read_text, sweep, why);
			count = bytes = 0;
		}
		uids[count++] = candidate->uid;
		bytes += candidate->size;
	}
	if (result == 0)
		result = imap_fetch_all(sweep->imap, uids, count, read_text, sweep, why);
	free(uids);
	return result;
}

int sweep_judge(struct sweep *sweep, struct failure *why)
{
	for (size_t i = 0; i < sweep->count; i++)
		judge(sweep, &sweep->candidates[i]);
	if (fetch_texts(sweep, why) == -1)
		return -1;
	for (size_t i = 0; i < sweep->count; i++) {
		struct candidate *candidate = &sweep->candidates[i];
		json_t *mail = json_object_get(sweep->known, candidate->id);

		if (!candidate->settles)
			continue;
		candidate->doomed = !is_kept(sweep, member(mail, "state"));
		if (!candidate->doomed)
			json_object_set_new(mail, "kept", json_true());
	}
	return 0;
}

static bool is_lost(const struct sweep *sweep, const json_t *mail, int64_t looked)
{
	int64_t sent = later(instant(mail, "sending_at"), instant(mail, "accepted_at"));

	return (is_state(mail, "accepted") || is_state(mail, "unknown")) && sent != 0 &&
	       journey_mailbox_of(sweep->probe->run->journey, member(mail, "step"),
		       member(mail, "to")) == sweep->probe->account &&
	       looked - sent > sweep->probe->run->journey->horizon_ns &&
	       json_object_get(sweep->changed, member(mail, "mail")) == NULL;
}

void sweep_lose(struct sweep *sweep, int64_t looked_ns)
{
	int64_t looked = label(sweep, looked_ns);
	json_t *mail;
	size_t index;

	json_array_foreach(sweep->probe->run->open_mails, index, mail)
	{
		json_t *lost;

		if (!is_lost(sweep, mail, looked))
			continue;
		lost = json_copy(mail);
		json_object_set_new(lost, "state", json_string("lost"));
		set_time(lost, "last_look_at", looked);
		json_object_set_new(sweep->changed, member(mail, "mail"), lost);
	}
}

/* --- telling --------------------------------------------------------------------------- */

int sweep_report(struct sweep *sweep, struct failure *why)
{
	const struct probe_link *link = sweep->probe->run->link;
	json_t *mails = json_array(), *mail;
	int64_t began = clock_now();
	const char *id;
	int result = 0;

	if (json_object_size(sweep->changed) > 0)
		timings_pause(&sweep->probe->timings);
	json_object_foreach(sweep->changed, id, mail)
	{
		json_array_append(mails, mail);
		if (json_array_size(mails) == REPORT_MAX && result == 0) {
			result = link->settle(link->context, mails, why);
			json_array_clear(mails);
		}
	}
	if (result == 0 && json_array_size(mails) > 0)
		result = link->settle(link->context, mails, why);
	json_decref(mails);
	if (json_object_size(sweep->changed) > 0)
		probe_waited_for_ledger(sweep->probe, clock_now() - began);
	return result;
}
