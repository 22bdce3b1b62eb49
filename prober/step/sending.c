#include "sending.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "step.h"
#include "text.h"

#include "ban.h"

#define ATTACHMENT_BYTES 1000 /* if no size is given */
#define THROUGHPUT_BYTES_MIN (64 * 1024) /* below it, a round trip is most of the time */

const char *const sending_contents[] = {"plain", "gtube", "eicar", NULL};

const char *sending_address(const struct journey *journey, const char *party)
{
	const struct account *account = journey_account(journey, party);

	return account != NULL ? account->address : party;
}

/* The direction of the mail's flow: within one domain it is the platform's own; between two
 * accounts, their names. */
static void name_leg(struct probe *probe, const char *from, const char *to, char *leg, size_t size)
{
	const struct account *other =
		journey_account(probe->run->journey, step_string(probe->step, "to"));

	leg[0] = '\0';
	if (probe->step->type->goes_to_exchanger)
		text_copy(leg, size, "mx->store");
	else if (strcasecmp(strrchr(from, '@'), strrchr(to, '@')) == 0)
		text_copy(leg, size, "submission->store");
	else if (probe->account != NULL && other != NULL)
		snprintf(leg, size, "%s->%s", probe->account->name, other->name);
}

static size_t size_of(const struct step *step)
{
	size_t size = step_size(step, "size");

	return size == 0 && step_bool(step, "attachment") ? ATTACHMENT_BYTES : size;
}

struct probe_mail *sending_write(struct probe *probe, const char *from, const char *mail_id)
{
	const struct journey *journey = probe->run->journey;
	const char *to = sending_address(journey, step_string(probe->step, "to"));
	char leg[LEG_SIZE];
	const struct mail_order order = {
		.key = probe->run->key,
		.customer = journey->customer,
		.scenario = journey->scenario,
		.vantage = probe->run->vantage,
		.step = probe->step->id,
		.from = from,
		.to = to,
		.leg = leg,
		.content = step_string(probe->step, "content"),
		.size = size_of(probe->step),
		.attachment = step_bool(probe->step, "attachment"),
		.utf8 = step_bool(probe->step, "utf8"),
		.subject = step_string(probe->step, "subject"),
		.id = mail_id,
		.wall_ns = clock_label(probe->run->origin, clock_now()),
	};

	name_leg(probe, from, to, leg, sizeof(leg));
	return probe_mail_compose(&order);
}

/* The ledger has the mail on disk before the final dot can go out; that wait is ours. */
static int announce(struct probe *probe, struct probe_mail *mail, struct failure *why)
{
	const struct probe_link *link = probe->run->link;
	json_t *record;
	int result;

	timings_pause(&probe->timings);
	mail->sending_ns = clock_now();
	text_copy(mail->state, sizeof(mail->state), "sending");
	record = probe_mail_record(probe->run, mail);
	result = link->intent(link->context, record, why);
	json_decref(record);
	if (result == 0)
		return 0;
	/* A mail that the ledger does not have is none: nobody may wait for it. */
	probe_waited_for_ledger(probe, clock_now() - mail->sending_ns);
	mail->sending_ns = 0;
	return -1;
}

/* From the phase before the announcement to the one behind it: with a hundred workers on a core,
 * the scheduler's part of it is as large as the disk's. */
static int64_t gap_before_phase(const struct timings *timings)
{
	const struct phase *phase = &timings->phases[timings->count - 1];

	return timings->count > 1 ? phase->begin_ns - phase[-1].end_ns : 0;
}

void sending_keep_reply(struct probe *probe, const struct smtp *smtp)
{
	const struct smtp_reply *reply = smtp_last_reply(smtp);

	if (reply->code == 0)
		return;
	json_object_set_new(probe->facts, "reply_code", json_integer(reply->code));
	json_object_set_new(probe->facts, "reply", json_string(reply->text));
	if (reply->enhanced[0] != '\0')
		json_object_set_new(probe->facts, "enhanced_code", json_string(reply->enhanced));
}

