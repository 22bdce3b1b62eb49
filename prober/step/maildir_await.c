/* maildir_await - the receiver waits for a mail at a remote end that delivers into a Maildir of this
 * machine.
 *
 * Watched (inotify) from before the run's first packet. The delivery time is an interval: from the
 * last instant at which nothing had come that was not looked at, to the reading of the mail. Where
 * nothing told of it, both folders are searched at the end, as inotify hears nothing of other
 * machines (NFS). What is not ours by its token is neither kept nor changed. */
#include "step.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "await.h"
#include "header.h"
#include "maildir.h"
#include "record.h"
#include "text.h"
#include "trace.h"

#include "ban.h"

#define GROWTH_MAX ((size_t)1 << 20) /* of a mail on its way: its trace, and what filters add */
#define HEADER_MAX ((size_t)64 * 1024)
/* A file server's clock may be behind ours by so much, and no mail is missed. */
#define CLOCK_SLACK (3600 * NS_PER_SECOND)
/* Copies that a server makes come within moments. */
#define COPIES_WAIT (200 * NS_PER_MS)

static const char *const keep_choices[] = {"nothing", "failures", "all", NULL};

static const struct field fields[] = {
	{"account", &field_account, FIELD_REQUIRED, "account that receives"},
	{"mail", &field_mail, FIELD_REQUIRED, "id of the step that sends the mail"},
	{"within", &field_duration, 0, "how long the mail may take from its final 250", "\"60s\""},
	{"keep", &field_choice, 0,
		"which probe mails stay there as evidence: nothing, failures (altered), or all",
		"\"nothing\"", keep_choices},
	TRACE_FIELD,
	{0},
};

static const struct field facts[] = {
	{"mail", &field_name, 0, "id of the probe mail"},
	{"delivery_seconds", &field_seconds, 0, "the middle of the two bounds"},
	{"delivery_seconds_min", &field_seconds, 0, "when it had not come yet"},
	{"delivery_seconds_max", &field_seconds, 0, "when it had been read"},
	{"waited_seconds", &field_seconds, 0,
		"from the final 250 to the last search, if the mail was not there"},
	{"folder", &field_text, 0, "the folder it was found in: new or cur"},
	{"looks", &field_integer, 0, "files that were looked at"},
	{"duplicates", &field_integer, FIELD_METRIC, "copies beyond the first"},
	{"search_only", &field_bool, 0,
		"the mail was there, but inotify had not told of it, as on a network file system"},
	TRACE_FACTS,
	{"ledger_wait_seconds", &field_seconds, 0,
		"our own wait for the ledger, outside of every phase"},
	{0},
};

static const char *const phases[] = {"watch", "wait", "recheck", "copies", "remove", NULL};
static const char *const account_needs[] = {"maildir", NULL};

struct inbox {
	struct probe *probe;
	struct maildir *maildir;
	const struct folder_grant *grant;
	struct probe_mail *mail;
	unsigned int looks;
	bool unreadable; /* there are files that it might be */
	bool gone;       /* something has: it may be on its way to another name */
	int64_t absent_ns;
	/* Once it is found. */
	enum mail_match match; /* MAIL_FOREIGN before */
	enum maildir_folder folder;
	int64_t present_ns;
	const char *changed; /* of an altered mail: which part of it */
	char *header;        /* owned; NULL: no memory for it */
	/* In the end. */
	unsigned int copies, removed;
	int remove_errno; /* why one could not be removed; 0: none such */
};

/* --- before the mail is sent ----------------------------------------------------------- */

static int open_inbox(struct probe *probe, struct folder_grant *grant, struct failure *why)
{
	struct inbox *inbox = calloc(1, sizeof(*inbox));

	if (inbox == NULL)
		return failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory");
	inbox->probe = probe;
	inbox->grant = grant;
	inbox->match = MAIL_FOREIGN;
	probe->state = inbox;
	inbox->maildir = maildir_open(probe->account->maildir, grant, why);
	return inbox->maildir != NULL ? 0 : -1;
}

static int prepare(struct probe *probe, struct failure *why)
{
	const struct inbox *inbox = probe->state;

	timings_begin(&probe->timings, "watch");
	if (inbox->grant->denied)
		return failure_set(why, ERROR_SANDBOX_REQUIRED,
			"a Maildir is only read where Landlock confines the reading to it, and "
			"this "
			"kernel has none");
	return 0;
}

