#include "bounce.h"

#include <string.h>
#include <strings.h>

#include "access_token.h"
#include "imap.h"
#include "imap_account.h"
#include "text.h"
#include "token.h"

#include "ban.h"

/* A bounce quotes our mail, and may quote all of it: what counts comes first. */
#define BOUNCE_BYTES (256 * 1024)
#define BOUNCES_MAX 16
/* Without a mark, how far back is searched: bodies are searched, and there may be many mails. */
#define NEWEST 200
/* Less than this is no time for a login; and this much of the run is left to whoever comes next. */
#define LEAST_TIME (100 * NS_PER_MS)
#define LEFT_TIME (100 * NS_PER_MS)

/* --- as a record ----------------------------------------------------------------------- */

static void set_text(json_t *record, const char *key, const char *text)
{
	char shown[512];

	if (text[0] == '\0')
		return;
	text_printable_copy(shown, sizeof(shown), text, strlen(text));
	json_object_set_new(record, key, json_string(shown));
}

void bounce_describe(json_t *record, const struct dsn *dsn)
{
	set_text(record, "bounce_status", dsn->status);
	set_text(record, "bounce_host", dsn->host);
	set_text(record, "bounce_text", dsn->text);
}

/* --- in the sender's place ------------------------------------------------------------- */

/* What a probe needs to log in as somebody. Facts and phases of that are no part of its own. */
struct role {
	const struct account *account, *connection;
	const char *password, *token;
	struct dns *dns;
	struct access_token *token_source;
	struct timings timings;
	struct deadline deadline;
	json_t *facts;
};

static struct role role_of(const struct probe *probe)
{
	return (struct role){
		.account = probe->account,
		.connection = probe->connection,
		.password = probe->password,
		.token = probe->token,
		.dns = probe->dns,
		.token_source = probe->token_source,
		.timings = probe->timings,
		.deadline = probe->deadline,
		.facts = probe->facts,
	};
}

static void play(struct probe *probe, const struct role *role)
{
	probe->account = role->account;
	probe->connection = role->connection;
	probe->password = role->password;
	probe->token = role->token;
	probe->dns = role->dns;
	probe->token_source = role->token_source;
	probe->timings = role->timings;
	probe->deadline = role->deadline;
	probe->facts = role->facts;
}

static bool can_look(const struct probe *probe, const struct probe_mail *mail)
{
	const struct probe *sender = probe->sender;

	return sender != NULL && sender->account != NULL && sender->dns != NULL &&
	       sender->account->imap.host != NULL &&
	       strcasecmp(sender->account->address, mail->from) == 0 &&
	       (sender->password != NULL || sender->token_source != NULL) &&
	       deadline_left(probe->run->deadline) > LEAST_TIME + LEFT_TIME;
}

/* --- looking --------------------------------------------------------------------------- */

/* What came before this UID cannot be about a mail of this run. */
static uint32_t first_uid(const struct probe *probe, const struct imap_mailbox *inbox)
{
	uint32_t first = inbox->uid_next > NEWEST ? inbox->uid_next - NEWEST : 1;
	const char *account, *folder;
	json_int_t validity, next;
	json_t *mark;
	size_t index;

	json_array_foreach(probe->run->marks, index, mark)
	{
		if (json_unpack(mark, "{s:s, s:s, s:I, s:I}", "account", &account, "folder",
			    &folder, "uid_validity", &validity, "uid_next", &next) == 0 &&
			strcmp(account, probe->account->name) == 0 &&
			strcmp(folder, "INBOX") == 0 && validity == inbox->uid_validity &&
			next > first)
			first = (uint32_t)next;
	}
	return first;
}

/* Anybody may have written it: it must quote the mail's own token. */
static bool is_about(const struct dsn *dsn, const struct probe_mail *mail)
{
	return dsn->kind == DSN_FAILED && token_equal(dsn->token, mail->token);
}

static int read_one(struct imap *imap, uint32_t uid, struct probe_mail *mail, struct failure *why)
{
	struct imap_message message;
	struct dsn dsn;

	if (imap_fetch_part(imap, uid, BOUNCE_BYTES, &message, why) == -1)
		return -1;
	if (message.text != NULL) {
		dsn_read(message.text, message.length, &dsn);
		if (is_about(&dsn, mail))
			mail->bounce = dsn;
	}
	imap_message_free(&message);
	return 0;
}

static int search_inbox(
	struct probe *probe, struct imap *imap, struct probe_mail *mail, struct failure *why)
{
	struct imap_search what = {
		.header = TOKEN_HEADER, .value = mail->id, .text = TOKEN_HEADER};
	struct imap_uids found = {0};
	struct imap_mailbox inbox;
	struct failure ignored = {0};
	size_t read = 0;
	int result;

	if (imap_select(imap, "INBOX", true, &inbox, why) == -1)
		return -1;
	what.uid_from = first_uid(probe, &inbox);
	result = imap_search(imap, &what, &found, why);
	/* The newest first: those before it are more likely about other mails. */
	while (result == 0 && read < found.count && read < BOUNCES_MAX &&
		mail->bounce.kind != DSN_FAILED)
		result = read_one(imap, found.uids[found.count - ++read], mail, why);
	imap_uids_free(&found);
	imap_logout(imap, &ignored);
	return result;
}

static int look(struct probe *probe, struct probe_mail *mail, struct failure *why)
{
	struct peer_facts peer;
	struct imap *imap = access_token_get(probe, why) == 0
		? imap_account_open_at(probe, NULL, &peer, why)
		: NULL;
	int result = imap != NULL ? search_inbox(probe, imap, mail, why) : -1;

	timings_pause(&probe->timings);
	imap_close(&imap);
	return result;
}

bool bounce_look(struct probe *probe, struct probe_mail *mail)
{
	struct deadline end = {.at_ns = probe->run->deadline.at_ns - LEFT_TIME};
	struct role own, sender;
	struct failure why = {0};

	if (!can_look(probe, mail))
		return false;
	timings_pause(&probe->timings);
	own = role_of(probe);
	sender = role_of(probe->sender);
	sender.timings = (struct timings){0};
	sender.deadline = deadline_earlier(probe->deadline, end);
	sender.facts = json_object();
	play(probe, &sender);
	/* That the sender's mailbox is down is the business of the steps that use it. */
	if (look(probe, mail, &why) == -1)
		transcript_remark(&probe->transcript,
			"whether the mail has come back to its sender is not known: %s", why.text);
	play(probe, &own);
	json_decref(sender.facts);
	return mail->bounce.kind == DSN_FAILED;
}
