/* Mails of earlier runs that came back to their sender. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "bounce.h"
#include "step.h"
#include "sweep_private.h"
#include "text.h"

#include "ban.h"

/* A bounce quotes our mail, and may quote all of it. */
#define BOUNCE_BYTES (256 * 1024)
#define BOUNCES_MAX 64

static const char *member(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value != NULL ? value : "";
}

static bool is_sender(const struct sweep *sweep, const json_t *mail)
{
	return strcasecmp(member(mail, "from"), sweep->probe->account->address) == 0;
}

static bool is_awaited(const json_t *mail)
{
	return strcmp(member(mail, "state"), "accepted") == 0 ||
	       strcmp(member(mail, "state"), "unknown") == 0;
}

bool sweep_expects_bounces(const struct sweep *sweep)
{
	const json_t *mail;
	size_t index;

	/* Bodies are searched only where a mark keeps the search short. */
	if (sweep->mark == NULL || sweep->place->sent)
		return false;
	json_array_foreach(sweep->probe->run->open_mails, index, mail)
		if (is_awaited(mail) && is_sender(sweep, mail))
			return true;
	return false;
}

static void read_bounce(void *context, uint32_t uid, const struct imap_message *message)
{
	struct sweep *sweep = context;

	for (size_t i = 0; i < sweep->count; i++) {
		struct candidate *candidate = &sweep->candidates[i];

		if (candidate->uid != uid || candidate->token[0] != '\0')
			continue;
		dsn_read(message->text, message->length, &candidate->dsn);
		text_copy(candidate->token, sizeof(candidate->token), candidate->dsn.token);
		token_mail(candidate->token, candidate->id);
	}
}

int sweep_read_bounces(struct sweep *sweep, struct failure *why)
{
	uint32_t uids[BOUNCES_MAX];
	size_t count = 0, bytes = 0;

	for (size_t i = 0; i < sweep->count && count < BOUNCES_MAX; i++) {
		const struct candidate *candidate = &sweep->candidates[i];

		if (candidate->token[0] != '\0' || bytes + candidate->size > BOUNCE_BYTES)
			continue;
		uids[count++] = candidate->uid;
		bytes += candidate->size;
	}
	return imap_fetch_all(sweep->imap, uids, count, read_bounce, sweep, why);
}

void sweep_judge_bounce(struct sweep *sweep, const struct candidate *candidate, json_t *mail)
{
	if (candidate->dsn.kind != DSN_FAILED || !is_awaited(mail) || !is_sender(sweep, mail) ||
		sweep_is_own(sweep, mail))
		return;
	json_object_set_new(mail, "state", json_string("bounced"));
	bounce_describe(mail, &candidate->dsn);
	json_object_set(sweep->changed, candidate->id, mail);
}
