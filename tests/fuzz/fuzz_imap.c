/* A server's answers to a mailbox being looked at: our guard, and libetpan's parser behind it. */
#include "fake_stream.h"
#include "fuzz.h"
#include "imap.h"

static const struct sasl_identity who = {.username = "probe@acme.test",
	.secret = "secret",
	.host = "imap.acme.test",
	.port = 993,
	.nonce = "0123456789abcdef"};

static const uint32_t asked[] = {5, 6, 8};
static const char *const names[] = {"Mailprobe-Token", NULL};

static void see(void *context, uint32_t uid, const struct imap_message *message)
{
	must(context == NULL && (uid == 5 || uid == 6 || uid == 8) && message->text != NULL);
}

static int look(struct imap *imap, struct failure *why)
{
	struct imap_mailbox mailbox;
	struct imap_message message = {0};
	struct imap_special special;
	const struct imap_search what = {
		.header = "Mailprobe-Token", .value = "", .uid_from = 3, .uid_to = 9};
	struct imap_uids found = {0};
	bool expunged, news, result;

	if (imap_select(imap, "INBOX", false, &mailbox, why) == -1 ||
		imap_find_special(imap, &special, why) == -1 ||
		imap_status(imap, "Junk", &mailbox, why) == -1 ||
		imap_noop(imap, &news, why) == -1 ||
		imap_search(imap, &what, &found, why) == -1)
		return -1;
	for (size_t i = 0; i < found.count; i++)
		must(found.uids[i] >= 3 && found.uids[i] <= 9 &&
			(i == 0 || found.uids[i] >= found.uids[i - 1]));
	imap_uids_free(&found);
	result = imap_fetch_fields(imap, asked, 3, names, see, NULL, why) == 0;
	if (!result)
		return -1;
	result = imap_fetch(imap, 7, &message, why) == 0;
	must(result || message.text == NULL);
	imap_message_free(&message);
	return result ? imap_delete(imap, asked, 3, false, &expunged, why) : -1;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct failure why = {0};
	const char *mechanism = NULL;
	struct peer_facts facts = {0};
	struct imap *imap;

	if (size == 0)
		return 0;
	imap = imap_open(fake_stream(bytes + 1, size - 1), &why);
	if (imap == NULL) {
		must(why.type != ERROR_NONE);
		return 0;
	}
	if (((bytes[0] & 1) == 0 || imap_start_tls(imap, &facts, &why) == 0) &&
		imap_login(imap, &who, &mechanism, &why) == 0 && look(imap, &why) == 0)
		imap_logout(imap, &why);
	imap_close(&imap);
	must((why.type == ERROR_NONE) == (why.text[0] == '\0'));
	return 0;
}
