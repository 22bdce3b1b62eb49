/* The scenario is played with other steps (reach.h) by a worker like that of a run. */
#include "doctor.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error_type.h"
#include "reach.h"
#include "step.h"
#include "stage.h"
#include "url.h"
#include "uuid.h"
#include "worker.h"

#include "ban.h"

#define PATIENCE (30 * NS_PER_SECOND)
#define STEP_TIMEOUT "15s"
#define STEPS_MAX 256
#define ID_SIZE 65

struct examination {
	const struct scenario *scenario;
	struct step steps[STEPS_MAX];
	char ids[STEPS_MAX][ID_SIZE];
	size_t count;
	struct findings *findings;
};

/* --- what is examined ------------------------------------------------------------------ */

/* Takes the config. Each place is examined once, whatever the number of steps that use it. */
static void add(struct examination *examination, const struct step_type *type,
	const struct account *account, json_t *config)
{
	size_t at = examination->count;

	json_object_set_new(config, "account", json_string(account->name));
	json_object_set_new(config, "timeout", json_string(STEP_TIMEOUT));
	if (type->fields != NULL)
		fields_default((const struct field *const[]){type->fields, NULL}, config);
	for (size_t i = 0; i < at; i++)
		if (examination->steps[i].type == type &&
			json_equal(examination->steps[i].config, config))
			at = STEPS_MAX;
	if (at >= STEPS_MAX) {
		json_decref(config);
		return;
	}
	snprintf(examination->ids[at], ID_SIZE, "check-%zu", at + 1);
	examination->steps[at] =
		(struct step){.type = type, .id = examination->ids[at], .config = config};
	examination->count++;
}

static void add_url(
	struct examination *examination, const struct account *account, const char *text)
{
	char message[URL_MESSAGE_SIZE];
	struct url url;

	if (text != NULL && url_parse(text, &url, message) == 0)
		add(examination, &reach_https, account,
			json_pack("{s:s, s:i, s:b}", "host", url.host, "port", url.port, "tls",
				url.implicit_tls));
}

/* A login with an access token may use up a refresh token, which is for runs to keep: such an account
 * is not logged into. */
static bool may_log_in(const struct account *account)
{
	return account->password != NULL && account->oauth2.token_url == NULL;
}

static void add_endpoint(struct examination *examination, const struct step_type *type,
	const struct account *account, const struct endpoint *endpoint)
{
	if (endpoint->host != NULL)
		add(examination, type, account,
			json_pack("{s:s, s:i, s:b}", "host", endpoint->host, "port", endpoint->port,
				"tls", endpoint->implicit_tls));
}

static void add_account(
	struct examination *examination, const struct account *account, bool offline)
{
	if (account->password != NULL)
		add(examination, &reach_secret, account, json_object());
	if (offline)
		return;
	if (account->imap.host != NULL && may_log_in(account))
		add(examination, step_type_find("imap_login"), account, json_object());
	else
		add_endpoint(examination, &reach_imap, account, &account->imap);
	if (account->submission.host != NULL)
		add(examination, &reach_submission, account,
			json_pack("{s:b}", "login", may_log_in(account)));
	if (account->pop3.host != NULL)
		add(examination, &reach_pop3, account, json_object());
	add_url(examination, account, account->webmail.url);
	add_url(examination, account, account->caldav);
	add_url(examination, account, account->carddav);
}

/* Where an mx_send delivers to: the domain of its recipient. */
static void add_exchangers(struct examination *examination, const struct step *step)
{
	const struct journey *journey = &examination->scenario->journey;
	const char *from = step_string(step, "from"), *to = step_string(step, "to");
	const struct account *receiver = to != NULL ? journey_account(journey, to) : NULL;
	const struct account *sender = from != NULL ? journey_account(journey, from) : NULL;
	const char *at;

	if (!step->type->goes_to_exchanger || to == NULL || sender == NULL)
		return;
	at = strrchr(receiver != NULL ? receiver->address : to, '@');
	if (at != NULL)
		add(examination, &reach_exchangers, sender,
			json_pack("{s:s, s:I}", "domain", at + 1, "port",
				step_integer(step, "port")));
}

static void plan(struct examination *examination, bool offline)
{
	const struct journey *journey = &examination->scenario->journey;

	for (size_t i = 0; i < journey->account_count; i++)
		add_account(examination, &journey->accounts[i], offline);
	for (size_t i = 0; i < journey->step_count && !offline; i++)
		add_exchangers(examination, &journey->steps[i]);
}

/* --- what came of it ------------------------------------------------------------------- */

static const char *text_of(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value != NULL ? value : "";
}

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