/* A mail that was never announced is no mail yet: nothing could have been accepted. One that was
 * deferred is in the ledger, and stays deferred until this try has brought a reply about it. */
static const char *state_after(int result, enum error_type type, bool announced, bool defer,
	const struct probe_mail *mail)
{
	bool known = announced || mail->first_try_at[0] != '\0';

	if (result == 0)
		return "accepted";
	if (defer && type == ERROR_SMTP_TEMPFAIL)
		return "deferred";
	if (type == ERROR_LOCAL_STORAGE || !known)
		return NULL;
	if (announced && type == ERROR_SMTP_UNKNOWN)
		return "unknown";
	return announced || type == ERROR_SMTP_REJECT ? "refused" : NULL;
}

static int dialogue(struct probe *probe, struct smtp *smtp, struct probe_mail *mail,
	bool *announced, struct failure *why)
{
	int result;

	text_copy(mail->helo, sizeof(mail->helo), smtp_own_name(smtp));
	mail->offered_ns = clock_now();
	if (smtp_mail(smtp, mail->from, mail->text_length, why) == -1 ||
		smtp_rcpt(smtp, mail->to, why) == -1)
		return -1;
	if (announce(probe, mail, why) == -1)
		return -1;
	*announced = true;
	result = smtp_data(smtp, why);
	probe_waited_for_ledger(probe, gap_before_phase(&probe->timings));
	return result == -1 ? -1 : smtp_send_text(smtp, mail->text, mail->text_length, why);
}

/* How fast the text went: a server that reads slowly, or a thin line, shows here. */
static void note_throughput(struct probe *probe, const struct probe_mail *mail)
{
	const struct timings *timings = &probe->timings;

	json_object_set_new(
		probe->facts, "mail_bytes", json_integer((json_int_t)mail->text_length));
	for (size_t i = timings->count; i > 0 && mail->text_length >= THROUGHPUT_BYTES_MIN; i--) {
		const struct phase *phase = &timings->phases[i - 1];
		double seconds = clock_seconds(phase->end_ns - phase->begin_ns);

		if (strcmp(phase->name, "data") != 0)
			continue;
		if (seconds > 0)
			json_object_set_new(probe->facts, "bytes_per_second",
				json_real((double)mail->text_length / seconds));
		return;
	}
}

int sending_hand_over(struct probe *probe, struct smtp *smtp, struct probe_mail *mail, bool defer,
	struct failure *why)
{
	bool announced = false;
	int result = dialogue(probe, smtp, mail, &announced, why);
	const char *state = state_after(result, why->type, announced, defer, mail);
	struct failure unsynced = {0};

	if (state == NULL)
		return result;
	if (!announced) {
		if (announce(probe, mail, &unsynced) == -1)
			return result;
		probe_waited_for_ledger(probe, clock_now() - mail->sending_ns);
	}
	json_object_set_new(probe->facts, "mail", json_string(mail->id));
	text_copy(mail->reply, sizeof(mail->reply),
		result == 0 ? smtp_last_reply(smtp)->text : why->text);
	if (result == 0) {
		mail->accepted_ns = smtp_last_reply_at(smtp);
		note_throughput(probe, mail);
	}
	if (strcmp(state, "deferred") == 0 && mail->first_try_at[0] == '\0')
		clock_format(clock_label(probe->run->origin, mail->sending_ns), mail->first_try_at);
	probe_mail_moved(probe, mail, state);
	return result;
}

void sending_give_up(struct probe *probe, struct probe_mail *mail)
{
	struct failure unsynced = {0};

	/* The ledger lets a deferred mail go only by a new try. */
	if (mail->sending_ns == 0 && announce(probe, mail, &unsynced) == -1)
		return;
	probe_mail_moved(probe, mail, "refused");
}
