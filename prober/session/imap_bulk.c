/* Messages by the hundred: a round trip for all of them, not one for each. */
#include "imap.h"

#include <stdlib.h>
#include <string.h>

#include "imap_private.h"

#include "ban.h"

/* What one command may name: its line stays short enough for any server. */
#define SET_MAX 1000

void imap_uids_free(struct imap_uids *found)
{
	free(found->uids);
	*found = (struct imap_uids){0};
}

static bool uids_add(struct imap_uids *found, uint32_t uid)
{
	size_t room = found->count == 0 ? 16 : found->count;
	uint32_t *grown;

	/* The room doubles whenever it is full, which it is at each power of two. */
	if (found->count == 0 || (found->count >= 16 && (found->count & (found->count - 1)) == 0)) {
		grown = realloc(found->uids, (found->count == 0 ? room : 2 * room) * sizeof(uid));
		if (grown == NULL)
			return false;
		found->uids = grown;
	}
	found->uids[found->count++] = uid;
	return true;
}

static int by_uid(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

	return (left > right) - (left < right);
}

void imap_uids_sort(struct imap_uids *found)
{
	size_t kept = 0;

	if (found->count > 1)
		qsort(found->uids, found->count, sizeof(*found->uids), by_uid);
	for (size_t i = 0; i < found->count; i++)
		if (i == 0 || found->uids[i] != found->uids[kept - 1])
			found->uids[kept++] = found->uids[i];
	found->count = kept;
}

/* --- finding --------------------------------------------------------------------------- */

static struct mailimap_search_key *header_key(const struct imap_search *what)
{
	return mailimap_search_key_new_header(strdup(what->header), strdup(what->value));
}

static struct mailimap_search_key *key_of(const struct imap_search *what)
{
	struct mailimap_search_key *keys = mailimap_search_key_new_multiple_empty();
	uint32_t from = what->uid_from > 0 ? what->uid_from : 1;

	/* "n:*" names the last message even if its UID is below n (RFC 3501, 6.4.8). */
	mailimap_search_key_multiple_add(keys,
		mailimap_search_key_new_uid(mailimap_set_new_interval(from, what->uid_to)));
	mailimap_search_key_multiple_add(keys,
		what->text == NULL
			? header_key(what)
			: mailimap_search_key_new_or(header_key(what),
				  mailimap_search_key_new_text(strdup(what->text))));
	return keys;
}

int imap_search(struct imap *imap, const struct imap_search *what, struct imap_uids *found,
	struct failure *why)
{
	struct mailimap_search_key *key = key_of(what);
	clist *list = NULL;
	bool fits = true;
	int code;

	imap_begin(imap);
	code = mailimap_uid_search(imap->session, NULL, key, &list);
	mailimap_search_key_free(key);
	if (imap_outcome(imap, code, "UID SEARCH", ERROR_IMAP_NO, why) == -1)
		return -1;
	for (clistiter *i = clist_begin(list); i != NULL && fits; i = clist_next(i)) {
		uint32_t uid = *(uint32_t *)clist_content(i);

		if (uid >= what->uid_from && uid > 0 && (what->uid_to == 0 || uid <= what->uid_to))
			fits = uids_add(found, uid);
	}
	mailimap_search_result_free(list);
	if (!fits)
		return failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory");
	imap_uids_sort(found);
	return 0;
}

/* --- sets ------------------------------------------------------------------------------ */

/* Ascending UIDs as a set with their runs as intervals. */
static struct mailimap_set *set_of(const uint32_t *uids, size_t count)
{
	struct mailimap_set *set = mailimap_set_new_empty();
	size_t first = 0;

	for (size_t i = 1; i <= count; i++) {
		if (i < count && uids[i] == uids[i - 1] + 1)
			continue;
		mailimap_set_add_interval(set, uids[first], uids[i - 1]);
		first = i;
	}
	return set;
}

static bool is_in(const uint32_t *uids, size_t count, uint32_t uid)
{
	return bsearch(&uid, uids, count, sizeof(uid), by_uid) != NULL;
}

/* --- fetching -------------------------------------------------------------------------- */

struct fetching {
	const uint32_t *uids;
	size_t count;
	imap_each *each;
	void *context;
};

/* What is said of messages that were not asked for counts for none. */
static void tell(const struct fetching *fetching, const struct mailimap_msg_att *attributes)
{
	struct imap_message message = {0};
	uint32_t uid = imap_take_message(attributes, &message);

	if (message.text != NULL && is_in(fetching->uids, fetching->count, uid))
		fetching->each(fetching->context, uid, &message);
	imap_message_free(&message);
}

