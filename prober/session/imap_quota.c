/* How much room a mailbox has left (RFC 9208). */
#include "imap.h"

#include <strings.h>

#include "imap_private.h"

#include "ban.h"

/* Is this limit nearer than the one known so far? */
static bool is_tighter(uint64_t used, uint64_t limit, uint64_t old_used, uint64_t old_limit)
{
	return old_limit == 0 || (double)used / (double)limit > (double)old_used / (double)old_limit;
}

static void take_resource(
	const struct mailimap_quota_quota_resource *resource, struct imap_quota *quota)
{
	/* STORAGE is counted in units of 1024 octets (RFC 9208, 5.1). */
	uint64_t used = (uint64_t)resource->usage * 1024, limit = (uint64_t)resource->limit * 1024;

	if (resource->limit == 0)
		return;
	if (strcasecmp(resource->resource_name, "STORAGE") == 0 &&
		is_tighter(used, limit, quota->storage_used_bytes, quota->storage_limit_bytes)) {
		quota->has_storage = true;
		quota->storage_used_bytes = used;
		quota->storage_limit_bytes = limit;
	} else if (strcasecmp(resource->resource_name, "MESSAGE") == 0 &&
		   is_tighter(resource->usage, resource->limit, quota->messages_used,
			   quota->messages_limit)) {
		quota->has_messages = true;
		quota->messages_used = resource->usage;
		quota->messages_limit = resource->limit;
	}
}

static void take_roots(clist *roots, struct imap_quota *quota)
{
	for (clistiter *i = clist_begin(roots); i != NULL; i = clist_next(i)) {
		const struct mailimap_quota_quota_data *root = clist_content(i);

		for (clistiter *j = clist_begin(root->quota_list); j != NULL; j = clist_next(j))
			take_resource(clist_content(j), quota);
	}
}

int imap_get_quota(struct imap *imap, const char *mailbox, struct imap_quota *quota_r,
	struct failure *why)
{
	struct mailimap_quota_complete_data *data = NULL;
	int code;

	*quota_r = (struct imap_quota){0};
	imap_begin(imap);
	code = mailimap_quota_getquotaroot(imap->session, mailbox, &data);
	if (imap_outcome(imap, code, "GETQUOTAROOT", ERROR_IMAP_NO, why) == -1)
		return -1;
	if (data == NULL || data->quota_list == NULL)
		return failure_set(why, ERROR_IMAP_MALFORMED,
			"%s answered GETQUOTAROOT without data", stream_server(imap->stream));
	take_roots(data->quota_list, quota_r);
	mailimap_quota_complete_data_free(data);
	return 0;
}
