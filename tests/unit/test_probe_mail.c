/* Probe mails: clean and open about what they are, recognised again, and never taken for another.
 * A mail without our valid token is foreign, whatever else it has of ours. */
#include "probe_mail.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "header.h"
#include "tap.h"
#include "token.h"

static const struct mail_key key = {.bytes = "thirty-two bytes of a test's key"};

static struct probe_mail *compose(void)
{
	const struct mail_order order = {
		.key = &key,
		.customer = "acme",
		.scenario = "mail",
		.vantage = "fra1",
		.step = "out",
		.from = "probe@acme.test",
		.to = "probe@elsewhere.test",
		.leg = "inside->outside",
		.wall_ns = INT64_C(1767225615) * 1000000000, /* 2026-01-01T00:00:15Z */
	};

	return probe_mail_compose(&order);
}

static void has_field(const struct probe_mail *mail, const char *name, const char *want)
{
	char value[300] = "";
	bool found = header_value(mail->text, mail->text_length, name, value, sizeof(value));

	is_string(found ? value : NULL, want, name);
}

/* RFC 5322, 2.1.1; the token has 121 bytes and must stay in one piece. */
#define LINE_MAX 130

static bool is_clean(const struct probe_mail *mail)
{
	size_t line = 0;

	for (size_t i = 0; i < mail->text_length; i++) {
		char byte = mail->text[i];

		line = byte == '\n' ? 0 : line + 1;
		if (line > LINE_MAX || byte == 0x7f || (byte < ' ' && byte != '\r' && byte != '\n'))
			return false;
		if ((byte == '\n') != (i > 0 && mail->text[i - 1] == '\r'))
			return false;
	}
	return true;
}

static void test_text(void)
{
	struct probe_mail *mail = compose();
	char wanted[300];

	has_field(mail, "Date", "Thu, 1 Jan 2026 00:00:15 +0000");
	has_field(mail, "From", "mailprobe <probe@acme.test>");
	has_field(mail, "To", "<probe@elsewhere.test>");
	has_field(mail, "Auto-Submitted", "auto-generated");
	has_field(mail, "MIME-Version", "1.0");
	has_field(mail, TOKEN_HEADER, mail->token);
	snprintf(wanted, sizeof(wanted), "<mp1.%s@acme.test>", mail->id);
	has_field(mail, "Message-ID", wanted);
	ok(strstr(mail->text, "is a test") != NULL, "the body says what it is");
	ok(is_clean(mail), "ASCII, CRLF, no long lines");
	is_string(mail->state, "sending", "its first state");
	is_string(mail->leg, "inside->outside", "its leg");
	probe_mail_free(&mail);
	ok(mail == NULL, "freed and nulled");
}

static void test_identity(void)
{
	struct probe_mail *a = compose(), *b = compose();

	ok(strcmp(a->id, b->id) != 0 && strcmp(a->token, b->token) != 0,
		"two mails of one instant differ");
	is_integer(probe_mail_match(&key, a, a->text, a->text_length), MAIL_OURS, "it is ours");
	is_integer(probe_mail_match(&key, a, b->text, b->text_length), MAIL_FOREIGN,
		"another of ours is foreign");
	probe_mail_free(&a);
	probe_mail_free(&b);
}

/* The mail with `from` replaced by `to`, once. */
static enum mail_match changed(const char *from, const char *to)
{
	struct probe_mail *mail = compose();
	char text[4096] = "", *at = strstr(mail->text, from);
	enum mail_match match;

	snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - mail->text), mail->text, to,
		at + strlen(from));
	match = probe_mail_match(&key, mail, text, strlen(text));
	probe_mail_free(&mail);
	return match;
}

static void test_travel(void)
{
	is_integer(changed("Date:", "Received: from x\r\n\tby y; today\r\nDate:"), MAIL_OURS,
		"with a Received on top it is ours");
	is_integer(changed("Subject: ", "Subject: [EXTERNAL] "), MAIL_OURS,
		"with another subject too");
	is_integer(
		changed("customer:", "customer: \t"), MAIL_ALTERED, "with another body, altered");
	is_integer(changed("customer: acme\r\n", ""), MAIL_ALTERED, "with a line less, altered");
	is_integer(changed("\r\n\r\nThis", "\r\n\r\nCAUTION\r\nThis"), MAIL_ALTERED,
		"with a banner, altered");
	is_integer(changed(TOKEN_HEADER ": v1.", TOKEN_HEADER ": v2."), MAIL_FOREIGN,
		"with another version, foreign");
	is_integer(changed(TOKEN_HEADER ": ", "X-Token: "), MAIL_FOREIGN,
		"without the token, foreign");
}

