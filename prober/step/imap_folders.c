/* imap_folders - a user switches folders: lists the mailboxes and opens each that is named, or all
 * up to a number. The proof is what the server says each holds. Opens by EXAMINE, so that nothing
 * is changed, not even \Recent. */
#include "step.h"

#include <stdlib.h>

#include "imap.h"
#include "imap_account.h"

#include "ban.h"

#define FOLDERS_MAX 512

static const struct field fields[] = {
	{"account", &field_account, FIELD_REQUIRED, "account that logs in"},
	{"switch", &field_list, 0, "the folders to open, in this order; all if left out",
		.item = &field_text},
	{"most", &field_integer, 0, "at most this many folders, if all are opened", "20"},
	{0},
};

static const struct field folder_facts[] = {
	{"name", &field_text, FIELD_REQUIRED, "the folder"},
	{"switch_seconds", &field_seconds, FIELD_REQUIRED, "how long it took to open"},
	{"seconds_per_thousand", &field_seconds, 0, "the same per 1,000 messages in it"},
	{"messages", &field_integer, FIELD_REQUIRED, "messages in it"},
	{"unseen", &field_integer, 0, "those not seen yet"},
	{0},
};

static const struct field facts[] = {
	{"folders_listed", &field_integer, FIELD_METRIC, "mailboxes that LIST showed"},
	{"folders", &field_list, 0, "those that were opened", .item = &field_object,
		.fields = folder_facts},
	{"switch_seconds", &field_seconds, FIELD_METRIC, "the slowest of them"},
	{0},
};

static const char *const phases[] = {"resolve", "connect", "tls", "greeting", "starttls",
	"auth", "list", "folder", "logout", NULL};
static const char *const account_needs[] = {"imap", "password", NULL};

struct visit {
	json_t *folders;
	double slowest;
	uint64_t messages;
};

static int open_folder(
	struct imap *imap, const char *name, struct visit *visit, struct failure *why)
{
	int64_t began = clock_now();
	struct imap_mailbox mailbox;
	double seconds;
	json_t *record;

	if (imap_select(imap, name, true, &mailbox, why) == -1)
		return failure_prefix(why, "folder \"%s\"", name);
	seconds = clock_seconds(clock_now() - began);
	record = json_pack("{s:s, s:f, s:I}", "name", name, "switch_seconds", seconds, "messages",
		(json_int_t)mailbox.messages);
	if (mailbox.messages > 0)
		json_object_set_new(record, "seconds_per_thousand",
			json_real(seconds / mailbox.messages * 1000));
	json_array_append_new(visit->folders, record);
	visit->messages += mailbox.messages;
	if (seconds > visit->slowest)
		visit->slowest = seconds;
	return 0;
}

/* The unseen are asked for once the switches are timed: a user's folder pane does the same. */
static int count_unseen(struct imap *imap, const struct visit *visit, struct failure *why)
{
	json_t *folder;
	size_t index;

	json_array_foreach(visit->folders, index, folder) {
		const char *name = json_string_value(json_object_get(folder, "name"));
		uint32_t unseen = 0;

		if (imap_unseen(imap, name, &unseen, why) == -1)
			return failure_prefix(why, "folder \"%s\"", name);
		json_object_set_new(folder, "unseen", json_integer(unseen));
	}
	return 0;
}

static int open_named(
	struct imap *imap, const json_t *named, struct visit *visit, struct failure *why)
{
	json_t *name;
	size_t index;

	json_array_foreach(named, index, name)
		if (open_folder(imap, json_string_value(name), visit, why) == -1)
			return -1;
	return 0;
}

static int open_all(struct imap *imap, const struct imap_folder *folders, size_t count,
	size_t most, struct visit *visit, struct failure *why)
{
	size_t opened = 0;

	for (size_t i = 0; i < count && opened < most; i++) {
		if (!folders[i].selectable)
			continue;
		if (open_folder(imap, folders[i].name, visit, why) == -1)
			return -1;
		opened++;
	}
	return 0;
}

static int switch_folders(
	struct probe *probe, struct imap *imap, struct visit *visit, struct failure *why)
{
	const json_t *named = json_object_get(probe->step->config, "switch");
	struct imap_folder *folders = calloc(FOLDERS_MAX, sizeof(*folders));
	size_t count = 0;
	int result;

	if (folders == NULL)
		return failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory");
	timings_begin(&probe->timings, "list");
	result = imap_list(imap, folders, FOLDERS_MAX, &count, why);
	json_object_set_new(probe->facts, "folders_listed", json_integer((json_int_t)count));
	if (result == 0) {
		timings_begin(&probe->timings, "folder");
		result = named != NULL ? open_named(imap, named, visit, why)
				       : open_all(imap, folders, count,
						 (size_t)step_integer(probe->step, "most"), visit, why);
	}
	free(folders);
	return result;
}

static int look(struct probe *probe, struct imap *imap, struct failure *why)
{
	struct visit visit = {.folders = json_array()};
	int result = switch_folders(probe, imap, &visit, why);

	if (result == 0)
		result = count_unseen(imap, &visit, why);
	if (json_array_size(visit.folders) > 0)
		json_object_set_new(probe->facts, "switch_seconds", json_real(visit.slowest));
	json_object_set_new(probe->facts, "folders", visit.folders);
	if (result == -1)
		return -1;
	probe_prove(probe, "%zu folders opened, with %llu messages", json_array_size(visit.folders),
		(unsigned long long)visit.messages);
	return imap_account_leave(probe, imap, why);
}

static int run(struct probe *probe, struct failure *why)
{
	return imap_account_visit(probe, look, why);
}

const struct step_type step_imap_folders = {
	.name = "imap_folders",
	.summary = "switch folders in the mailstore",
	.fields = fields,
	.facts = facts,
	.phases = phases,
	.account_needs = account_needs,
	.run = run,
};
