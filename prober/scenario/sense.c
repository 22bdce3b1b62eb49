/* Checks what no table can know of a draft: whether what is named is there, can do what is asked
 * of it, and comes in the right order. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "draft.h"
#include "error_type.h"
#include "keep.h"
#include "refusal.h"
#include "scenario_fields.h"
#include "text.h"

#include "ban.h"

#define HINT_SIZE 512

/* --- accounts -------------------------------------------------------------------------- */

static void unknown_account(const struct draft *draft, const struct reference *reference)
{
	const json_t *accounts = json_object_get(draft->tree, "accounts");
	const char *names[129];
	size_t count = 0;
	char hint[HINT_SIZE];
	const char *nearest, *key;
	json_t *account;
	const struct remark remark = {.pointer = reference->pointer,
		.spot = FIELD_AT_VALUE,
		.code = "unknown-account",
		.hint = hint};

	json_object_foreach((json_t *)(uintptr_t)accounts, key, account)
		if (count < 128)
			names[count++] = key;
	names[count] = NULL;
	nearest = text_nearest(reference->name, names);
	if (nearest != NULL)
		snprintf(hint, sizeof(hint), "did you mean \"%s\"?", nearest);
	else
		snprintf(hint, sizeof(hint), "define it under \"accounts\"%s",
			reference->field->kind == &field_party ? ", or write a mail address" : "");
	draft_complain(draft, &remark, "there is no account \"%s\"", reference->name);
}

/* A step with a password of its own, or without authentication, needs none of the account. Where
 * SASL is spoken an access token will do. */
static bool brings_own(const struct step *step, const json_t *account, const char *key)
{
	return strcmp(key, "password") == 0 &&
	       (json_object_get(step->config, "password") != NULL ||
		       json_is_false(json_object_get(step->config, "auth")) ||
		       (json_object_get(account, "oauth2") != NULL && !step->type->password_only));
}

/* The account has what the type of the step needs, such as a password. */
static void check_needs(const struct draft *draft, const struct reference *reference)
{
	const struct step_type *type = draft->steps[reference->step].step.type;
	const json_t *account = draft_account(draft, reference->name);
	const struct field *const tables[] = {account_fields, NULL};

	for (size_t i = 0; type->account_needs != NULL && type->account_needs[i] != NULL; i++) {
		const char *key = type->account_needs[i];
		const struct field *field = fields_find(tables, key);
		char hint[HINT_SIZE];
		const struct remark remark = {.pointer = reference->pointer,
			.spot = FIELD_AT_VALUE,
			.code = "account-lacks",
			.hint = hint};

		if (json_object_get(account, key) != NULL ||
			brings_own(&draft->steps[reference->step].step, account, key))
			continue;
		snprintf(hint, sizeof(hint), "add \"%s\" to the account: %s", key,
			field != NULL ? field->kind->name : "");
		draft_complain(draft, &remark, "the account \"%s\" has no \"%s\", which %s needs",
			reference->name, key, type->name);
	}
}

static bool is_known_account(const struct draft *draft, const char *name)
{
	return json_object_get(json_object_get(draft->tree, "accounts"), name) != NULL;
}

static void check_account(const struct draft *draft, const struct reference *reference)
{
	if (reference->field->kind == &field_party && strchr(reference->name, '@') != NULL)
		return;
	if (!is_known_account(draft, reference->name))
		unknown_account(draft, reference);
	else if (reference->field->kind == &field_account &&
		draft_account(draft, reference->name) != NULL)
		check_needs(draft, reference);
}

void draft_warn_inline(const struct draft *draft, const char *owner, const json_t *settings,
	const char *key, const char *what)
{
	char pointer[4300];
	const struct remark remark = {.pointer = pointer,
		.spot = FIELD_AT_KEY,
		.code = "inline-password",
		.hint = "write {file: PATH}, {credential: NAME}, {command: [...]} or {env: NAME}",
		.is_warning = true};

	if (!json_is_string(json_object_get(settings, key)))
		return;
	snprintf(pointer, sizeof(pointer), "%s/%s", owner, key);
	draft_complain(draft, &remark, "this %s is readable by all who read the file", what);
}