/* --- looking --------------------------------------------------------------------------- */

/* Is the file the mail? Its text, to be freed, if it is. */
static enum mail_match judge(struct inbox *inbox, enum maildir_folder folder, const char *name,
	char **text_r, size_t *length_r)
{
	const struct probe *probe = inbox->probe;
	const struct maildir_limits limits = {
		.most = inbox->mail->text_length + GROWTH_MAX,
		.since_ns = probe->run->origin.wall_ns - CLOCK_SLACK,
	};
	enum maildir_read result;
	enum mail_match match;

	inbox->looks++;
	result = maildir_read(inbox->maildir, folder, name, &limits, text_r, length_r);
	inbox->gone |= result == MAILDIR_GONE;
	inbox->unreadable |= result == MAILDIR_UNREADABLE;
	if (result != MAILDIR_READ)
		return MAIL_FOREIGN;
	match = probe_mail_match(probe->run->key, inbox->mail, *text_r, *length_r);
	if (match == MAIL_FOREIGN)
		free(*text_r);
	return match;
}

static void look(void *context, enum maildir_folder folder, const char *name)
{
	struct inbox *inbox = context;
	size_t length = 0, header;
	char *text = NULL;

	if (inbox->match != MAIL_FOREIGN)
		return;
	inbox->match = judge(inbox, folder, name, &text, &length);
	if (inbox->match == MAIL_FOREIGN)
		return;
	inbox->present_ns = clock_now();
	inbox->folder = folder;
	inbox->changed = probe_mail_changed(inbox->mail, text, length);
	header = (size_t)(header_end(text, length) - text);
	inbox->header = strndup(text, header < HEADER_MAX ? header : HEADER_MAX);
	free(text);
}

static int watch(struct inbox *inbox, struct deadline until, struct failure *why)
{
	int heard;

	do {
		int64_t quiet = inbox->absent_ns;

		heard = maildir_wait(inbox->maildir, until, look, inbox, &quiet, why);
		/* Under the name that it goes on by, the mail may be there already. */
		if (!inbox->gone)
			inbox->absent_ns = quiet;
	} while (heard == 1 && inbox->match == MAIL_FOREIGN);
	return heard;
}

/* Whatever inotify says, the mail is not there only if it is not there. */
static int recheck(struct inbox *inbox, struct failure *why)
{
	struct probe *probe = inbox->probe;
	int64_t began = clock_now();

	timings_begin(&probe->timings, "recheck");
	if (maildir_scan(inbox->maildir, probe->deadline, look, inbox, why) == -1)
		return -1;
	if (inbox->match == MAIL_FOREIGN) {
		inbox->absent_ns = began;
		return 0;
	}
	inbox->absent_ns = 0;
	json_object_set_new(probe->facts, "search_only", json_true());
	return 0;
}

static int missing(struct inbox *inbox, const struct await *await, struct failure *why)
{
	struct probe *probe = inbox->probe;

	if (inbox->unreadable)
		return failure_set(why, ERROR_CONFIG_FILE,
			"the mail was not found, but there are files in the Maildir %s that cannot "
			"be "
			"read",
			probe->account->maildir);
	return await_missing(
		probe, inbox->mail, await, inbox->absent_ns, "new or cur of the Maildir", why);
}

/* --- what was found -------------------------------------------------------------------- */

/* Another copy, or the first one, under whatever name it has by now. */
static bool is_copy(struct inbox *inbox, enum maildir_folder folder, const char *name)
{
	char *text = NULL;
	size_t length = 0;

	if (judge(inbox, folder, name, &text, &length) == MAIL_FOREIGN)
		return false;
	free(text);
	return true;
}

static void count(void *context, enum maildir_folder folder, const char *name)
{
	struct inbox *inbox = context;

	inbox->copies += is_copy(inbox, folder, name);
}

static void clear(void *context, enum maildir_folder folder, const char *name)
{
	struct inbox *inbox = context;

	if (!is_copy(inbox, folder, name))
		return;
	if (maildir_remove(inbox->maildir, folder, name) == 0)
		inbox->removed++;
	else if (errno != ENOENT)
		inbox->remove_errno = errno;
}

static bool is_kept(const struct inbox *inbox)
{
	const char *keep = step_string(inbox->probe->step, "keep");

	return strcmp(keep, "all") == 0 ||
		(strcmp(keep, "failures") == 0 && inbox->match == MAIL_ALTERED);
}

