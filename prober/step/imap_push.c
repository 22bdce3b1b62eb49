/* imap_push - a phone waits for a mail: how long the server takes to announce it to a client that
 * idles (RFC 2177).
 *
 * Measured beside the await of the mail, which polls, confirms and deletes: this step listens, in
 * a thread of its own from before the mail's final dot, and changes nothing. What is announced is
 * a claim: the mail must be there with its valid token, and its number must be among those that
 * were announced, by an announcement that came when it could be there. */
#include "step.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "imap.h"
#include "imap_account.h"
#include "imap_idle.h"
#include "token.h"

#include "ban.h"

#define NEWS_MAX 256
#define LISTEN_SLICE                                                                               \
	(10 * NS_PER_MS)         /* how exact the lower bound is, and how soon the thread ends */
#define END_MARGIN NS_PER_SECOND /* for the await to remove the mail before the run's end */

static const char *const without_choices[] = {"fail", "warn", NULL};

static const struct field fields[] = {
	{"account", &field_account, FIELD_REQUIRED, "account that receives"},
	{"mail", &field_mail, FIELD_REQUIRED, "id of the step that sends the mail"},
	{"within", &field_duration, 0, "how long the announcement may take from the final 250",
		"\"60s\""},
	{"without_idle", &field_choice, 0, "if the server does not offer IDLE", "\"fail\"",
		without_choices},
	{0},
};

static const struct field facts[] = {
	{"mail", &field_name, 0, "id of the probe mail"},
	{"push_seconds", &field_seconds, FIELD_METRIC,
		"from the final 250 to the announcement: the middle of the two bounds"},
	{"push_seconds_min", &field_seconds, 0, "when nothing had been announced yet"},
	{"push_seconds_max", &field_seconds, 0, "when the announcement had been received"},
	{"push_delay_seconds", &field_seconds, FIELD_METRIC,
		"push_seconds beyond the delivery_seconds of the await that polled for the mail"},
	{"announcements", &field_integer, 0, "changes that were announced, of any mail"},
	{0},
};

static const char *const phases[] = {"resolve", "connect", "tls", "greeting", "starttls", "auth",
	"select", "idle", "wait", "logout", NULL};
static const char *const account_needs[] = {"imap", "password", NULL};

struct push {
	struct imap *imap;
	uint32_t uid_from;
	struct imap_news news[NEWS_MAX];
	size_t count;
	size_t numbered; /* what was told before the mail's number was asked for */
	pthread_t thread;
	bool threaded;
	bool no_idle;
	atomic_bool stop;
	struct failure failed; /* of the thread */
};

/* --- listening ------------------------------------------------------------------------- */

static int too_many(struct failure *why)
{
	return failure_set(why, ERROR_LIMIT_SIZE, "more than %d announcements", NEWS_MAX);
}

/* 1 after news, 0 without, -1 failed. */
static int hear(struct push *push, struct deadline until, struct failure *why)
{
	int result;

	if (push->count == NEWS_MAX)
		return too_many(why);
	do {
		result = imap_idle_next(push->imap,
			deadline_earlier(until, deadline_in(LISTEN_SLICE)),
			&push->news[push->count], why);
	} while (result == 0 && !deadline_passed(until));
	push->count += result == 1;
	return result;
}

static int idle(struct push *push, struct failure *why)
{
	int told = imap_idle_begin(
		push->imap, &push->news[push->count], NEWS_MAX - push->count, why);

	if (told == -1)
		return -1;
	push->count += (size_t)told;
	return 0;
}

static void *listen_on(void *context)
{
	struct push *push = context;

	while (!atomic_load(&push->stop))
		if (hear(push, deadline_in(LISTEN_SLICE), &push->failed) == -1)
			break;
	return NULL;
}

static void end_thread(struct push *push)
{
	if (!push->threaded)
		return;
	atomic_store(&push->stop, true);
	pthread_join(push->thread, NULL);
	push->threaded = false;
}

/* --- before the mail is sent ----------------------------------------------------------- */

static int start_listening(struct probe *probe, struct push *push, struct failure *why)
{
	struct imap_mailbox inbox;

	timings_begin(&probe->timings, "select");
	if (imap_select(push->imap, "INBOX", true, &inbox, why) == -1)
		return -1;
	push->uid_from = inbox.uid_next;
	timings_begin(&probe->timings, "idle");
	if (idle(push, why) == -1)
		return -1;
	/* The chain goes on meanwhile: sending, and waiting for the await. */
	stream_set_deadline(imap_stream(push->imap), probe->run->deadline);
	if (pthread_create(&push->thread, NULL, listen_on, push) != 0)
		return failure_set(why, ERROR_LOCAL_RESOURCE, "no thread to listen with");
	push->threaded = true;
	return 0;
}