/* But a password that the server is to refuse is nobody's. */
static void warn_inline_step(const struct draft *draft, const struct draft_step *step)
{
	const json_t *config = step->step.config;
	char pointer[4200];

	if (!refusal_expected(&step->step))
		draft_warn_inline(draft, step->pointer, config, "password", "password");
	snprintf(pointer, sizeof(pointer), "%s/dkim", step->pointer);
	draft_warn_inline(draft, pointer, json_object_get(config, "dkim"), "key", "private key");
}

static void warn_all_inline(const struct draft *draft)
{
	const char *name;
	json_t *account;

	json_object_foreach(json_object_get(draft->tree, "accounts"), name, account) {
		struct text pointer;

		text_init(&pointer, 4096);
		text_puts(&pointer, "/accounts");
		field_pointer_push(&pointer, name);
		draft_warn_inline(draft, pointer.bytes, account, "password", "password");
		text_puts(&pointer, "/oauth2");
		draft_warn_inline(draft, pointer.bytes, json_object_get(account, "oauth2"),
			"client_secret", "secret");
		draft_warn_inline(draft, pointer.bytes, json_object_get(account, "oauth2"),
			"refresh_token", "token");
		text_free(&pointer);
	}
	for (size_t i = 0; i < draft->step_count; i++)
		warn_inline_step(draft, &draft->steps[i]);
}

/* --- access tokens --------------------------------------------------------------------- */

static void complain_of(
	const struct draft *draft, const char *account, const char *key, const char *hint,
	const char *message)
{
	struct text pointer;
	struct remark remark = {.spot = FIELD_AT_KEY, .code = "oauth2", .hint = hint};

	text_init(&pointer, 4096);
	text_puts(&pointer, "/accounts");
	field_pointer_push(&pointer, account);
	text_puts(&pointer, key);
	remark.pointer = pointer.bytes;
	draft_complain(draft, &remark, "%s", message);
	text_free(&pointer);
}

/* What the grant needs, and nothing that it has no use for. */
static void check_grant(const struct draft *draft, const char *name, const json_t *oauth2)
{
	const char *grant = json_string_value(json_object_get(oauth2, "grant"));
	bool by_client = grant != NULL && strcmp(grant, "client_credentials") == 0;
	bool by_person = json_object_get(oauth2, "device_url") != NULL;

	if (by_client && json_object_get(oauth2, "client_secret") == NULL)
		complain_of(draft, name, "/oauth2", "add \"client_secret\"",
			"the grant client_credentials needs \"client_secret\"");
	if (by_client && json_object_get(oauth2, "refresh_token") != NULL)
		complain_of(draft, name, "/oauth2/refresh_token", "leave one of them out",
			"the grant client_credentials uses no refresh token");
	if (by_client && by_person)
		complain_of(draft, name, "/oauth2/device_url", "leave one of them out",
			"the grant client_credentials needs no person's help");
	if (!by_client && !by_person && json_object_get(oauth2, "refresh_token") == NULL)
		complain_of(draft, name, "/oauth2",
			"add \"refresh_token\", or \"device_url\" for mailprobe auth",
			"the grant refresh_token needs \"refresh_token\"");
}

/* One way to log in, whole, and not half of another one. */
static void check_oauth2(const struct draft *draft, const char *name, const json_t *account)
{
	const json_t *oauth2 = json_object_get(account, "oauth2");
	const char *auth = json_string_value(json_object_get(account, "auth"));

	if (!json_is_object(oauth2))
		return;
	if (json_object_get(account, "password") != NULL)
		complain_of(draft, name, "/password", "leave one of them out",
			"the account has both \"password\" and \"oauth2\"");
	if (auth != NULL && strcmp(auth, "oauthbearer") != 0 && strcmp(auth, "xoauth2") != 0)
		complain_of(draft, name, "/auth", "oauthbearer or xoauth2, or leave it out",
			"this mechanism takes no access token, but the account has \"oauth2\"");
	check_grant(draft, name, oauth2);
}

static void check_all_oauth2(const struct draft *draft)
{
	const char *name;
	json_t *account;

	json_object_foreach(json_object_get(draft->tree, "accounts"), name, account)
		check_oauth2(draft, name, account);
}

