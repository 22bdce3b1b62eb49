/* Messages: finding, fetching and deleting them. */
#include "imap.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "imap_private.h"

#include "ban.h"

static struct mailimap_search_key *header_key(
	const char *header, const char *value, uint32_t uid_from)
{
	struct mailimap_search_key *keys = mailimap_search_key_new_multiple_empty();

	/* "n:*" names the last message even if its UID is below n (RFC 3501, 6.4.8). */
	mailimap_search_key_multiple_add(
		keys, mailimap_search_key_new_uid(mailimap_set_new_interval(uid_from, 0)));
	mailimap_search_key_multiple_add(
		keys, mailimap_search_key_new_header(strdup(header), strdup(value)));
	return keys;
}

static void insert_sorted(uint32_t *uids, size_t max, size_t *count, uint32_t uid)
{
	size_t at;

	if (*count == max)
		return;
	for (at = *count; at > 0 && uids[at - 1] > uid; at--)
		uids[at] = uids[at - 1];
	uids[at] = uid;
	(*count)++;
}

int imap_search_header(struct imap *imap, const char *header, const char *value,
	uint32_t uid_from, uint32_t *uids, size_t max, size_t *count_r, struct failure *why)
{
	struct mailimap_search_key *key = header_key(header, value, uid_from > 0 ? uid_from : 1);
	clist *found = NULL;
	int code;

	imap_begin(imap);
	code = mailimap_uid_search(imap->session, NULL, key, &found);
	mailimap_search_key_free(key);
	if (imap_outcome(imap, code, "UID SEARCH", ERROR_IMAP_NO, why) == -1)
		return -1;
	*count_r = 0;
	for (clistiter *i = clist_begin(found); i != NULL; i = clist_next(i)) {
		uint32_t uid = *(uint32_t *)clist_content(i);

		if (uid >= uid_from)
			insert_sorted(uids, max, count_r, uid);
	}
	mailimap_search_result_free(found);
	return 0;
}

static int64_t wall_of(const struct mailimap_date_time *date)
{
	struct tm tm = {
		.tm_year = date->dt_year - 1900,
		.tm_mon = date->dt_month - 1,
		.tm_mday = date->dt_day,
		.tm_hour = date->dt_hour,
		.tm_min = date->dt_min,
		.tm_sec = date->dt_sec,
	};
	/* The zone is +hhmm as a number. */
	int64_t offset = date->dt_zone / 100 * 3600 + date->dt_zone % 100 * 60;
	int64_t seconds = (int64_t)timegm(&tm) - offset;

	/* A date that nanoseconds cannot tell is none (they end in 2262). */
	return seconds > 0 && seconds < INT64_MAX / NS_PER_SECOND ? seconds * NS_PER_SECOND : 0;
}

static void take_static(const struct mailimap_msg_att_static *att, struct imap_message *message)
{
	const struct mailimap_msg_att_body_section *section = att->att_data.att_body_section;

	if (att->att_type == MAILIMAP_MSG_ATT_INTERNALDATE &&
		att->att_data.att_internal_date != NULL) {
		message->internal_date_ns = wall_of(att->att_data.att_internal_date);
	} else if (att->att_type == MAILIMAP_MSG_ATT_BODY_SECTION && section != NULL &&
		   section->sec_body_part != NULL && message->text == NULL) {
		message->text = malloc(section->sec_length + 1);
		if (message->text == NULL)
			return;
		memcpy(message->text, section->sec_body_part, section->sec_length);
		message->text[section->sec_length] = '\0';
		message->length = section->sec_length;
	}
}

static bool is_about(const struct mailimap_msg_att *attributes, uint32_t uid)
{
	for (clistiter *i = clist_begin(attributes->att_list); i != NULL; i = clist_next(i)) {
		const struct mailimap_msg_att_item *item = clist_content(i);

		if (item->att_type == MAILIMAP_MSG_ATT_ITEM_STATIC &&
			item->att_data.att_static->att_type == MAILIMAP_MSG_ATT_UID)
			return item->att_data.att_static->att_data.att_uid == uid;
	}
	return false;
}

/* RFC 3501, 6.4.8: the UID is part of the answer. What is said of another message must not count
 * for the one that was asked for. */
static void take_message(clist *list, uint32_t uid, struct imap_message *message)
{
	for (clistiter *i = clist_begin(list); i != NULL; i = clist_next(i)) {
		const struct mailimap_msg_att *attributes = clist_content(i);

		if (!is_about(attributes, uid))
			continue;
		message->number = attributes->att_number;
		for (clistiter *j = clist_begin(attributes->att_list); j != NULL;
			j = clist_next(j)) {
			const struct mailimap_msg_att_item *item = clist_content(j);

			if (item->att_type == MAILIMAP_MSG_ATT_ITEM_STATIC)
				take_static(item->att_data.att_static, message);
		}
	}
}

static struct mailimap_fetch_type *whole_message(void)
{
	struct mailimap_fetch_type *type = mailimap_fetch_type_new_fetch_att_list_empty();

	mailimap_fetch_type_new_fetch_att_list_add(type, mailimap_fetch_att_new_internaldate());
	mailimap_fetch_type_new_fetch_att_list_add(
		type, mailimap_fetch_att_new_body_peek_section(mailimap_section_new(NULL)));
	return type;
}

static bool has_seen(const struct mailimap_msg_att_dynamic *dynamic)
{
	if (dynamic == NULL || dynamic->att_list == NULL)
		return false;
	for (clistiter *i = clist_begin(dynamic->att_list); i != NULL; i = clist_next(i)) {
		const struct mailimap_flag_fetch *flag = clist_content(i);

		if (flag->fl_type == MAILIMAP_FLAG_FETCH_OTHER &&
			flag->fl_flag->fl_type == MAILIMAP_FLAG_SEEN)
			return true;
	}
	return false;
}

