#include "imap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include <libetpan/libetpan.h>
#include <openssl/evp.h>

#include "etpan_stream.h"
#include "imap_guard.h"
#include "text.h"

#include "ban.h"

#define ANSWER_BYTES (4 * 1024 * 1024)

struct imap {
	struct stream *stream;
	mailimap *session;
	struct imap_guard guard;
};

struct stream *imap_stream(const struct imap *imap)
{
	return imap->stream;
}

/* --- outcomes -------------------------------------------------------------------------- */

/* Before each command. */
static void begin(struct imap *imap)
{
	stream_allow(imap->stream, ANSWER_BYTES);
	imap_guard_command(&imap->guard);
}

/* The server's own words to the last command, printable. */
static const char *words(const struct imap *imap, char *text, size_t size)
{
	const char *said = imap->session->imap_response;

	text_printable_copy(text, size, said != NULL ? said : "", said != NULL ? strlen(said) : 0);
	return text[0] != '\0' ? text : "(no text)";
}

/* Turns libetpan's code into a failure. What stopped the stream comes first: libetpan only
 * knows that something did. A refusal becomes `refusal`. */
static int outcome(struct imap *imap, int code, const char *command, enum error_type refusal,
	struct failure *why)
{
	char text[200];

	if (code == MAILIMAP_NO_ERROR && stream_failure(imap->stream)->type == ERROR_NONE)
		return 0;
	if (stream_failure(imap->stream)->type != ERROR_NONE) {
		*why = *stream_failure(imap->stream);
		return failure_prefix(why, "waiting for the answer to %s", command);
	}
	switch (code) {
	case MAILIMAP_ERROR_STREAM:
	case MAILIMAP_ERROR_PARSE:
	case MAILIMAP_ERROR_PROTOCOL:
	case MAILIMAP_ERROR_FATAL:
	case MAILIMAP_ERROR_INVAL:
		return failure_set(why, ERROR_IMAP_MALFORMED,
			"%s answered %s with something that is no IMAP response",
			stream_server(imap->stream), command);
	case MAILIMAP_ERROR_MEMORY:
		return failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory");
	default:
		return failure_set(why, refusal, "%s answered %s with: %s",
			stream_server(imap->stream), command, words(imap, text, sizeof(text)));
	}
}

/* --- opening and closing --------------------------------------------------------------- */

void imap_close(struct imap **imap)
{
	if (*imap == NULL)
		return;
	/* Without a stream libetpan does not try to say LOGOUT on its way out. */
	if ((*imap)->session != NULL) {
		if ((*imap)->session->imap_stream != NULL)
			mailstream_close((*imap)->session->imap_stream);
		(*imap)->session->imap_stream = NULL;
		mailimap_free((*imap)->session);
	}
	stream_close(&(*imap)->stream);
	free(*imap);
	*imap = NULL;
}

/* libetpan does not tell a greeting of BYE from one of OK. */
static bool greeting_is(const struct imap *imap, const char *kind)
{
	const char *line = imap->session->imap_stream_buffer->str;
	size_t length = strlen(kind);

	return line != NULL && strncasecmp(line, "* ", 2) == 0 &&
	       strncasecmp(line + 2, kind, length) == 0;
}

static int greet(struct imap *imap, mailstream *mail, struct failure *why)
{
	char text[200];
	int code;

	begin(imap);
	code = mailimap_connect(imap->session, mail);
	if (stream_failure(imap->stream)->type == ERROR_NONE && greeting_is(imap, "BYE"))
		return failure_set(why, ERROR_IMAP_BYE, "%s greeted with BYE: %s",
			stream_server(imap->stream), words(imap, text, sizeof(text)));
	if (code == MAILIMAP_NO_ERROR_AUTHENTICATED)
		return failure_set(why, ERROR_TLS_STARTTLS_STRIPPED,
			"%s greeted with PREAUTH, which leaves no room for TLS and login",
			stream_server(imap->stream));
	if (code == MAILIMAP_NO_ERROR_NON_AUTHENTICATED)
		code = MAILIMAP_NO_ERROR;
	return outcome(imap, code, "the connection", ERROR_IMAP_NO, why);
}

struct imap *imap_open(struct stream *stream, struct failure *why)
{
	struct imap *imap = calloc(1, sizeof(*imap));
	mailstream *mail = NULL;