/* --- steps ----------------------------------------------------------------------------- */

static void check_ids(const struct draft *draft)
{
	for (size_t i = 0; i < draft->step_count; i++) {
		const char *id = draft->steps[i].step.id;
		char pointer[4200];
		const struct remark remark = {.pointer = pointer,
			.spot = FIELD_AT_VALUE,
			.code = "duplicate-id",
			.hint = "give this one an \"id\" of its own"};
		size_t first = 0;

		while (strcmp(draft->steps[first].step.id, id) != 0)
			first++;
		if (first == i)
			continue;
		snprintf(pointer, sizeof(pointer), "%s/id", draft->steps[i].pointer);
		draft_complain(draft, &remark, "an earlier step has the id \"%s\" already", id);
	}
}

/* The step of that id, or -1. */
static long step_of(const struct draft *draft, const char *id)
{
	for (size_t i = 0; i < draft->step_count; i++)
		if (strcmp(draft->steps[i].step.id, id) == 0)
			return (long)i;
	return -1;
}

static void suggest_mail(const struct draft *draft, const char *wrong, char hint[HINT_SIZE])
{
	const char *names[129];
	size_t count = 0;
	const char *nearest;

	for (size_t i = 0; i < draft->step_count && count < 128; i++)
		if (draft->steps[i].step.type != NULL && draft->steps[i].step.type->sends_mail)
			names[count++] = draft->steps[i].step.id;
	names[count] = NULL;
	nearest = text_nearest(wrong, names);
	if (nearest != NULL)
		snprintf(hint, HINT_SIZE, "did you mean \"%s\"?", nearest);
	else
		snprintf(hint, HINT_SIZE, "%s",
			count > 0 ? "name the id of a step that sends"
				  : "no step of this scenario sends a mail");
}

/* A mail that goes to one account and is awaited in another is rarely meant so. */
static void warn_other_account(
	const struct draft *draft, const struct reference *reference, const struct step *sender)
{
	const struct draft_step *await = &draft->steps[reference->step];
	const char *to = step_string(sender, "to");
	const char *account = step_string(&await->step, "account");
	char pointer[4200];
	const struct remark remark = {.pointer = pointer,
		.spot = FIELD_AT_VALUE,
		.code = "other-account",
		.hint = "right only if the mail is forwarded",
		.is_warning = true};

	if (to == NULL || account == NULL || strchr(to, '@') != NULL || strcmp(to, account) == 0)
		return;
	snprintf(pointer, sizeof(pointer), "%s/account", await->pointer);
	draft_complain(draft, &remark, "the mail \"%s\" goes to \"%s\", but is awaited at \"%s\"",
		reference->name, to, account);
}

static void check_mail(const struct draft *draft, const struct reference *reference)
{
	long index = step_of(draft, reference->name);
	const struct step *sender = index >= 0 ? &draft->steps[index].step : NULL;
	char hint[HINT_SIZE];
	const struct remark remark = {.pointer = reference->pointer,
		.spot = FIELD_AT_VALUE,
		.code = "unknown-mail",
		.hint = hint};

	if (sender != NULL && sender->type == NULL)
		return; /* that there is no such type was said */
	suggest_mail(draft, reference->name, hint);
	if (sender == NULL) {
		draft_complain(draft, &remark, "no step sends a mail \"%s\"", reference->name);
	} else if (!sender->type->sends_mail) {
		draft_complain(draft, &remark, "the step \"%s\" (%s) sends no mail",
			reference->name, sender->type->name);
	} else if ((size_t)index >= reference->step) {
		snprintf(hint, sizeof(hint), "put the step that sends before this one");
		draft_complain(draft, &remark, "the mail \"%s\" is sent only after this step",
			reference->name);
	} else {
		warn_other_account(draft, reference, sender);
	}
}

static bool is_awaited(const struct draft *draft, const struct step *sender)
{
	for (size_t i = 0; i < draft->step_count; i++) {
		const struct step *step = &draft->steps[i].step;
		const char *mail = step->type != NULL ? step_string(step, "mail") : NULL;

		if (mail != NULL && strcmp(mail, sender->id) == 0)
			return true;
	}
	return false;
}

