/* Mailboxes: selecting, asking, listing them. */
#include "imap.h"

#include <string.h>
#include <strings.h>

#include "imap_private.h"
#include "text.h"

#include "ban.h"

int imap_select(struct imap *imap, const char *mailbox, bool examine,
	struct imap_mailbox *mailbox_r, struct failure *why)
{
	const struct mailimap_selection_info *info;
	int code;

	imap_begin(imap);
	code = examine ? mailimap_examine(imap->session, mailbox)
		       : mailimap_select(imap->session, mailbox);
	if (imap_outcome(imap, code, examine ? "EXAMINE" : "SELECT", ERROR_IMAP_NO, why) == -1)
		return -1;
	info = imap->session->imap_selection_info;
	if (info == NULL)
		return failure_set(why, ERROR_IMAP_MALFORMED, "%s selected %s without a word",
			stream_server(imap->stream), mailbox);
	imap->announcements = imap->guard.announcements;
	*mailbox_r = (struct imap_mailbox){
		.messages = info->sel_exists,
		.uid_next = info->sel_uidnext,
		.uid_validity = info->sel_uidvalidity,
	};
	return 0;
}

int imap_noop(struct imap *imap, bool *news_r, struct failure *why)
{
	imap_begin(imap);
	if (imap_outcome(imap, mailimap_noop(imap->session), "NOOP", ERROR_IMAP_NO, why) == -1)
		return -1;
	*news_r = imap->guard.announcements != imap->announcements;
	imap->announcements = imap->guard.announcements;
	return 0;
}

/* The value of one attribute; 0 if the server left it out. */
static uint32_t status_value(const struct mailimap_mailbox_data_status *status, int attribute)
{
	if (status->st_info_list == NULL)
		return 0;
	for (clistiter *i = clist_begin(status->st_info_list); i != NULL; i = clist_next(i)) {
		const struct mailimap_status_info *info = clist_content(i);

		if (info->st_att == attribute)
			return info->st_value;
	}
	return 0;
}

/* STATUS with these attributes; the answer is the caller's to free. */
static struct mailimap_mailbox_data_status *ask_status(struct imap *imap, const char *mailbox,
	const int *attributes, size_t count, struct failure *why)
{
	struct mailimap_status_att_list *list = mailimap_status_att_list_new_empty();
	struct mailimap_mailbox_data_status *status = NULL;
	int code;

	imap_begin(imap);
	for (size_t i = 0; i < count; i++)
		mailimap_status_att_list_add(list, attributes[i]);
	code = mailimap_status(imap->session, mailbox, list, &status);
	mailimap_status_att_list_free(list);
	if (imap_outcome(imap, code, "STATUS", ERROR_IMAP_NO, why) == -1)
		return NULL;
	if (status == NULL)
		failure_set(why, ERROR_IMAP_MALFORMED, "%s answered STATUS without data",
			stream_server(imap->stream));
	return status;
}

int imap_status(struct imap *imap, const char *mailbox, struct imap_mailbox *mailbox_r,
	struct failure *why)
{
	static const int attributes[] = {MAILIMAP_STATUS_ATT_MESSAGES, MAILIMAP_STATUS_ATT_UIDNEXT,
		MAILIMAP_STATUS_ATT_UIDVALIDITY};
	struct mailimap_mailbox_data_status *status =
		ask_status(imap, mailbox, attributes, 3, why);

	if (status == NULL)
		return -1;
	*mailbox_r = (struct imap_mailbox){
		.messages = status_value(status, MAILIMAP_STATUS_ATT_MESSAGES),
		.uid_next = status_value(status, MAILIMAP_STATUS_ATT_UIDNEXT),
		.uid_validity = status_value(status, MAILIMAP_STATUS_ATT_UIDVALIDITY),
	};
	mailimap_mailbox_data_status_free(status);
	return 0;
}