	timings_begin(stream_timings(stream), "greeting");
	if (imap != NULL) {
		imap->stream = stream;
		imap->session = mailimap_new(0, NULL);
		imap_guard_init(&imap->guard);
		mail = etpan_stream_new(stream, imap_guard_bytes, &imap->guard);
	} else {
		stream_close(&stream);
	}
	if (mail == NULL || imap->session == NULL) {
		failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory");
		if (mail != NULL)
			mailstream_close(mail);
	} else if (greet(imap, mail, why) == 0) {
		return imap;
	}
	if (imap != NULL)
		imap_close(&imap);
	return NULL;
}

/* mailimap_capability dies of an OK without data (libetpan 1.9.4), so the plain command. */
static int ask_capability(struct imap *imap, struct failure *why)
{
	begin(imap);
	return outcome(imap, mailimap_custom_command(imap->session, "CAPABILITY"), "CAPABILITY",
		ERROR_IMAP_NO, why);
}

static bool knows_capability(const struct imap *imap)
{
	return imap->session->imap_connection_info != NULL &&
	       imap->session->imap_connection_info->imap_capability != NULL;
}

static void forget_capability(struct imap *imap)
{
	if (!knows_capability(imap))
		return;
	mailimap_capability_data_free(imap->session->imap_connection_info->imap_capability);
	imap->session->imap_connection_info->imap_capability = NULL;
}

bool imap_has(struct imap *imap, const char *capability)
{
	if (!knows_capability(imap))
		return false;
	if (strncasecmp(capability, "AUTH=", 5) == 0)
		return mailimap_has_authentication(imap->session, capability + 5);
	return mailimap_has_extension(imap->session, capability);
}

int imap_start_tls(struct imap *imap, struct peer_facts *facts, struct failure *why)
{
	int code;

	timings_begin(stream_timings(imap->stream), "starttls");
	if (!knows_capability(imap) && ask_capability(imap, why) == -1)
		return -1;
	if (!imap_has(imap, "STARTTLS"))
		return failure_set(why, ERROR_TLS_STARTTLS_STRIPPED,
			"%s does not offer STARTTLS", stream_server(imap->stream));
	begin(imap);
	code = mailimap_starttls(imap->session);
	if (code == MAILIMAP_ERROR_STARTTLS &&
		imap->session->imap_stream->read_buffer_len > 0)
		stream_fail(imap->stream, ERROR_TLS_INJECTED,
			"%s sent plaintext behind its agreement to STARTTLS",
			stream_server(imap->stream));
	if (outcome(imap, code, "STARTTLS", ERROR_TLS_STARTTLS_STRIPPED, why) == -1)
		return -1;
	forget_capability(imap);
	if (stream_start_tls(imap->stream, imap->session->imap_stream->read_buffer_len, facts) == 0)
		return 0;
	*why = *stream_failure(imap->stream);
	return -1;
}

int imap_logout(struct imap *imap, struct failure *why)
{
	begin(imap);
	/* libetpan answers MAILIMAP_ERROR_STREAM if the server closes first: as good as BYE. */
	mailimap_logout(imap->session);
	if (stream_failure(imap->stream)->type == ERROR_TCP_TIMEOUT) {
		*why = *stream_failure(imap->stream);
		return failure_prefix(why, "waiting for the answer to LOGOUT");
	}
	return 0;
}

/* --- login ----------------------------------------------------------------------------- */

#define CREDENTIALS_SIZE 1024

static int authenticate_plain(struct imap *imap, const char *username, const char *password)
{
	char plain[CREDENTIALS_SIZE], command[2 * CREDENTIALS_SIZE] = "AUTHENTICATE PLAIN ";
	int length = snprintf(plain, sizeof(plain), "%c%s%c%s", '\0', username, '\0', password);
	int code = MAILIMAP_ERROR_INVAL;

	if (length < (int)sizeof(plain)) {
		EVP_EncodeBlock((unsigned char *)command + strlen(command),
			(const unsigned char *)plain, length);
		etpan_stream_secret(imap->session->imap_stream, true);
		code = mailimap_custom_command(imap->session, command);
		etpan_stream_secret(imap->session->imap_stream, false);
		if (code == MAILIMAP_NO_ERROR)
			imap->session->imap_state = MAILIMAP_STATE_AUTHENTICATED;
	}
	explicit_bzero(plain, sizeof(plain));
	explicit_bzero(command, sizeof(command));
	return code;
}

