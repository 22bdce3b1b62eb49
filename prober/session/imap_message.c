/* Messages: fetching them. */
#include "imap.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "imap_private.h"

#include "ban.h"

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
	} else if (att->att_type == MAILIMAP_MSG_ATT_RFC822_SIZE) {
		message->size = att->att_data.att_rfc822_size;
	}
}

uint32_t imap_take_message(
	const struct mailimap_msg_att *attributes, struct imap_message *message)
{
	uint32_t uid = 0;

	message->number = attributes->att_number;

	for (clistiter *i = clist_begin(attributes->att_list); i != NULL; i = clist_next(i)) {
		const struct mailimap_msg_att_item *item = clist_content(i);

		if (item->att_type != MAILIMAP_MSG_ATT_ITEM_STATIC)
			continue;
		if (item->att_data.att_static->att_type == MAILIMAP_MSG_ATT_UID)
			uid = item->att_data.att_static->att_data.att_uid;
		else
			take_static(item->att_data.att_static, message);
	}
	return uid;
}

/* RFC 3501, 6.4.8: the UID is part of the answer. What is said of another message must not count
 * for the one that was asked for. */
static void take_message(clist *list, uint32_t uid, struct imap_message *message)
{
	for (clistiter *i = clist_begin(list); i != NULL; i = clist_next(i)) {
		struct imap_message one = {0};

		if (imap_take_message(clist_content(i), &one) == uid) {
			message->number = one.number;
			if (message->text == NULL && one.text != NULL) {
				message->text = one.text;
				message->length = one.length;
				one.text = NULL;
			}
			if (one.internal_date_ns != 0)
				message->internal_date_ns = one.internal_date_ns;
		}
		imap_message_free(&one);
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