static const char *advice_for(const char *error_type)
{
	static const struct {
		const char *begins, *advice;
	} table[] = {
		{"config.secret", "chmod 600 it and give it to the user of mailprobe; see "
				  "docs/security.md"},
		{"dns.unreachable", "this machine's resolver does not answer: look at "
				    "/etc/resolv.conf and the uplink"},
		{"dns.", "ask for the name with dig; the zone or the scenario is wrong"},
		{"tcp.", "look for a firewall here and there, and whether the server listens"},
		{"tls.", "look at the certificate with openssl s_client; for one of your own "
			 "authority, the scenario has tls: ca_file"},
		{"auth.", "try the password with a mail program; a locked account looks the same"},
		{"imap.", "the server answered; its log tells why it refuses"},
		{"smtp.", "the server answered; its log tells why it refuses"},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (begins(error_type, table[i].begins))
			return table[i].advice;
	return NULL;
}

/* What could not be judged for reasons of ours is not known. */
static enum finding_level level_of(const json_t *step)
{
	const char *outcome = text_of(step, "outcome"), *blame = text_of(step, "blame");

	if (strcmp(outcome, "pass") == 0)
		return FINDING_OK;
	if (strcmp(outcome, "warn") == 0)
		return FINDING_WARN;
	if (strcmp(outcome, "skipped") == 0 || strcmp(blame, "prober") == 0)
		return FINDING_UNKNOWN;
	return FINDING_BAD;
}

static void tell_step(struct examination *examination, const json_t *step)
{
	const struct journey *journey = &examination->scenario->journey;
	enum finding_level level = level_of(step);
	const char *type = text_of(step, "error_type"), *server = text_of(step, "server");
	const char *text = text_of(step, level == FINDING_OK ? "proof" : "error");
	char subject[200];

	/* A password that cannot be read fails all that needs it: said once is enough. */
	if (strcmp(type, "config.secret") == 0 && strcmp(text_of(step, "type"), "secret") != 0)
		return;
	snprintf(subject, sizeof(subject), "%s/%s %s %s", journey->customer, journey->scenario,
		text_of(step, "account"), text_of(step, "type"));
	finding_say(examination->findings, level, subject,
		level == FINDING_OK ? NULL : advice_for(type), "%s%s%s%s%s%s%s", type,
		type[0] != '\0' ? ": " : "", server, server[0] != '\0' ? " " : "",
		text_of(step, "tls_version"), text_of(step, "tls_version")[0] != '\0' ? " " : "",
		text[0] != '\0' ? text : text_of(step, "reason"));
}

/* --- playing --------------------------------------------------------------------------- */

static int refuse_intent(void *context, const json_t *mail, struct failure *why)
{
	(void)context;
	(void)mail;
	return failure_set(why, ERROR_WORKER_PROTOCOL, "doctor sends no mail");
}

static void ignore_state(void *context, const json_t *mail)
{
	(void)context;
	(void)mail;
}

static void ignore_progress(
	void *context, const char *step, const char *phase, const char *note)
{
	(void)context;
	(void)step;
	(void)phase;
	(void)note;
}

static json_t *attend(struct worker *worker)
{
	const struct worker_listener listener = {
		.intent = refuse_intent, .state = ignore_state, .progress = ignore_progress};
	bool alive = true, ended = false;

	while (alive && !ended && !worker_overdue(worker)) {
		struct pollfd polls[] = {{.fd = worker_fd(worker), .events = POLLIN},
			{.fd = worker_pidfd(worker), .events = POLLIN}};

		poll(polls, 2, worker_left_ms(worker));
		ended = polls[1].revents != 0;
		alive = worker_receive(worker, &listener);
	}
	return worker_end(&worker, false);
}

static void play(struct examination *examination)
{
	struct journey journey = examination->scenario->journey;
	struct clock_origin origin = clock_origin_now();
	static const struct mail_key no_key;
	struct failure why = {0};
	char run_id[UUID_SIZE];
	struct worker *worker;
	json_t *account, *step;
	size_t index;

	journey.steps = examination->steps;
	journey.step_count = examination->count;
	uuid_v7(origin.wall_ns, run_id);
	stage_preload(&journey);
	worker = worker_start(&(struct worker_job){.journey = &journey, .run_id = run_id,
				      .vantage = "doctor", .origin = origin,
				      .deadline = deadline_in(PATIENCE), .key = &no_key},
		&why);
	if (worker == NULL) {
		finding_say(examination->findings, FINDING_UNKNOWN, "servers", NULL, "%s", why.text);
		return;
	}
	account = attend(worker);
	json_array_foreach(json_object_get(account, "steps"), index, step)
		tell_step(examination, step);
	json_decref(account);
}

void doctor_scenario(const struct scenario *scenario, bool offline, struct findings *findings)
{
	struct examination *examination = calloc(1, sizeof(*examination));

	if (examination == NULL) {
		finding_say(findings, FINDING_UNKNOWN, "servers", NULL, "out of memory");
		return;
	}
	examination->scenario = scenario;
	examination->findings = findings;
	plan(examination, offline);
	if (examination->count > 0)
		play(examination);
	for (size_t i = 0; i < examination->count; i++)
		json_decref((json_t *)(uintptr_t)examination->steps[i].config);
	free(examination);
}