static int prepare(struct probe *probe, struct failure *why)
{
	struct push *push = calloc(1, sizeof(*push));
	const char *server;

	if (push == NULL)
		return failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory");
	probe->state = push;
	push->imap = imap_account_open(probe, why);
	if (push->imap == NULL)
		return -1;
	if (imap_has(push->imap, "IDLE"))
		return start_listening(probe, push, why);
	push->no_idle = true;
	server = stream_server(imap_stream(push->imap));
	if (strcmp(step_string(probe->step, "without_idle"), "fail") == 0)
		return failure_set(why, ERROR_IMAP_PUSH,
			"%s does not offer IDLE: programs learn of new mail only when they ask",
			server);
	probe_warn(probe, ERROR_IMAP_PUSH,
		"%s does not offer IDLE: programs learn of new mail only when they ask", server);
	return 0;
}

/* --- which announcement was the mail's ------------------------------------------------- */

/* Gone messages that were told of outside of IDLE change numbers as well. */
static void take_expunged(struct push *push)
{
	push->count +=
		imap_idle_expunged(push->imap, push->news + push->count, NEWS_MAX - push->count);
}

/* The mail's number, 0 if it is not there (yet). */
static int find_number(struct probe *probe, struct push *push, const struct probe_mail *mail,
	uint32_t *number_r, struct failure *why)
{
	const struct imap_search what = {
		.header = TOKEN_HEADER, .value = mail->id, .uid_from = push->uid_from};
	struct imap_message message = {0};
	struct imap_uids found = {0};
	uint32_t uid;

	*number_r = 0;
	if (imap_search(push->imap, &what, &found, why) == -1)
		return -1;
	take_expunged(push);
	uid = found.count > 0 ? found.uids[0] : 0;
	imap_uids_free(&found);
	if (uid == 0)
		return 0;
	push->numbered = push->count;
	if (imap_fetch(push->imap, uid, &message, why) == -1)
		return -1;
	take_expunged(push);
	if (message.text != NULL &&
		probe_mail_match(probe->run->key, mail, message.text, message.length) !=
			MAIL_FOREIGN)
		*number_r = message.number;
	imap_message_free(&message);
	return 0;
}

/* Ends the IDLE and looks. *aside_r is true if the server told of new mail on that occasion: it
 * will not do so again. */
static int look(struct probe *probe, struct push *push, const struct probe_mail *mail,
	uint32_t *number_r, bool *aside_r, struct failure *why)
{
	int heard;

	do {
		heard = hear(push, deadline_in(0), why);
	} while (heard == 1);
	if (heard == -1 || imap_idle_end(push->imap, why) == -1)
		return -1;
	take_expunged(push);
	if (find_number(probe, push, mail, number_r, why) == -1 ||
		imap_noop(push->imap, aside_r, why) == -1)
		return -1;
	take_expunged(push);
	return 0;
}

/* The mail was not there yet at that instant: an announcement before it was of another, or false. */
static int64_t absent_until(const struct probe_mail *mail)
{
	return mail->found && mail->absent_ns > mail->sending_ns ? mail->absent_ns
								 : mail->sending_ns;
}

/* The first announcement from `first` on that counts the mail in. Its number was higher before
 * each message below it that went away since. */
static const struct imap_news *announcement_of(
	const struct push *push, size_t first, int64_t absent_ns, uint32_t number)
{
	const struct imap_news *found = NULL;

	for (size_t i = push->numbered; i-- > first;) {
		const struct imap_news *news = &push->news[i];

		if (news->expunged)
			number += news->number <= number;
		else if (news->number < number || news->at_ns < absent_ns)
			break;
		else
			found = news;
	}
	return found;
}

/* It came between two IDLEs, and the answer to another command told. */
static struct imap_news told_aside(const struct push *push)
{
	return (struct imap_news){
		.quiet_ns = push->news[push->count - 1].quiet_ns, .at_ns = clock_now()};
}

/* --- watching -------------------------------------------------------------------------- */

/* The time is up: was there nothing to announce, or was it not announced? */
static int unannounced(struct probe *probe, struct push *push, const struct probe_mail *mail,
	bool cut_short, struct failure *why)
{
	double waited = clock_seconds(clock_now() - mail->accepted_ns);
	uint32_t number = 0;
	bool aside;

	if (look(probe, push, mail, &number, &aside, why) == -1)
		return -1;
	if (cut_short) {
		failure_set(why, ERROR_LIMIT_TIME,
			"the scenario's timeout ended the wait after %.1f s, before \"within\" had "
			"passed; the mail had not been announced",
			waited);
		why->blame = BLAME_CONFIG;
		return -1;
	}
	if (number > 0)
		return failure_set(why, ERROR_IMAP_PUSH,
			"the mail was in INBOX %.1f s after it was accepted, but %s had not "
			"announced it",
			waited, stream_server(imap_stream(push->imap)));
	if (mail->found)
		return failure_set(why, ERROR_IMAP_STATE,
			"the mail had arrived, but was taken away before it was announced");
	return failure_set(why, ERROR_MAIL_LATE,
		"the mail had not arrived in INBOX, nor been announced, %.1f s after it was "
		"accepted",
		waited);
}