int imap_unseen(struct imap *imap, const char *mailbox, uint32_t *unseen_r, struct failure *why)
{
	static const int attributes[] = {MAILIMAP_STATUS_ATT_UNSEEN};
	struct mailimap_mailbox_data_status *status =
		ask_status(imap, mailbox, attributes, 1, why);

	if (status == NULL)
		return -1;
	*unseen_r = status_value(status, MAILIMAP_STATUS_ATT_UNSEEN);
	mailimap_mailbox_data_status_free(status);
	return 0;
}

/* What a special mailbox is called where the server does not say. */
struct special_use {
	const char *flag;
	const char *names[12];
};

static const struct special_use junk_use = {"Junk",
	{"Junk", "Spam", "Junk E-mail", "Bulk Mail", "INBOX.Junk", "INBOX.Spam", "INBOX/Junk",
		"INBOX/Spam"}};
static const struct special_use sent_use = {"Sent",
	{"Sent", "Sent Items", "Sent Messages", "Sent Mail", "INBOX.Sent", "INBOX.Sent Items",
		"INBOX/Sent", "INBOX/Sent Items"}};

static bool has_flag(const struct mailimap_mbx_list_flags *flags, const char *wanted)
{
	if (flags == NULL || flags->mbf_oflags == NULL)
		return false;
	for (clistiter *i = clist_begin(flags->mbf_oflags); i != NULL; i = clist_next(i)) {
		const struct mailimap_mbx_list_oflag *flag = clist_content(i);
		const char *name = flag->of_flag_ext;

		if (name != NULL && strcasecmp(name + (name[0] == '\\'), wanted) == 0)
			return true;
	}
	return false;
}

static bool is_special(const struct mailimap_mailbox_list *entry, const struct special_use *use,
	bool by_flag)
{
	if (by_flag)
		return has_flag(entry->mb_flag, use->flag);
	for (size_t i = 0; use->names[i] != NULL; i++)
		if (strcasecmp(entry->mb_name, use->names[i]) == 0)
			return true;
	return false;
}

int imap_find_special(struct imap *imap, struct imap_special *special_r, struct failure *why)
{
	bool by_flag = imap_has(imap, "SPECIAL-USE");
	clist *found = NULL;
	int code;

	*special_r = (struct imap_special){0};
	imap_begin(imap);
	/* RFC 6154, 3: servers show the flags in a plain LIST too. */
	code = mailimap_list(imap->session, "", by_flag ? "*" : "%", &found);
	if (imap_outcome(imap, code, "LIST", ERROR_IMAP_NO, why) == -1)
		return -1;
	for (clistiter *i = clist_begin(found); i != NULL; i = clist_next(i)) {
		const struct mailimap_mailbox_list *entry = clist_content(i);

		if (special_r->junk[0] == '\0' && is_special(entry, &junk_use, by_flag))
			text_copy(special_r->junk, sizeof(special_r->junk), entry->mb_name);
		if (special_r->sent[0] == '\0' && is_special(entry, &sent_use, by_flag))
			text_copy(special_r->sent, sizeof(special_r->sent), entry->mb_name);
	}
	mailimap_list_result_free(found);
	return 0;
}

int imap_list(struct imap *imap, struct imap_folder *folders, size_t max, size_t *count_r,
	struct failure *why)
{
	clist *found = NULL;
	int code;

	*count_r = 0;
	imap_begin(imap);
	code = mailimap_list(imap->session, "", "*", &found);
	if (imap_outcome(imap, code, "LIST", ERROR_IMAP_NO, why) == -1)
		return -1;
	for (clistiter *i = clist_begin(found); i != NULL && *count_r < max; i = clist_next(i)) {
		const struct mailimap_mailbox_list *entry = clist_content(i);
		struct imap_folder *folder = &folders[(*count_r)++];

		text_copy(folder->name, sizeof(folder->name), entry->mb_name);
		folder->selectable = entry->mb_flag == NULL ||
				     entry->mb_flag->mbf_type != MAILIMAP_MBX_LIST_FLAGS_SFLAG ||
				     entry->mb_flag->mbf_sflag != MAILIMAP_MBX_LIST_SFLAG_NOSELECT;
	}
	mailimap_list_result_free(found);
	return 0;
}
