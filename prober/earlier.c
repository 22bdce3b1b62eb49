#include "earlier.h"

#include <string.h>

#include "clock.h"
#include "ledger.h"

#include "ban.h"

/* More are settled by the runs to come. */
#define OPEN_MAX 2048
/* RFC 5321, 4.5.4.1: a sender gives up after four or five days. */
#define DEFERRED_MAX (5 * 86400 * NS_PER_SECOND)

static const char *member(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value != NULL ? value : "";
}

/* Nobody offers it again, such as a step that the scenario has no more, or has for too long. */
static bool is_given_up(const json_t *mail)
{
	int64_t first;

	return strcmp(member(mail, "state"), "deferred") == 0 &&
	       clock_parse(member(mail, "first_try_at"), &first) == 0 &&
	       clock_wall() - first > DEFERRED_MAX;
}

static void add_open_mail(void *context, const json_t *mail)
{
	json_array_append_new(context, json_deep_copy(mail));
}

/* Nobody would ever see it come, and every run would carry it along. */
static bool is_unwatched(const json_t *mail, const struct journey *journey)
{
	const char *state = member(mail, "state");
	int64_t sent;

	return (strcmp(state, "accepted") == 0 || strcmp(state, "unknown") == 0) &&
	       clock_parse(member(mail, "sending_at"), &sent) == 0 &&
	       clock_wall() - sent > journey->horizon_ns &&
	       journey_mailbox_of(journey, member(mail, "step"), member(mail, "to")) == NULL;
}

/* What no run will find out more about: a deferred mail was never taken, so it is refused; of another
 * that no step looks for, its state is all that will ever be known. */
static bool close_mail(json_t *mail, const struct journey *journey)
{
	if (is_given_up(mail))
		json_object_set_new(mail, "state", json_string("refused"));
	else if (is_unwatched(mail, journey))
		json_object_set_new(mail, "unwatched", json_true());
	else
		return false;
	return true;
}

static int close_mails(struct earlier *earlier, struct state *state, const json_t *run,
	const struct journey *journey, struct failure *why)
{
	json_t *closed = json_array(), *mail;
	size_t index = 0;
	int result = 0;

	while ((mail = json_array_get(earlier->open_mails, index)) != NULL) {
		if (!close_mail(mail, journey)) {
			index++;
			continue;
		}
		json_array_append(closed, mail);
		json_array_remove(earlier->open_mails, index);
	}
	if (json_array_size(closed) > 0)
		result = ledger_settle(state, run, closed, earlier->settled, why);
	json_decref(closed);
	return result;
}

static int read_open(struct earlier *earlier, struct state *state, const struct journey *journey,
	struct failure *why)
{
	earlier->open_mails = json_array();
	earlier->marks = ledger_marks(state, journey->customer, journey->scenario, why);
	if (earlier->marks == NULL ||
		ledger_has_past(state, journey->customer, journey->scenario, &earlier->has_past,
			why) == -1)
		return -1;
	return ledger_open_mails(state, journey->customer, journey->scenario, OPEN_MAX,
		add_open_mail, earlier->open_mails, why);
}

int earlier_load(struct earlier *earlier, struct state *state, const json_t *run,
	const struct journey *journey, struct failure *why)
{
	earlier->settled = json_array();
	if (read_open(earlier, state, journey, why) == -1)
		return -1;
	return close_mails(earlier, state, run, journey, why);
}

int earlier_reload(struct earlier *earlier, struct state *state, const struct journey *journey,
	struct failure *why)
{
	json_decref(earlier->open_mails);
	json_decref(earlier->marks);
	if (read_open(earlier, state, journey, why) == -1)
		return -1;
	earlier->has_past = true; /* the attempt before is one */
	return 0;
}

void earlier_free(struct earlier *earlier)
{
	json_decref(earlier->open_mails);
	json_decref(earlier->marks);
	json_decref(earlier->settled);
	*earlier = (struct earlier){0};
}

json_t *earlier_recall(
	struct state *state, const json_t *run, const json_t *ids, struct failure *why)
{
	json_t *mails = ledger_recall(state, run, ids, why), *mail;
	size_t index;

	/* The longest of them, and nothing to settle a mail by. */
	json_array_foreach(mails, index, mail)
	{
		json_object_del(mail, "hops");
		json_object_del(mail, "bounce_text");
	}
	return mails;
}

int earlier_settle(struct earlier *earlier, struct state *state, const json_t *run,
	const json_t *mails, struct failure *why)
{
	return ledger_settle(state, run, mails, earlier->settled, why);
}
