#include "await.h"

#include "bounce.h"
#include "text.h"

#include "ban.h"

/* A last look must still fit before the run's end. */
#define LAST_LOOK (NS_PER_SECOND / 2)

static int64_t zero_of(const struct probe_mail *mail)
{
	return mail->accepted_ns != 0 ? mail->accepted_ns : mail->sending_ns;
}

struct await await_begin(struct probe *probe, struct probe_mail *mail)
{
	struct deadline within = {.at_ns = zero_of(mail) + step_duration(probe->step, "within")};
	struct deadline step = {.at_ns = within.at_ns + step_duration(probe->step, "timeout")};
	struct deadline end = {.at_ns = probe->run->deadline.at_ns - LAST_LOOK};

	probe->deadline = deadline_earlier(probe->run->deadline, step);
	text_copy(mail->await, sizeof(mail->await), probe->step->id);
	json_object_set_new(probe->facts, "mail", json_string(mail->id));
	timings_begin(&probe->timings, "wait");
	probe_note(probe, "the mail, for up to %.0f s",
		clock_seconds(step_duration(probe->step, "within")));
	return (struct await){
		.until = deadline_earlier(within, end), .cut_short = end.at_ns < within.at_ns};
}

/* It will not come any more, and the sender was told why. */
static int bounced(struct probe *probe, struct probe_mail *mail, struct failure *why)
{
	const struct dsn *dsn = &mail->bounce;
	struct failure unsynced = {0};

	/* The bounce stays where it is: what the ledger does not have now, a later run finds. */
	probe_mail_settled(probe, mail, "bounced", &unsynced);
	return failure_set(why, ERROR_MAIL_BOUNCED, "the mail came back to %s: %s said: %s%s%s",
		mail->from, dsn->host[0] != '\0' ? dsn->host : "a mail system", dsn->status,
		dsn->status[0] != '\0' && dsn->text[0] != '\0' ? " " : "", dsn->text);
}

int await_missing(struct probe *probe, struct probe_mail *mail, const struct await *await,
	int64_t absent_ns, const char *where, struct failure *why)
{
	double waited = clock_seconds(absent_ns - zero_of(mail));

	json_object_set_new(probe->facts, "waited_seconds", json_real(waited));
	mail->absent_ns = absent_ns;
	if (bounce_look(probe, mail))
		return bounced(probe, mail, why);
	if (await->cut_short) {
		failure_set(why, ERROR_LIMIT_TIME,
			"the scenario's timeout ended the wait after %.1f s, before \"within\" had "
			"passed; the mail had not arrived",
			waited);
		why->blame = BLAME_CONFIG;
		return -1;
	}
	return failure_set(why, ERROR_MAIL_LATE,
		"the mail had not arrived in %s of %s %.1f s after it was accepted", where,
		probe->account->address, waited);
}

static void copy_fact(struct probe *probe, const json_t *record, const char *name)
{
	json_t *value = json_object_get(record, name);

	if (value != NULL)
		json_object_set(probe->facts, name, value);
}

void await_keep_facts(struct probe *probe, const struct probe_mail *mail)
{
	json_t *record = probe_mail_record(probe->run, mail);

	copy_fact(probe, record, "delivery_seconds");
	copy_fact(probe, record, "delivery_seconds_min");
	copy_fact(probe, record, "delivery_seconds_max");
	copy_fact(probe, record, "folder");
	copy_fact(probe, record, "duplicates");
	json_decref(record);
}

int await_altered(const struct probe_mail *mail, const char *changed, struct failure *why)
{
	return failure_set(why, ERROR_MAIL_ALTERED,
		"the mail arrived in %s, but its %s is not what was sent", mail->folder, changed);
}

void await_warn_duplicates(struct probe *probe, const struct probe_mail *mail)
{
	if (mail->duplicates > 0)
		probe_warn(probe, ERROR_MAIL_DUPLICATE, "the mail arrived %u times",
			mail->duplicates + 1);
}