/* Whether it arrives is what a mail is sent for. */
static void warn_unawaited(const struct draft *draft)
{
	for (size_t i = 0; i < draft->step_count; i++) {
		const struct draft_step *sender = &draft->steps[i];
		const struct remark remark = {.pointer = sender->pointer,
			.spot = FIELD_AT_KEY,
			.code = "unawaited",
			.hint = "add an imap_await of it, if its arrival matters",
			.is_warning = true};

		if (sender->step.type != NULL && sender->step.type->sends_mail &&
			!refusal_expected(&sender->step) && !is_awaited(draft, &sender->step))
			draft_complain(draft, &remark,
				"no step awaits the mail \"%s\": whether it arrives is not known",
				sender->step.id);
	}
}

/* --- times ----------------------------------------------------------------------------- */

static void warn_longer(const struct draft *draft, const struct draft_step *step,
	const char *key, int64_t timeout_ns)
{
	char pointer[4200];
	const struct remark remark = {.pointer = pointer,
		.spot = FIELD_AT_VALUE,
		.code = "too-long",
		.hint = "the run ends first",
		.is_warning = true};

	snprintf(pointer, sizeof(pointer), "%s/%s", step->pointer, key);
	/* What nobody wrote is cut to the run's time without a word. */
	if (draft_duration(step->step.config, key) <= timeout_ns ||
		!assembly_has(draft->assembly, pointer))
		return;
	draft_complain(draft, &remark, "\"%s\" is longer than the scenario's timeout, %s", key,
		json_string_value(json_object_get(draft->tree, "timeout")));
}

/* A mail is lost only after its own run has waited for it. */
static void check_horizon(const struct draft *draft)
{
	static const struct remark remark = {.pointer = "/horizon",
		.spot = FIELD_AT_VALUE,
		.code = "bad-value",
		.hint = "such as 24h: mail servers try for days"};
	int64_t horizon_ns = draft_duration(draft->tree, "horizon");

	if (horizon_ns > 0 && horizon_ns < draft_duration(draft->tree, "timeout"))
		draft_complain(draft, &remark,
			"\"horizon\" must not be shorter than the timeout, %s",
			json_string_value(json_object_get(draft->tree, "timeout")));
}

static void warn_times(const struct draft *draft)
{
	static const struct remark overlap = {.pointer = "/every",
		.spot = FIELD_AT_VALUE,
		.code = "overlap",
		.hint = "a run that is started while one goes on is skipped",
		.is_warning = true};
	int64_t timeout_ns = draft_duration(draft->tree, "timeout");
	int64_t every_ns = draft_duration(draft->tree, "every");

	if (every_ns > 0 && every_ns < timeout_ns)
		draft_complain(draft, &overlap, "\"every\" is shorter than the timeout, %s",
			json_string_value(json_object_get(draft->tree, "timeout")));
	if (timeout_ns == 0)
		return;
	for (size_t i = 0; i < draft->step_count; i++) {
		warn_longer(draft, &draft->steps[i], "within", timeout_ns);
		warn_longer(draft, &draft->steps[i], "timeout", timeout_ns);
	}
}

static void check_accounts_given(const struct draft *draft)
{
	const json_t *accounts = json_object_get(draft->tree, "accounts");
	static const struct remark none = {.pointer = "/accounts",
		.code = "bad-value",
		.hint = "accounts: mailboxes by name"};

	if (json_is_object(accounts) && json_object_size(accounts) == 0)
		draft_complain(draft, &none, "\"accounts\" must have at least one account");
}

void draft_check_sense(struct draft *draft)
{
	check_accounts_given(draft);
	warn_all_inline(draft);
	check_all_oauth2(draft);
	check_ids(draft);
	for (size_t i = 0; i < draft->reference_count; i++) {
		const struct reference *reference = &draft->references[i];

		if (reference->field->kind == &field_mail)
			check_mail(draft, reference);
		else
			check_account(draft, reference);
	}
	warn_unawaited(draft);
	check_horizon(draft);
	keep_check(draft);
	warn_times(draft);
}
