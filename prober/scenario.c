#include "scenario.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/tls1.h>

#include "draft.h"
#include "error_type.h"
#include "text.h"
#include "url.h"

#include "ban.h"

/* The field table's fallback, where the whole object is left out. */
#define CONFIRM_AFTER (30 * NS_PER_SECOND)

/* What scenario_load hands out, and all that it points into. */
struct loaded {
	struct scenario scenario; /* first: scenario_free goes back from it */
	json_t *tree;
	json_t *strings; /* those that are not in the tree */
	struct account *accounts;
	struct account nobody;
	struct step *steps;
	struct limit *limits;
	struct sink *sinks;
};

static const char *keep(struct loaded *loaded, const char *string)
{
	json_t *kept = json_string_nocheck(string);

	if (kept == NULL || json_array_append_new(loaded->strings, kept) != 0)
		abort();
	return json_string_value(kept);
}

static const char *get_string(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

/* --- accounts -------------------------------------------------------------------------- */

static void build_endpoint(
	struct loaded *loaded, const json_t *account, const char *key, struct endpoint *endpoint)
{
	const char *text = get_string(account, key);
	char message[URL_MESSAGE_SIZE];
	struct url url;

	if (text == NULL || url_parse(text, &url, message) != 0)
		return;
	endpoint->host = keep(loaded, url.host);
	endpoint->port = url.port;
	endpoint->implicit_tls = url.implicit_tls;
}

/* The account's own setting, or else the scenario's. */
static const json_t *setting(const json_t *tree, const json_t *account, const char *key)
{
	const json_t *own = json_object_get(account, key);

	return own != NULL ? own : json_object_get(tree, key);
}

static const json_t *tls_setting(const json_t *tree, const json_t *account, const char *key)
{
	const json_t *own = json_object_get(json_object_get(account, "tls"), key);

	return own != NULL ? own : json_object_get(json_object_get(tree, "tls"), key);
}

/* A path of the scenario file, from where we stand. */
static const char *resolve_path(struct loaded *loaded, const char *path)
{
	const char *base = loaded->scenario.journey.base_dir;
	struct text text;
	const char *kept;

	if (path[0] == '/' || strcmp(base, ".") == 0)
		return keep(loaded, path);
	text_init(&text, 8192);
	text_printf(&text, "%s/%s", base, path);
	kept = keep(loaded, text.bytes);
	text_free(&text);
	return kept;
}

static void build_tls(
	struct loaded *loaded, const json_t *account, struct tls_settings *settings)
{
	const json_t *tree = loaded->tree;
	const char *ca_file = json_string_value(tls_setting(tree, account, "ca_file"));
	const char *version = json_string_value(tls_setting(tree, account, "min_version"));
	const char *starttls = json_string_value(tls_setting(tree, account, "starttls"));

	settings->ca_file = ca_file != NULL ? resolve_path(loaded, ca_file) : NULL;
	settings->min_version = version != NULL && strcmp(version, "1.3") == 0 ? TLS1_3_VERSION
									       : TLS1_2_VERSION;
	settings->starttls = STARTTLS_REQUIRED;
	if (starttls != NULL)
		settings->starttls =
			(enum starttls_policy)name_index(starttls_choices, starttls);
}

static enum ip_choice ip_of(const json_t *value)
{
	const char *text = json_string_value(value);

	if (json_is_integer(value))
		return json_integer_value(value) == 4 ? IP_4 : IP_6;
	return text != NULL ? (enum ip_choice)name_index(ip_choices, text) : IP_ANY;
}

/* "address:port,...", IPv6 in brackets, as c-ares reads it. */
static const char *join_resolvers(struct loaded *loaded, const json_t *list)
{
	struct text text;
	json_t *item;
	size_t index;
	const char *kept = NULL;

	text_init(&text, 4096);
	json_array_foreach(list, index, item) {
		char host[URL_HOST_SIZE], message[URL_MESSAGE_SIZE];
		int port = 53;

		if (url_parse_ip(json_string_value(item), host, &port, message) != 0)
			continue;
		text_printf(&text, strchr(host, ':') != NULL ? "%s[%s]:%d" : "%s%s:%d",
			index > 0 ? "," : "", host, port);
	}
	if (text.length > 0)
		kept = keep(loaded, text.bytes);
	text_free(&text);
	return kept;
}

static void build_webmail(const json_t *account, struct webmail_settings *settings)
{
	const json_t *config = json_object_get(account, "webmail");

	settings->url = get_string(config, "url");
	settings->flavour = get_string(config, "flavour");
	settings->shows = get_string(config, "shows");
	settings->login_hosts = json_object_get(config, "login_hosts");
}

static void build_oauth2(const json_t *account, struct oauth_settings *settings)
{
	const json_t *config = json_object_get(account, "oauth2");
	const char *grant = get_string(config, "grant");

	settings->token_url = get_string(config, "token_url");
	settings->device_url = get_string(config, "device_url");
	settings->client_id = get_string(config, "client_id");
	settings->client_secret = json_object_get(config, "client_secret");
	settings->refresh_token = json_object_get(config, "refresh_token");
	settings->scope = get_string(config, "scope");
	settings->by_client = grant != NULL && strcmp(grant, "client_credentials") == 0;
}

static void build_control(const json_t *config, struct control *control)
{
	const char *clock = get_string(config, "clock");

	control->names = json_object_get(config, "names");
	control->off = json_is_true(json_object_get(config, "off"));
	control->clock_trusted = clock != NULL && strcmp(clock, "trusted") == 0;
}

static void build_connection(
	struct loaded *loaded, const json_t *config, struct account *account)
{
	build_tls(loaded, config, &account->tls);
	account->resolver = join_resolvers(loaded, setting(loaded->tree, config, "resolver"));
	account->ip = ip_of(setting(loaded->tree, config, "ip"));
	account->allow_private = json_is_true(setting(loaded->tree, config, "allow_private"));
}

static void build_account(
	struct loaded *loaded, const char *name, const json_t *config, struct account *account)
{
	const char *username = get_string(config, "username");

	account->name = name;
	account->address = get_string(config, "address");
	account->username = username != NULL ? username : account->address;
	account->password = json_object_get(config, "password");
	build_oauth2(config, &account->oauth2);
	account->auth = get_string(config, "auth");
	build_endpoint(loaded, config, "submission", &account->submission);
	build_endpoint(loaded, config, "imap", &account->imap);
	build_endpoint(loaded, config, "pop3", &account->pop3);
	build_webmail(config, &account->webmail);
	account->caldav = get_string(config, "caldav");
	account->carddav = get_string(config, "carddav");
	if (get_string(config, "maildir") != NULL)
		account->maildir = resolve_path(loaded, get_string(config, "maildir"));
	build_connection(loaded, config, account);
}

/* --- the whole ------------------------------------------------------------------------- */

static const char *directory_of(struct loaded *loaded, const char *file)
{
	const char *slash = strrchr(file, '/');
	char *directory;
	const char *kept;

	if (slash == NULL)
		return ".";
	directory = strndup(file, slash > file ? (size_t)(slash - file) : 1);
	if (directory == NULL)
		abort();
	kept = keep(loaded, directory);
	free(directory);
	return kept;
}

static void build_sink(json_t *item, struct sink *sink)
{
	sink->type = sink_type_find(json_object_iter_key(json_object_iter(item)));
	sink->config = json_object_iter_value(json_object_iter(item));
	sink->name = get_string(sink->config, "name");
}

static void build_lists(struct loaded *loaded, const struct draft *draft)
{
	struct journey *journey = &loaded->scenario.journey;
	const json_t *limits = json_object_get(loaded->tree, "limits");
	const char *name;
	json_t *item;
	size_t index;

	json_object_foreach(json_object_get(loaded->tree, "accounts"), name, item)
		build_account(loaded, name, item, &loaded->accounts[journey->account_count++]);
	for (size_t i = 0; i < draft->step_count; i++)
		loaded->steps[journey->step_count++] = draft->steps[i].step;
	json_array_foreach(limits, index, item)
		limit_build(item, &loaded->limits[loaded->scenario.limit_count++]);
	json_array_foreach(json_object_get(loaded->tree, "sinks"), index, item)
		build_sink(item, &loaded->sinks[loaded->scenario.sink_count++]);
	build_connection(loaded, NULL, &loaded->nobody);
	journey->nobody = &loaded->nobody;
	journey->accounts = loaded->accounts;
	journey->steps = loaded->steps;
	loaded->scenario.limits = loaded->limits;
	loaded->scenario.sinks = loaded->sinks;
}

static int64_t confirm_ns(const json_t *config)
{
	int64_t after_ns = draft_duration(config, "after");

	if (json_is_true(json_object_get(config, "off")))
		return 0;
	return after_ns > 0 ? after_ns : CONFIRM_AFTER;
}

static void build_keep(const json_t *config, struct retention *keep)
{
	keep->passed_ns = draft_duration(config, "results");
	keep->others_ns = draft_duration(config, "failures");
	keep->values_ns = draft_duration(config, "values");
	keep->rollups_ns = draft_duration(config, "rollups");
}

/* A draft without an error, as what everything else works on. */
static struct scenario *build(const struct draft *draft, const char *file)
{
	struct loaded *loaded = calloc(1, sizeof(*loaded));
	struct journey *journey;

	if (loaded == NULL)
		abort();
	journey = &loaded->scenario.journey;
	loaded->tree = json_incref(draft->tree);
	loaded->strings = json_array();
	loaded->accounts = calloc(json_object_size(json_object_get(draft->tree, "accounts")) + 1,
		sizeof(*loaded->accounts));
	loaded->steps = calloc(draft->step_count + 1, sizeof(*loaded->steps));
	loaded->limits = calloc(json_array_size(json_object_get(draft->tree, "limits")) + 1,
		sizeof(*loaded->limits));
	loaded->sinks = calloc(json_array_size(json_object_get(draft->tree, "sinks")) + 1,
		sizeof(*loaded->sinks));
	if (loaded->accounts == NULL || loaded->steps == NULL || loaded->limits == NULL ||
		loaded->sinks == NULL)
		abort();
	loaded->scenario.file = keep(loaded, file);
	journey->base_dir = directory_of(loaded, file);
	journey->customer = get_string(draft->tree, "customer");
	journey->scenario = get_string(draft->tree, "scenario");
	journey->every_ns = draft_duration(draft->tree, "every");
	journey->timeout_ns = draft_duration(draft->tree, "timeout");
	build_control(json_object_get(draft->tree, "control"), &journey->control);
	journey->components = json_object_get(draft->tree, "components");
	journey->confirm_ns = confirm_ns(json_object_get(draft->tree, "confirm"));
	journey->horizon_ns = draft_duration(draft->tree, "horizon");
	build_keep(json_object_get(draft->tree, "keep"), &loaded->scenario.keep);
	build_lists(loaded, draft);
	plan_build(draft->tree, &loaded->scenario.plan);
	return &loaded->scenario;
}

struct scenario *scenario_load(const char *file, struct complaints *complaints)
{
	struct complaints own = {.items = NULL};
	struct draft draft = {.assembly = assembly_read(file, &own)};
	struct scenario *scenario = NULL;

	if (draft.assembly != NULL) {
		assembly_substitute(draft.assembly);
		draft.tree = draft.assembly->tree;
		draft_check_fields(&draft);
		draft_check_steps(&draft);
		draft_check_sense(&draft);
		draft_check_limits(&draft);
		draft_check_sinks(&draft);
		draft_check_plan(&draft);
		draft_check_rules(&draft);
		if (own.errors == 0)
			scenario = build(&draft, file);
	}
	assembly_free(&draft.assembly);
	draft_free(&draft);
	complaints_move(complaints, &own, file);
	return scenario;
}

void scenario_free(struct scenario **scenario)
{
	struct loaded *loaded = (struct loaded *)*scenario;

	if (loaded == NULL)
		return;
	plan_free(&loaded->scenario.plan);
	json_decref(loaded->tree);
	json_decref(loaded->strings);
	free(loaded->accounts);
	free(loaded->steps);
	free(loaded->limits);
	free(loaded->sinks);
	free(loaded);
	*scenario = NULL;
}