/* RFC 5530: codes that say whether it was the password or the weather. */
static enum error_type refusal_type(const struct imap *imap)
{
	static const char *const temporary[] = {"UNAVAILABLE", "INUSE", "LIMIT", "SERVERBUG",
		"CONTACTADMIN", "PRIVACYREQUIRED", NULL};
	const struct mailimap_response_info *info = imap->session->imap_response_info;

	for (size_t i = 0; temporary[i] != NULL; i++)
		if (info != NULL && info->rsp_atom != NULL &&
			strcasecmp(info->rsp_atom, temporary[i]) == 0)
			return ERROR_AUTH_TEMP;
	return ERROR_AUTH_REJECTED;
}

static int offer_login(
	struct imap *imap, const char *username, const char *password, struct failure *why)
{
	bool plain = imap_has(imap, "AUTH=PLAIN") && imap_has(imap, "SASL-IR");
	int code;

	if (!plain && imap_has(imap, "LOGINDISABLED"))
		return failure_set(why, ERROR_AUTH_UNAVAILABLE,
			"%s has neither AUTH=PLAIN nor LOGIN", stream_server(imap->stream));
	forget_capability(imap);
	begin(imap);
	if (plain)
		code = authenticate_plain(imap, username, password);
	else
		code = mailimap_login(imap->session, username, password);
	if (outcome(imap, code, "login", ERROR_AUTH_REJECTED, why) == 0)
		return 0;
	if (why->type == ERROR_AUTH_REJECTED)
		why->type = refusal_type(imap);
	return -1;
}

int imap_login(
	struct imap *imap, const char *username, const char *password, struct failure *why)
{
	timings_begin(stream_timings(imap->stream), "auth");
	if (!stream_may_carry_secrets(imap->stream))
		return failure_set(why, ERROR_TLS_STARTTLS_STRIPPED,
			"the password is not sent to %s without TLS", stream_server(imap->stream));
	if (!knows_capability(imap) && ask_capability(imap, why) == -1)
		return -1;
	if (offer_login(imap, username, password, why) == -1)
		return -1;
	/* RFC 3501, 6.2: what it can do may be more now; most servers say so unasked. */
	return knows_capability(imap) ? 0 : ask_capability(imap, why);
}

/* --- mailboxes ------------------------------------------------------------------------- */

int imap_select(struct imap *imap, const char *mailbox, bool examine,
	struct imap_mailbox *mailbox_r, struct failure *why)
{
	const struct mailimap_selection_info *info;
	int code;

	begin(imap);
	code = examine ? mailimap_examine(imap->session, mailbox)
		       : mailimap_select(imap->session, mailbox);
	if (outcome(imap, code, examine ? "EXAMINE" : "SELECT", ERROR_IMAP_NO, why) == -1)
		return -1;
	info = imap->session->imap_selection_info;
	if (info == NULL)
		return failure_set(why, ERROR_IMAP_MALFORMED, "%s selected %s without a word",
			stream_server(imap->stream), mailbox);
	*mailbox_r = (struct imap_mailbox){
		.messages = info->sel_exists,
		.uid_next = info->sel_uidnext,
		.uid_validity = info->sel_uidvalidity,
	};
	return 0;
}

int imap_noop(struct imap *imap, uint32_t *messages_r, struct failure *why)
{
	begin(imap);
	if (outcome(imap, mailimap_noop(imap->session), "NOOP", ERROR_IMAP_NO, why) == -1)
		return -1;
	if (imap->session->imap_selection_info != NULL)
		*messages_r = imap->session->imap_selection_info->sel_exists;
	return 0;
}

static void take_status(
	const struct mailimap_mailbox_data_status *status, struct imap_mailbox *mailbox_r)
{
	*mailbox_r = (struct imap_mailbox){0};
	if (status->st_info_list == NULL)
		return;
	for (clistiter *i = clist_begin(status->st_info_list); i != NULL; i = clist_next(i)) {
		const struct mailimap_status_info *info = clist_content(i);

		if (info->st_att == MAILIMAP_STATUS_ATT_MESSAGES)
			mailbox_r->messages = info->st_value;
		else if (info->st_att == MAILIMAP_STATUS_ATT_UIDNEXT)
			mailbox_r->uid_next = info->st_value;
		else if (info->st_att == MAILIMAP_STATUS_ATT_UIDVALIDITY)
			mailbox_r->uid_validity = info->st_value;
	}
}

int imap_status(struct imap *imap, const char *mailbox, struct imap_mailbox *mailbox_r,
	struct failure *why)
{
	struct mailimap_status_att_list *list = mailimap_status_att_list_new_empty();
	struct mailimap_mailbox_data_status *status = NULL;
	int code;