static int fetch_set(struct imap *imap, const struct fetching *fetching,
	struct mailimap_fetch_type *type, struct failure *why)
{
	struct mailimap_set *set = set_of(fetching->uids, fetching->count);
	clist *list = NULL;
	int code;

	imap_begin(imap);
	code = mailimap_uid_fetch(imap->session, set, type, &list);
	mailimap_fetch_type_free(type);
	mailimap_set_free(set);
	if (imap_outcome(imap, code, "UID FETCH", ERROR_IMAP_NO, why) == -1)
		return -1;
	for (clistiter *i = clist_begin(list); i != NULL; i = clist_next(i))
		tell(fetching, clist_content(i));
	mailimap_fetch_list_free(list);
	return 0;
}

static struct mailimap_fetch_type *with_dates(struct mailimap_section *section)
{
	struct mailimap_fetch_type *type = mailimap_fetch_type_new_fetch_att_list_empty();

	mailimap_fetch_type_new_fetch_att_list_add(type, mailimap_fetch_att_new_internaldate());
	mailimap_fetch_type_new_fetch_att_list_add(type, mailimap_fetch_att_new_rfc822_size());
	mailimap_fetch_type_new_fetch_att_list_add(
		type, mailimap_fetch_att_new_body_peek_section(section));
	return type;
}

static struct mailimap_section *fields_section(const char *const names[])
{
	clist *list = clist_new();

	for (size_t i = 0; names[i] != NULL; i++)
		clist_append(list, strdup(names[i]));
	return mailimap_section_new_header_fields(mailimap_header_list_new(list));
}

int imap_fetch_fields(struct imap *imap, const uint32_t *uids, size_t count,
	const char *const names[], imap_each *each, void *context, struct failure *why)
{
	for (size_t at = 0; at < count; at += SET_MAX) {
		const struct fetching fetching = {
			.uids = uids + at,
			.count = count - at < SET_MAX ? count - at : SET_MAX,
			.each = each,
			.context = context,
		};

		if (fetch_set(imap, &fetching, with_dates(fields_section(names)), why) == -1)
			return -1;
	}
	return 0;
}

int imap_fetch_all(struct imap *imap, const uint32_t *uids, size_t count, imap_each *each,
	void *context, struct failure *why)
{
	const struct fetching fetching = {
		.uids = uids, .count = count, .each = each, .context = context};

	return count == 0 ? 0 : fetch_set(imap, &fetching, with_dates(mailimap_section_new(NULL)), why);
}

/* --- deleting -------------------------------------------------------------------------- */

static int mark_deleted(struct imap *imap, struct mailimap_set *set, struct failure *why)
{
	struct mailimap_flag_list *flags = mailimap_flag_list_new_empty();
	struct mailimap_store_att_flags *store;
	int code;

	mailimap_flag_list_add(flags, mailimap_flag_new_deleted());
	store = mailimap_store_att_flags_new_add_flags_silent(flags);
	imap_begin(imap);
	code = mailimap_uid_store(imap->session, set, store);
	mailimap_store_att_flags_free(store);
	return imap_outcome(imap, code, "UID STORE", ERROR_IMAP_NO, why);
}

static int expunge(struct imap *imap, struct mailimap_set *set, bool plain, bool *expunged_r,
	struct failure *why)
{
	bool by_uid = imap_has(imap, "UIDPLUS");

	if (!by_uid && !plain)
		return 0;
	imap_begin(imap);
	if (imap_outcome(imap,
		    by_uid ? mailimap_uid_expunge(imap->session, set)
			   : mailimap_expunge(imap->session),
		    by_uid ? "UID EXPUNGE" : "EXPUNGE", ERROR_IMAP_NO, why) == -1)
		return -1;
	*expunged_r = true;
	return 0;
}

int imap_delete(struct imap *imap, const uint32_t *uids, size_t count, bool plain,
	bool *expunged_r, struct failure *why)
{
	int result = 0;

	*expunged_r = false;
	for (size_t at = 0; at < count && result == 0; at += SET_MAX) {
		struct mailimap_set *set =
			set_of(uids + at, count - at < SET_MAX ? count - at : SET_MAX);

		result = mark_deleted(imap, set, why);
		if (result == 0)
			result = expunge(imap, set, plain, expunged_r, why);
		mailimap_set_free(set);
	}
	return result;
}