/* One message by its UID; frees the type. */
static int fetch_one(struct imap *imap, uint32_t uid, struct mailimap_fetch_type *type,
	struct imap_message *message_r, struct failure *why)
{
	struct mailimap_set *set = mailimap_set_new_single(uid);
	clist *list = NULL;
	int code;

	imap_begin(imap);
	*message_r = (struct imap_message){0};
	code = mailimap_uid_fetch(imap->session, set, type, &list);
	mailimap_fetch_type_free(type);
	mailimap_set_free(set);
	if (imap_outcome(imap, code, "UID FETCH", ERROR_IMAP_NO, why) == -1)
		return -1;
	take_message(list, uid, message_r);
	mailimap_fetch_list_free(list);
	return 0;
}

#define RELAYS_ADD (256 * 1024)

void imap_expect(struct imap *imap, size_t bytes)
{
	struct imap_limits *limits = &imap->guard.limits;

	imap->expected = bytes + RELAYS_ADD > imap_default_limits.literal ? bytes + RELAYS_ADD : 0;
	limits->literal = imap->expected > 0 ? imap->expected : imap_default_limits.literal;
}

int imap_fetch(
	struct imap *imap, uint32_t uid, struct imap_message *message_r, struct failure *why)
{
	return fetch_one(imap, uid, whole_message(), message_r, why);
}

static struct mailimap_fetch_type *only(struct mailimap_fetch_att *attribute)
{
	struct mailimap_fetch_type *type = mailimap_fetch_type_new_fetch_att_list_empty();

	mailimap_fetch_type_new_fetch_att_list_add(type, attribute);
	return type;
}

int imap_fetch_header(
	struct imap *imap, uint32_t uid, struct imap_message *message_r, struct failure *why)
{
	return fetch_one(imap, uid,
		only(mailimap_fetch_att_new_body_peek_section(mailimap_section_new_header())),
		message_r, why);
}

int imap_fetch_part(struct imap *imap, uint32_t uid, uint32_t bytes,
	struct imap_message *message_r, struct failure *why)
{
	return fetch_one(imap, uid,
		only(mailimap_fetch_att_new_body_peek_section_partial(
			mailimap_section_new(NULL), 0, bytes)),
		message_r, why);
}

static void take_summary(const struct mailimap_msg_att *attributes, struct imap_summary *summary)
{
	*summary = (struct imap_summary){0};
	for (clistiter *i = clist_begin(attributes->att_list); i != NULL; i = clist_next(i)) {
		const struct mailimap_msg_att_item *item = clist_content(i);
		const struct mailimap_msg_att_static *fixed = item->att_data.att_static;

		if (item->att_type != MAILIMAP_MSG_ATT_ITEM_STATIC)
			summary->seen = has_seen(item->att_data.att_dyn);
		else if (fixed->att_type == MAILIMAP_MSG_ATT_UID)
			summary->uid = fixed->att_data.att_uid;
		else if (fixed->att_type == MAILIMAP_MSG_ATT_RFC822_SIZE)
			summary->size = fixed->att_data.att_rfc822_size;
	}
}

int imap_summaries(struct imap *imap, uint32_t first, uint32_t last, struct imap_summary *list,
	size_t max, size_t *count_r, struct failure *why)
{
	struct mailimap_set *set = mailimap_set_new_interval(first, last);
	struct mailimap_fetch_type *type = only(mailimap_fetch_att_new_uid());
	clist *found = NULL;
	int code;

	mailimap_fetch_type_new_fetch_att_list_add(type, mailimap_fetch_att_new_rfc822_size());
	mailimap_fetch_type_new_fetch_att_list_add(type, mailimap_fetch_att_new_flags());
	imap_begin(imap);
	*count_r = 0;
	code = mailimap_fetch(imap->session, set, type, &found);
	mailimap_fetch_type_free(type);
	mailimap_set_free(set);
	if (imap_outcome(imap, code, "FETCH", ERROR_IMAP_NO, why) == -1)
		return -1;
	for (clistiter *i = clist_begin(found); i != NULL && *count_r < max; i = clist_next(i))
		take_summary(clist_content(i), &list[(*count_r)++]);
	mailimap_fetch_list_free(found);
	return 0;
}

void imap_message_free(struct imap_message *message)
{
	free(message->text);
	*message = (struct imap_message){0};
}

static int mark_deleted(struct imap *imap, struct mailimap_set *set)
{
	struct mailimap_flag_list *flags = mailimap_flag_list_new_empty();
	struct mailimap_store_att_flags *store;
	int code;

	mailimap_flag_list_add(flags, mailimap_flag_new_deleted());
	store = mailimap_store_att_flags_new_add_flags_silent(flags);
	code = mailimap_uid_store(imap->session, set, store);
	mailimap_store_att_flags_free(store);
	return code;
}

int imap_delete(struct imap *imap, uint32_t uid, bool *expunged_r, struct failure *why)
{
	struct mailimap_set *set = mailimap_set_new_single(uid);
	int result;

	imap_begin(imap);
	*expunged_r = false;
	result = imap_outcome(imap, mark_deleted(imap, set), "UID STORE", ERROR_IMAP_NO, why);
	if (result == 0 && imap_has(imap, "UIDPLUS")) {
		imap_begin(imap);
		result = imap_outcome(imap, mailimap_uid_expunge(imap->session, set), "UID EXPUNGE",
			ERROR_IMAP_NO, why);
		*expunged_r = result == 0;
	}
	mailimap_set_free(set);
	return result;
}
