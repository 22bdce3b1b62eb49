/* A stage is set: what its steps need is read, before the process is confined; and struck. */
#include "stage_private.h"

#include <stdlib.h>
#include <string.h>

#include "access_token.h"
#include "http.h"
#include "redact.h"
#include "refusal.h"
#include "secret.h"
#include "step.h"

#include "ban.h"

static void read_credentials(struct stage *stage, size_t index)
{
	const struct journey *journey = stage->run->journey;
	const struct account *account = &journey->accounts[index];
	struct credentials *to = &stage->credentials[index];

	if (trust_prepare(stage->run->trust, &account->tls, &to->failed) == -1)
		return;
	if (account->oauth2.token_url != NULL)
		to->token = access_token_prepare(stage->run, account,
			journey->steps[0].type->begins_grant, &to->failed);
	if (account->password == NULL)
		return;
	if (secret_read(account->password, journey->base_dir, &to->password, &to->failed) == -1) {
		failure_prefix(&to->failed, "password of account \"%s\"", account->name);
		return;
	}
	redact_learn(to->password);
}

static const struct account *account_of(const struct journey *journey, const struct step *step)
{
	const char *name = step_string(step, "account");

	if (name == NULL)
		name = step_string(step, "from");
	return name != NULL ? journey_account(journey, name) : NULL;
}

void stage_preload(const struct journey *journey)
{
	for (size_t i = 0; i < journey->step_count; i++) {
		const struct step *step = &journey->steps[i];
		const struct account *account = account_of(journey, step);

		if (account == NULL)
			account = journey->nobody;
		if (account != NULL)
			trust_preload(&account->tls);
		if (account != NULL && account->oauth2.token_url != NULL)
			http_preload();
		if (step->type->preload != NULL)
			step->type->preload();
	}
}

/* A password of the step's own. One that stands in the scenario to be refused is no secret: it is
 * left readable in what the server says. */
static void read_password(struct stage *stage, struct part *part)
{
	const struct step *step = part->probe.step;
	const json_t *source = json_object_get(step->config, "password");

	if (source == NULL || part->setup.type != ERROR_NONE)
		return;
	if (secret_read(source, stage->run->journey->base_dir, &part->password, &part->setup) ==
		-1) {
		failure_prefix(&part->setup, "password of step \"%s\"", step->id);
		return;
	}
	if (!json_is_string(source) || !refusal_expected(step))
		redact_learn(part->password);
	part->probe.password = part->password;
}

/* The private key of a step that signs its mail. */
static void read_signing_key(struct stage *stage, struct part *part)
{
	const json_t *dkim = json_object_get(part->probe.step->config, "dkim");
	const json_t *source = json_object_get(dkim, "key");

	if (source == NULL || part->setup.type != ERROR_NONE)
		return;
	if (secret_read_key(source, stage->run->journey->base_dir, &part->signing_key,
		    &part->setup) == -1)
		failure_prefix(&part->setup, "DKIM key of step \"%s\"", part->probe.step->id);
	part->probe.signing_key = part->signing_key;
}

/* A step without an account connects by the scenario's own settings. */
static void prepare_nobody(struct stage *stage)
{
	const struct journey *journey = stage->run->journey;
	struct credentials *to = &stage->credentials[journey->account_count];

	for (size_t i = 0; i < stage->count; i++)
		if (stage->parts[i].chosen && journey->nobody != NULL &&
			account_of(journey, &journey->steps[i]) == NULL) {
			trust_prepare(stage->run->trust, &journey->nobody->tls, &to->failed);
			return;
		}
}

/* Index of the step whose mail this one is about; its own if it is about none. */
static size_t mail_source(const struct journey *journey, size_t index)
{
	const char *mail = step_string(&journey->steps[index], "mail");

	for (size_t i = 0; mail != NULL && i < journey->step_count; i++)
		if (strcmp(journey->steps[i].id, mail) == 0)
			return i;
	return index;
}