static int count_copies(struct inbox *inbox, struct failure *why)
{
	struct probe *probe = inbox->probe;
	struct deadline copies = {.at_ns = inbox->present_ns + COPIES_WAIT};

	timings_begin(&probe->timings, "copies");
	clock_sleep_until(deadline_earlier(copies, probe->deadline));
	if (maildir_scan(inbox->maildir, probe->deadline, count, inbox, why) == -1)
		return -1;
	inbox->mail->duplicates = inbox->copies > 1 ? inbox->copies - 1 : 0;
	inbox->mail->kept = is_kept(inbox);
	return 0;
}

/* Into the ledger first: once it is deleted, nothing else tells of it. */
static bool account_for(struct inbox *inbox)
{
	struct failure unsynced = {0};

	return probe_mail_settled(inbox->probe, inbox->mail,
		       inbox->match == MAIL_ALTERED ? "altered" : "delivered", &unsynced) == 0;
}

static int remove_all(struct inbox *inbox, struct failure *why)
{
	struct probe *probe = inbox->probe;

	if (inbox->mail->kept)
		return 0;
	timings_begin(&probe->timings, "remove");
	if (maildir_scan(inbox->maildir, probe->deadline, clear, inbox, why) == -1)
		return -1;
	inbox->mail->deleted = inbox->removed > 0;
	if (inbox->remove_errno == 0)
		return 0;
	return failure_set(why, ERROR_CONFIG_FILE,
		"the mail arrived, but could not be removed from the Maildir %s: %s",
		probe->account->maildir, strerror(inbox->remove_errno));
}

static int settle(struct probe *probe, struct inbox *inbox, struct failure *why)
{
	struct probe_mail *mail = inbox->mail;
	int result = count_copies(inbox, why);
	bool accounted = account_for(inbox);

	/* What the ledger does not have yet must stay where it is; it is proved all the same. */
	if (result == 0 && accounted)
		result = remove_all(inbox, why);
	json_object_set_new(probe->facts, "looks", json_integer(inbox->looks));
	trace_keep(probe, inbox->header, 0, mail);
	await_keep_facts(probe, mail);
	if (result == -1)
		return -1;
	probe_prove(probe, "found with a valid token in %s of the Maildir of %s, %s", mail->folder,
		probe->account->address,
		mail->kept              ? "and kept"
			: !accounted    ? "and left there: the ledger cannot be written"
			: mail->deleted ? "and deleted"
					: "and then taken away by another");
	if (inbox->match == MAIL_ALTERED)
		return await_altered(mail, inbox->changed, why);
	await_warn_duplicates(probe, mail);
	return 0;
}

/* --- the step -------------------------------------------------------------------------- */

static int run(struct probe *probe, struct failure *why)
{
	struct inbox *inbox = probe->state;
	struct probe_mail *mail = probe_mail_of(probe, step_string(probe->step, "mail"));
	struct await await = await_begin(probe, mail);

	inbox->mail = mail;
	if (watch(inbox, await.until, why) == -1)
		return -1;
	if (inbox->match == MAIL_FOREIGN && recheck(inbox, why) == -1)
		return -1;
	json_object_set_new(probe->facts, "looks", json_integer(inbox->looks));
	if (inbox->match == MAIL_FOREIGN)
		return missing(inbox, &await, why);
	mail->found = true;
	mail->absent_ns = inbox->absent_ns;
	mail->present_ns = inbox->present_ns;
	text_copy(mail->folder, sizeof(mail->folder), maildir_folder_names[inbox->folder]);
	probe->put_off = journey_listens(probe->run->journey, step_string(probe->step, "mail"));
	return probe->put_off ? 0 : settle(probe, inbox, why);
}

/* The listeners are through, and the mail may go. */
static int after(struct probe *probe, struct failure *why)
{
	return settle(probe, probe->state, why);
}

static void finish(struct probe *probe)
{
	struct inbox *inbox = probe->state;

	if (inbox == NULL)
		return;
	maildir_close(&inbox->maildir);
	free(inbox->header);
	free(inbox);
	probe->state = NULL;
}

const struct step_type step_maildir_await = {
	.name = "maildir_await",
	.summary = "wait for a mail to arrive in a Maildir of this machine",
	.fields = fields,
	.facts = facts,
	.phases = phases,
	.account_needs = account_needs,
	.open = open_inbox,
	.prepare = prepare,
	.run = run,
	.after = after,
	.finish = finish,
};