/* Idles until the mail was announced (1) or the time is up (0). An announcement sends it to look:
 * those before a look that did not find the mail were not its. One that is told aside while it looks
 * sends it to look at once: the server will not repeat it. */
static int watch(struct probe *probe, struct push *push, const struct probe_mail *mail,
	struct deadline until, struct imap_news *announced_r, struct failure *why)
{
	size_t examined = 0, first = 0;
	struct imap_news told = {0};
	bool aside = false;

	for (;;) {
		const struct imap_news *found = NULL;
		uint32_t number = 0;
		bool again = aside || push->count > examined;
		int heard = again ? 1 : hear(push, until, why);

		if (heard != 1)
			return heard;
		if (look(probe, push, mail, &number, &aside, why) == -1)
			return -1;
		examined = push->count;
		if (number > 0)
			found = announcement_of(push, first, absent_until(mail), number);
		if (aside)
			told = told_aside(push);
		else if (number == 0)
			told.at_ns = 0;
		if (found != NULL || (number > 0 && told.at_ns != 0)) {
			*announced_r = found != NULL ? *found : told;
			return 1;
		}
		if (number == 0)
			first = examined;
		if (idle(push, why) == -1)
			return -1;
	}
}

/* --- the step -------------------------------------------------------------------------- */

static void keep_facts(struct probe *probe, const struct probe_mail *mail,
	const struct imap_news *announced, int64_t zero)
{
	int64_t absent = absent_until(mail);
	double min =
		clock_seconds((announced->quiet_ns > absent ? announced->quiet_ns : absent) - zero);
	double max = clock_seconds(announced->at_ns - zero);
	double middle = (min + max) / 2 > 0 ? (min + max) / 2 : 0;
	json_t *record = probe_mail_record(probe->run, mail);
	const json_t *delivery = json_object_get(record, "delivery_seconds");

	json_object_set_new(probe->facts, "push_seconds", json_real(middle));
	json_object_set_new(probe->facts, "push_seconds_min", json_real(min));
	json_object_set_new(probe->facts, "push_seconds_max", json_real(max));
	if (delivery != NULL)
		json_object_set_new(probe->facts, "push_delay_seconds",
			json_real(middle - json_number_value(delivery)));
	json_decref(record);
	probe_prove(probe,
		"announced to an idling client %.3f s after it was accepted, and found with a "
		"valid "
		"token",
		middle);
}

static int wait_for(
	struct probe *probe, struct push *push, struct probe_mail *mail, struct failure *why)
{
	int64_t zero = mail->accepted_ns != 0 ? mail->accepted_ns : mail->sending_ns;
	struct deadline until = {.at_ns = zero + step_duration(probe->step, "within")};
	struct deadline end = {.at_ns = probe->run->deadline.at_ns - END_MARGIN};
	struct imap_news announced = {0};
	int result;

	result = watch(probe, push, mail, deadline_earlier(until, end), &announced, why);
	json_object_set_new(probe->facts, "announcements", json_integer((json_int_t)push->count));
	if (result == 0)
		result = unannounced(probe, push, mail, end.at_ns < until.at_ns, why);
	if (result != 1)
		return -1;
	keep_facts(probe, mail, &announced, zero);
	return imap_account_leave(probe, push->imap, why);
}

static int run(struct probe *probe, struct failure *why)
{
	struct push *push = probe->state;
	struct probe_mail *mail = probe_mail_of(probe, step_string(probe->step, "mail"));

	json_object_set_new(probe->facts, "mail", json_string(mail->id));
	if (push->no_idle) {
		probe_prove(probe, "the server was asked, and does not offer IDLE");
		return imap_account_leave(probe, push->imap, why);
	}
	timings_begin(&probe->timings, "wait");
	end_thread(push);
	if (push->failed.type != ERROR_NONE) {
		*why = push->failed;
		return -1;
	}
	if (mail->found && strcmp(mail->folder, "INBOX") != 0)
		return failure_set(why, ERROR_MAIL_SPAM,
			"the mail was put in \"%s\", of which nothing is announced in INBOX",
			mail->folder);
	probe_note(probe, "the announcement of the mail");
	return wait_for(probe, push, mail, why);
}

static void finish(struct probe *probe)
{
	struct push *push = probe->state;

	if (push == NULL)
		return;
	end_thread(push);
	imap_close(&push->imap);
	free(push);
	probe->state = NULL;
}

const struct step_type step_imap_push = {
	.name = "imap_push",
	.summary = "time the announcement of a mail to a client that idles",
	.fields = fields,
	.facts = facts,
	.phases = phases,
	.account_needs = account_needs,
	.listens = true,
	.prepare = prepare,
	.run = run,
	.finish = finish,
};