static void set_part(struct stage *stage, size_t index)
{
	const struct journey *journey = stage->run->journey;
	struct part *part = &stage->parts[index];
	struct probe *probe = &part->probe;
	const struct credentials *credentials;

	part->stage = stage;
	probe->run = stage->run;
	probe->step = &journey->steps[index];
	probe->account = account_of(journey, probe->step);
	if (mail_source(journey, index) != index)
		probe->sender = &stage->parts[mail_source(journey, index)].probe;
	probe->mails = stage->mails;
	probe->facts = json_object();
	probe->connection = probe->account != NULL ? probe->account : journey->nobody;
	if (!part->chosen || probe->connection == NULL)
		return;
	credentials = &stage->credentials[probe->account != NULL
						  ? (size_t)(probe->account - journey->accounts)
						  : journey->account_count];
	part->setup = credentials->failed;
	probe->password = credentials->password;
	if (access_token_serves(probe->step))
		probe->token_source = credentials->token;
	read_password(stage, part);
	read_signing_key(stage, part);
	if (part->setup.type == ERROR_NONE && probe->step->type->preload != NULL)
		probe->step->type->preload();
	if (part->setup.type == ERROR_NONE)
		probe->dns = dns_create(probe->connection->resolver, &part->setup);
	if (part->setup.type == ERROR_NONE && probe->step->type->open != NULL)
		probe->step->type->open(probe, &stage->grant, &part->setup);
}

/* A chosen step brings the step along that its mail comes from. */
static void choose(struct stage *stage, const char *const *only)
{
	const struct journey *journey = stage->run->journey;

	for (size_t i = 0; i < stage->count; i++) {
		stage->parts[i].chain = mail_source(journey, i);
		if (!journey_chooses(only, journey->steps[i].id))
			continue;
		stage->parts[i].chosen = true;
		stage->parts[stage->parts[i].chain].chosen = true;
	}
}

static bool account_is_used(const struct stage *stage, size_t account)
{
	const struct journey *journey = stage->run->journey;

	for (size_t i = 0; i < stage->count; i++)
		if (stage->parts[i].chosen &&
			account_of(journey, &journey->steps[i]) == &journey->accounts[account])
			return true;
	return false;
}

void *stage_allocate(size_t count, size_t size)
{
	void *memory = calloc(count > 0 ? count : 1, size);

	if (memory == NULL)
		abort();
	return memory;
}

struct stage *stage_set(const struct probe_run *run, const char *const *only)
{
	const struct journey *journey = run->journey;
	struct stage *stage = stage_allocate(1, sizeof(*stage));

	stage->run = run;
	machine_begin(&stage->machine, run->origin);
	stage->count = journey->step_count;
	stage->parts = stage_allocate(stage->count, sizeof(*stage->parts));
	stage->mails = stage_allocate(stage->count, sizeof(*stage->mails));
	stage->credentials = stage_allocate(journey->account_count + 1, sizeof(*stage->credentials));
	choose(stage, only);
	for (size_t i = 0; i < journey->account_count; i++)
		if (account_is_used(stage, i))
			read_credentials(stage, i);
	prepare_nobody(stage);
	for (size_t i = 0; i < stage->count; i++)
		set_part(stage, i);
	return stage;
}

struct folder_grant *stage_folder_grant(struct stage *stage)
{
	return &stage->grant;
}

void stage_strike(struct stage **stage)
{
	struct stage *gone = *stage;

	if (gone == NULL)
		return;
	for (size_t i = 0; i < gone->count; i++) {
		json_decref(gone->parts[i].probe.facts);
		json_decref(gone->parts[i].record);
		dns_destroy(&gone->parts[i].probe.dns);
		secret_free(&gone->parts[i].password);
		secret_free(&gone->parts[i].signing_key);
		probe_mail_free(&gone->mails[i]);
	}
	for (size_t i = 0; i < gone->run->journey->account_count; i++) {
		secret_free(&gone->credentials[i].password);
		access_token_free(&gone->credentials[i].token);
	}
	free(gone->credentials);
	free(gone->mails);
	free(gone->parts);
	free(gone);
	*stage = NULL;
}