	begin(imap);
	mailimap_status_att_list_add(list, MAILIMAP_STATUS_ATT_MESSAGES);
	mailimap_status_att_list_add(list, MAILIMAP_STATUS_ATT_UIDNEXT);
	code = mailimap_status(imap->session, mailbox, list, &status);
	mailimap_status_att_list_free(list);
	if (outcome(imap, code, "STATUS", ERROR_IMAP_NO, why) == -1)
		return -1;
	if (status == NULL)
		return failure_set(why, ERROR_IMAP_MALFORMED, "%s answered STATUS without data",
			stream_server(imap->stream));
	take_status(status, mailbox_r);
	mailimap_mailbox_data_status_free(status);
	return 0;
}

static bool is_junk(const struct mailimap_mailbox_list *entry, bool by_flag)
{
	static const char *const names[] = {"Junk", "Spam", "Junk E-mail", "Bulk Mail",
		"INBOX.Junk", "INBOX.Spam", "INBOX/Junk", "INBOX/Spam", NULL};
	const struct mailimap_mbx_list_flags *flags = entry->mb_flag;

	if (!by_flag) {
		for (size_t i = 0; names[i] != NULL; i++)
			if (strcasecmp(entry->mb_name, names[i]) == 0)
				return true;
		return false;
	}
	if (flags == NULL || flags->mbf_oflags == NULL)
		return false;
	for (clistiter *i = clist_begin(flags->mbf_oflags); i != NULL; i = clist_next(i)) {
		const struct mailimap_mbx_list_oflag *flag = clist_content(i);
		const char *name = flag->of_flag_ext;

		if (name != NULL && strcasecmp(name + (name[0] == '\\'), "Junk") == 0)
			return true;
	}
	return false;
}

int imap_find_junk(struct imap *imap, char *name, size_t size, struct failure *why)
{
	bool by_flag = imap_has(imap, "SPECIAL-USE");
	clist *found = NULL;
	int code;

	begin(imap);
	name[0] = '\0';
	/* RFC 6154, 3: servers show the flags in a plain LIST too. */
	code = mailimap_list(imap->session, "", by_flag ? "*" : "%", &found);
	if (outcome(imap, code, "LIST", ERROR_IMAP_NO, why) == -1)
		return -1;
	for (clistiter *i = clist_begin(found); i != NULL && name[0] == '\0'; i = clist_next(i)) {
		const struct mailimap_mailbox_list *entry = clist_content(i);

		if (is_junk(entry, by_flag))
			text_copy(name, size, entry->mb_name);
	}
	mailimap_list_result_free(found);
	return 0;
}

/* --- messages -------------------------------------------------------------------------- */

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

	begin(imap);
	code = mailimap_uid_search(imap->session, NULL, key, &found);
	mailimap_search_key_free(key);
	if (outcome(imap, code, "UID SEARCH", ERROR_IMAP_NO, why) == -1)
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

	return ((int64_t)timegm(&tm) - offset) * NS_PER_SECOND;
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

static void take_message(clist *list, struct imap_message *message)
{
	for (clistiter *i = clist_begin(list); i != NULL; i = clist_next(i)) {
		const struct mailimap_msg_att *attributes = clist_content(i);

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

int imap_fetch(
	struct imap *imap, uint32_t uid, struct imap_message *message_r, struct failure *why)
{
	struct mailimap_set *set = mailimap_set_new_single(uid);
	struct mailimap_fetch_type *type = whole_message();
	clist *list = NULL;
	int code;

	begin(imap);
	*message_r = (struct imap_message){0};
	code = mailimap_uid_fetch(imap->session, set, type, &list);
	mailimap_fetch_type_free(type);
	mailimap_set_free(set);
	if (outcome(imap, code, "UID FETCH", ERROR_IMAP_NO, why) == -1)
		return -1;
	take_message(list, message_r);
	mailimap_fetch_list_free(list);
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

	begin(imap);
	*expunged_r = false;
	result = outcome(imap, mark_deleted(imap, set), "UID STORE", ERROR_IMAP_NO, why);
	if (result == 0 && imap_has(imap, "UIDPLUS")) {
		begin(imap);
		result = outcome(imap, mailimap_uid_expunge(imap->session, set), "UID EXPUNGE",
			ERROR_IMAP_NO, why);
		*expunged_r = result == 0;
	}
	mailimap_set_free(set);
	return result;
}