/* Everything of ours but the key: right subject, right id, right ids in all headers. */
static void test_forgery(void)
{
	struct probe_mail *mail = compose();
	struct mail_key guess = {.bytes = "thirty-two bytes of a guess..."};
	char hash[HASH_SIZE], forged[sizeof(mail->token)], text[4096];
	const char *body = header_end(mail->text, mail->text_length);

	content_hash(body, strlen(body), hash);
	token_make(&guess, mail->id, mail->from, mail->to, hash, forged, sizeof(forged));
	snprintf(text, sizeof(text),
		"Message-ID: <%s>\r\nSubject: mailprobe acme/mail\r\n" TOKEN_HEADER
		": %s\r\n\r\n%s",
		mail->message_id, forged, body);
	is_integer(probe_mail_match(&key, mail, text, strlen(text)), MAIL_FOREIGN,
		"a forged token is foreign");
	snprintf(text, sizeof(text), TOKEN_HEADER ": %s\r\n" TOKEN_HEADER ": %s\r\n\r\n%s", forged,
		mail->token, body);
	is_integer(probe_mail_match(&key, mail, text, strlen(text)), MAIL_FOREIGN,
		"a forged token before the true one is foreign");
	snprintf(text, sizeof(text), "Subject: x\r\n\r\n" TOKEN_HEADER ": %s\r\n%s", mail->token,
		body);
	is_integer(probe_mail_match(&key, mail, text, strlen(text)), MAIL_FOREIGN,
		"a token that is quoted in a body (a bounce) is foreign");
	is_integer(probe_mail_match(&key, mail, "", 0), MAIL_FOREIGN, "nothing is foreign");
	probe_mail_free(&mail);
}

static void test_key(void)
{
	char folder[] = "/tmp/mailprobe-unit-XXXXXX", path[64];
	struct mail_key first = {0}, second = {0};
	struct failure why = {0};
	struct stat status;

	if (!ok(mkdtemp(folder) != NULL, "a folder"))
		return;
	snprintf(path, sizeof(path), "%s/token.key", folder);
	ok(mail_key_load(folder, &first, &why) == 0 && mail_key_load(folder, &second, &why) == 0,
		"made on first use, read on the second");
	ok(memcmp(&first, &second, sizeof(first)) == 0, "it stays the same");
	ok(memcmp(&first, &(struct mail_key){0}, sizeof(first)) != 0, "and is random");
	ok(stat(path, &status) == 0 && (status.st_mode & 0777) == 0600, "for its owner alone");
	chmod(path, 0644);
	ok(mail_key_load(folder, &second, &why) == -1 && why.type == ERROR_CONFIG_SECRET,
		"one that others may read is refused");
	chmod(path, 0600);
	truncate(path, 31);
	why = (struct failure){0};
	ok(mail_key_load(folder, &second, &why) == -1 && why.type == ERROR_CONFIG_SECRET,
		"one of another size too");
	unlink(path);
	ok(rmdir(folder) == 0, "nothing else is left in the folder");
	why = (struct failure){0};
	ok(mail_key_load(folder, &second, &why) == -1 && why.type == ERROR_LOCAL_STORAGE,
		"without the folder there is none");
}

static struct probe_mail *compose_large(const char *id, bool attachment, bool utf8)
{
	const struct mail_order order = {
		.key = &key,
		.customer = "acme",
		.scenario = "mail",
		.vantage = "fra1",
		.step = "out",
		.from = "probe@acme.test",
		.to = "probe@elsewhere.test",
		.size = 100000,
		.attachment = attachment,
		.utf8 = utf8,
		.subject = "Grüße aus Köln, und noch viel mehr Wörter, als in eine Zeile passen: 日本語",
		.id = id,
		.wall_ns = INT64_C(1767225615) * 1000000000,
	};

	return probe_mail_compose(&order);
}

/* With one byte another, near that place. */
static void says_what_changed(struct probe_mail *mail, const char *near, const char *want)
{
	char *at = strstr(mail->text, near) + strlen(near), *copy = strdup(mail->text);

	copy[at - mail->text] = *at == 'x' ? 'y' : 'x';
	is_integer(probe_mail_match(&key, mail, copy, mail->text_length), MAIL_ALTERED, want);
	is_string(probe_mail_changed(mail, copy, mail->text_length), want, "it is said");
	free(copy);
}

static void test_large(void)
{
	struct probe_mail *mail = compose_large(NULL, true, true);
	struct probe_mail *again = compose_large(mail->id, true, true);
	char *folded;

	is_string(again->text, mail->text, "the same id makes the same mail");
	ok(is_clean(mail), "ASCII, CRLF, no long lines");
	ok(mail->text_length > 136000 && mail->text_length < 140000,
		"an attachment of 100 kB in base64: %zu bytes", mail->text_length);
	is_integer(probe_mail_match(&key, mail, mail->text, mail->text_length), MAIL_OURS, "ours");
	says_what_changed(mail, "\r\nSubject: =?UTF-8?B?", "subject");
	says_what_changed(mail, "filename=probe.bin\r\nContent-Transfer-Encoding: base64\r\n\r\n",
		"attachment");
	says_what_changed(mail, "charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n",
		"body");
	folded = strstr(mail->text, "?=\r\n =?");
	folded[4] = '\t';
	is_integer(probe_mail_match(&key, again, mail->text, mail->text_length), MAIL_OURS,
		"folded in another way it is ours");
	probe_mail_free(&again);
	probe_mail_free(&mail);
	mail = compose_large(NULL, false, false);
	ok(is_clean(mail) && mail->text_length > 99900 && mail->text_length < 101000,
		"100 kB of text: %zu bytes", mail->text_length);
	probe_mail_free(&mail);
}

int main(void)
{
	test_text();
	test_identity();
	test_travel();
	test_forgery();
	test_large();
	test_key();
	return done_testing();
}
