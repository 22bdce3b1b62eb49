/* The loader: what a good file becomes. What is said of bad ones is in tests/bad. */
#include "scenario.h"

#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/tls1.h>

#include "clock.h"
#include "metric.h"
#include "scenario_files.h"
#include "step.h"
#include "text.h"

#include "tap.h"

static char folder[] = "/tmp/mailprobe-scenario-XXXXXX";

static void write_file(const char *name, const char *text)
{
	FILE *file = fopen(name, "w");

	if (file == NULL || fputs(text, file) == EOF || fclose(file) != 0)
		exit(1);
}

static struct scenario *load(const char *name, const char *text, size_t warnings)
{
	struct complaints complaints = {.items = NULL};
	struct scenario *scenario;

	write_file(name, text);
	scenario = scenario_load(name, &complaints);
	if (!ok(scenario != NULL && complaints.count == warnings, "%s loads with %zu warnings",
		    name, warnings))
		complaints_print(&complaints, stdout, false);
	complaints_free(&complaints);
	if (scenario == NULL)
		exit(done_testing() | 1);
	return scenario;
}

#define ACCOUNT "{address: a@acme.test, password: {file: a.secret}, imap: imaps://h.test}"

/* --- defaults and what is made of settings --------------------------------------------- */

static void test_least(void)
{
	struct scenario *scenario = load("least.yaml",
		"customer: acme\nscenario: least\naccounts: {in: " ACCOUNT "}\n"
		"steps:\n- imap_login: {account: in}\n",
		0);
	const struct journey *journey = &scenario->journey;
	const struct account *account = journey_account(journey, "in");

	is_string(journey->customer, "acme", "customer");
	is_string(journey->base_dir, ".", "base_dir");
	is_integer(journey->timeout_ns / NS_PER_SECOND, 180, "default timeout");
	is_integer(journey->every_ns, 0, "no every");
	is_integer((long long)journey->step_count, 1, "one step");
	is_string(journey->steps[0].id, "imap_login", "id is the type's name");
	ok(journey->steps[0].type == step_type_find("imap_login"), "type");
	is_string(step_string(&journey->steps[0], "account"), "in", "a setting");
	is_string(step_string(&journey->steps[0], "timeout"), "30s", "a default of a step");
	ok(journey_step(journey, "imap_login") == &journey->steps[0], "journey_step");
	ok(journey_step(journey, "nope") == NULL && journey_account(journey, "nope") == NULL,
		"nothing of that name");
	is_string(account->username, "a@acme.test", "username is the address");
	is_string(account->imap.host, "h.test", "host");
	is_integer(account->imap.port, 993, "default port");
	ok(account->imap.implicit_tls, "imaps is implicit TLS");
	ok(account->submission.host == NULL, "no submission");
	ok(account->resolver == NULL && account->tls.ca_file == NULL, "the system's");
	is_integer(account->tls.min_version, TLS1_2_VERSION, "TLS 1.2 at least");
	is_integer(account->tls.starttls, STARTTLS_REQUIRED, "STARTTLS required");
	is_integer(account->ip, IP_ANY, "any IP");
	ok(!account->allow_private, "no private addresses");
	scenario_free(&scenario);
	ok(scenario == NULL, "freed and nulled");
	scenario_free(&scenario);
}

static void test_settings(void)
{
	struct scenario *scenario;
	const struct account *a, *b;

	mkdir("sub", 0700);
	scenario = load("sub/settings.yml",
		"customer: acme\nscenario: settings\nevery: 5m\ntimeout: 90s\n"
		"resolver: [\"127.0.0.1:5353\", \"::1\"]\nip: 6\nallow_private: true\n"
		"tls: {ca_file: ca.pem, min_version: \"1.3\", starttls: off}\n"
		"accounts:\n"
		"  a: {address: a@acme.test, submission: \"smtp://[fd00::25]:10587\"}\n"
		"  b:\n    address: b@acme.test\n    username: bee\n    password: {env: B}\n"
		"    imap: imap://b.test\n    ip: any\n    allow_private: false\n"
		"    resolver: [192.0.2.1]\n    tls: {ca_file: /etc/ca.pem, starttls: opportunistic}\n"
		"steps:\n- imap_login: {account: b, id: in, timeout: 1.5s}\n",
		0);
	a = journey_account(&scenario->journey, "a");
	b = journey_account(&scenario->journey, "b");
	is_string(scenario->journey.base_dir, "sub", "base_dir is the file's folder");
	is_string(scenario->file, "sub/settings.yml", "file");
	is_integer(scenario->journey.every_ns / NS_PER_SECOND, 300, "every");
	is_string(a->resolver, "127.0.0.1:5353,[::1]:53", "resolvers of the scenario");
	is_string(b->resolver, "192.0.2.1:53", "the account's own instead");
	is_integer(a->ip, IP_6, "ip of the scenario");
	is_integer(b->ip, IP_ANY, "the account's own");
	ok(a->allow_private && !b->allow_private, "allow_private likewise");
	is_string(a->tls.ca_file, "sub/ca.pem", "a path starts at the scenario's folder");
	is_string(b->tls.ca_file, "/etc/ca.pem", "unless it is absolute");
	is_integer(a->tls.starttls, STARTTLS_OFF, "starttls of the scenario");
	is_integer(b->tls.starttls, STARTTLS_OPPORTUNISTIC, "the account's own");
	is_integer(b->tls.min_version, TLS1_3_VERSION, "tls is merged key by key");
	is_string(a->submission.host, "fd00::25", "IPv6 without brackets");
	is_integer(a->submission.port, 10587, "port");
	ok(!a->submission.implicit_tls, "smtp is STARTTLS");
	is_string(b->username, "bee", "username");
	is_integer(b->imap.port, 143, "default port of imap");
	is_integer(step_duration(&scenario->journey.steps[0], "timeout") / NS_PER_MS, 1500,
		"a step's timeout");
	scenario_free(&scenario);
}

#define JOURNEY \
	"customer: acme\nscenario: limits\nevery: 5m\n" \
	"accounts:\n" \
	"  in: " ACCOUNT "\n" \
	"  out: {address: b@else.test, password: {file: b.secret}, submission: 'smtps://s.test', " \
	"imap: 'imaps://i.test'}\n" \
	"steps:\n" \
	"- smtp_send: {id: there, from: out, to: in}\n" \
	"- imap_await: {account: in, mail: there, within: 90s}\n" \
	"- imap_login: {account: in}\n" \
	"- imap_quota: {account: in}\n"

/* "name metric warn crit for" of each limit, a line each. */
static char *list_limits(const struct scenario *scenario)
{
	static const char *const keys[] = {"name", "metric", "over", "warn", "crit", "for"};
	struct text text;

	text_init(&text, 4096);
	for (size_t i = 0; i < scenario->limit_count; i++) {
		for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++) {
			const char *value = json_string_value(
				json_object_get(scenario->limits[i].config, keys[k]));

			if (value != NULL)
				text_printf(&text, "%s%s", k > 0 ? "  " : "", value);
		}
		text_puts(&text, "\n");
	}
	return text.bytes;
}

static void test_default_limits(void)
{
	struct scenario *scenario = load("default.yaml", JOURNEY, 0), *again;
	json_t *limits = json_array();
	char *listed = list_limits(scenario), *written;
	struct text text;

	is_string(listed,
		"failing  failed  3 of 5\n"
		"silent  age  > 900s\n"
		"losing  lost  24h  sum > 15\n"
		"step-there  there.delivery_seconds  step > 2s within 3d\n"
		"step-imap_login  imap_login.duration_seconds  step > 1s within 3d\n"
		"growth-there  there.delivery_seconds  slope > 300ms per week\n"
		"reach-there  there.delivery_seconds  p95 reaches 90s within 14d\n"
		"unusual-there  there.delivery_seconds  > baseline + 4 mad  4 of 6\n"
		"certificate-there  there.tls_days_left  < 14  < 3\n"
		"certificate-imap_await  imap_await.tls_days_left  < 14  < 3\n"
		"quota-imap_quota  imap_quota.storage_used_percent  reaches 90 within 14d\n"
		"full-imap_quota  imap_quota.storage_used_percent  > 90  > 97\n",
		"the limits of a scenario without any");
	for (size_t i = 0; i < scenario->limit_count; i++)
		json_array_append(limits, (json_t *)(uintptr_t)scenario->limits[i].config);
	written = json_dumps(limits, JSON_COMPACT);
	text_init(&text, 65536);
	text_printf(&text, "%slimits: %s\n", JOURNEY, written);
	again = load("written.yaml", text.bytes, 0);
	free(written);
	written = list_limits(again);
	is_string(written, listed, "an author may write the same");
	scenario_free(&again);
	free(listed);
	again = load("login.yaml",
		"customer: acme\nscenario: least\naccounts: {in: " ACCOUNT "}\n"
		"steps:\n- imap_login: {account: in}\n",
		0);
	listed = list_limits(again);
	is_string(listed,
		"failing  failed  3 of 5\n"
		"step-imap_login  imap_login.duration_seconds  step > 1s within 3d\n"
		"certificate-imap_login  imap_login.tls_days_left  < 14  < 3\n",
		"without mails, and who knows how often");
	scenario_free(&again);
	again = load("none.yaml", JOURNEY "limits: []\n", 0);
	is_integer((long long)again->limit_count, 0, "none if the scenario says so");
	scenario_free(&again);
	scenario_free(&scenario);
	text_free(&text);
	json_decref(limits);
	free(listed);
	free(written);
}

static void test_limits(void)
{
	struct scenario *scenario = load("limits.yaml",
		"customer: acme\nscenario: limits\naccounts: {in: " ACCOUNT "}\n"
		"steps:\n- imap_login: {account: in}\n"
		"limits:\n"
		"- {name: a, metric: duration_seconds, over: 24h, warn: p95 > 30s, crit: p95>=1m}\n"
		"- {name: b, metric: failed, for: 3 of 5, severity: critical, keep: 7}\n"
		"- {name: c, metric: failure_rate, over: 1h, crit: '> 2.5%',\n"
		"   runbook_url: https://wiki.acme.test/}\n"
		"- {name: d, metric: imap_login.phases.auth, warn: '> 250ms', for: 2 of 3}\n",
		0);
	const struct limit *limit = scenario->limits;

	is_integer((long long)scenario->limit_count, 4, "four limits");
	ok(limit->warn.is_set && limit->crit.is_set, "both conditions");
	is_integer(limit->warn.statistic, STATISTIC_P95, "p95");
	ok(!limit->warn.or_equal && limit->crit.or_equal, "> and >=");
	is_near(limit->crit.threshold, 60, 0, "1m is 60 seconds");
	is_integer(limit->warn.unit, LIMIT_SECONDS, "seconds");
	is_integer(limit->over_ns / NS_PER_SECOND, 86400, "over");
	is_integer(limit->keep, 3, "default keep");
	ok(limit->severity == NULL, "severity by warn and crit");
	ok(limit_breached(&limit->crit, 60) && !limit_breached(&limit->warn, 30), "breached");
	limit++;
	ok(!limit->warn.is_set && !limit->crit.is_set && !limit_breached(&limit->warn, 1e9),
		"no condition");
	ok(limit->need == 3 && limit->of == 5 && limit->keep == 7, "3 of 5, keep 7");
	is_string(limit->severity, "critical", "severity");
	limit++;
	is_integer(limit->crit.unit, LIMIT_SHARE, "a share");
	is_near(limit->crit.threshold, 0.025, 1e-12, "2.5% is 0.025");
	is_string(limit->runbook_url, "https://wiki.acme.test/", "runbook_url");
	limit++;
	is_integer(limit->warn.statistic, STATISTIC_VALUE, "no statistic");
	is_near(limit->warn.threshold, 0.25, 0, "250ms");
	scenario_free(&scenario);
}

/* --- extends and vars ------------------------------------------------------------------ */

static void test_merge(void)
{
	struct scenario *scenario;
	const struct account *in;

	mkdir("parts", 0700);
	write_file("parts/_a.yaml",
		"customer: acme\ntimeout: 10s\nvars: {host: a.test, port: 1143}\n"
		"accounts:\n  in: {address: a@acme.test, username: from-a, password: {env: A}}\n"
		"steps:\n- imap_login: {account: nobody}\n- imap_login: {account: nobody}\n");
	write_file("parts/_b.yaml",
		"extends: _c.yaml\nvars: {host: b.test}\naccounts:\n  in: {username: from-b}\n");
	write_file("parts/_c.yaml", "timeout: 20s\nevery: 1h\n");
	scenario = load("merge.yaml",
		"extends: [parts/_a.yaml, parts/_b.yaml]\nscenario: merge\n"
		"accounts:\n  in: {imap: \"imaps://${host}:${port}\", ip: \"${ip:-4}\"}\n"
		"steps:\n- imap_login: {account: in, id: \"x-${n:-1.10}-y\"}\n",
		0);
	in = journey_account(&scenario->journey, "in");
	is_string(in->username, "from-b", "the later file wins");
	is_string(in->address, "a@acme.test", "maps are merged");
	is_string(in->imap.host, "b.test", "so are vars");
	is_integer(in->imap.port, 1143, "a number within a text");
	is_integer(in->ip, IP_4, "a fallback alone is read as YAML reads it");
	is_string(scenario->journey.steps[0].id, "x-1.10-y", "within a text it stays as written");
	is_integer((long long)scenario->journey.step_count, 1, "lists replace");
	is_integer(scenario->journey.timeout_ns / NS_PER_SECOND, 20,
		"what a later file extends wins over an earlier file");
	is_integer(scenario->journey.every_ns / NS_PER_SECOND, 3600, "extends is followed on");
	scenario_free(&scenario);
}

static void test_values(void)
{
	struct scenario *scenario = load("values.json",
		"{\"customer\": \"acme\", \"scenario\": \"values\",\n"
		"\"vars\": {\"private\": true, \"dollar\": \"x\"},\n"
		"\"accounts\": {\"in\": {\"address\": \"a@acme.test\", \"imap\": \"imaps://h.test\",\n"
		" \"username\": \"$${dollar}$5${dollar}\", \"allow_private\": \"${private}\",\n"
		" \"password\": {\"command\": [\"show\", \"${dollar}\"]}}},\n"
		"\"steps\": [{\"imap_login\": {\"account\": \"in\", \"id\": \"\\u0069n\"}}]}",
		0);
	const struct account *in = journey_account(&scenario->journey, "in");

	ok(in->allow_private, "a variable alone keeps its type");
	is_string(in->username, "${dollar}$5x", "$${ is a plain ${");
	is_string(json_string_value(json_array_get(json_object_get(in->password, "command"), 1)),
		"x", "variables within lists");
	is_string(scenario->journey.steps[0].id, "in", "escapes of JSON");
	scenario_free(&scenario);
}

/* --- bounds ---------------------------------------------------------------------------- */

/* True if the file is refused with that code. */
static bool is_refused(const char *file, const char *code)
{
	struct complaints complaints = {.items = NULL};
	struct scenario *scenario = scenario_load(file, &complaints);
	bool refused = scenario == NULL && complaints.count > 0 &&
		       strcmp(complaints.items[0].code, code) == 0;

	for (size_t i = 0; !refused && i < complaints.count && i < 3; i++)
		diag("%s: %s", complaints.items[i].code, complaints.items[i].message);
	scenario_free(&scenario);
	complaints_free(&complaints);
	return refused;
}

static void write_many(const char *name, const char *head, const char *item, size_t times)
{
	FILE *file = fopen(name, "w");

	if (file == NULL)
		exit(1);
	fputs(head, file);
	for (size_t i = 0; i < times; i++)
		fputs(item, file);
	fclose(file);
}

static void test_bounds(void)
{
	int64_t began = clock_now();

	write_many("large.yaml", "#", "0123456789abcdef", 70000);
	ok(is_refused("large.yaml", "file"), "a file over 1 MB");
	write_many("values.yaml", "x-a: [", "1,", 100000);
	ok(is_refused("values.yaml", "too-large"), "a file with 100,000 values");
	write_many("deep.json", "", "[", 100000);
	ok(is_refused("deep.json", "too-deep"), "100,000 brackets in JSON");
	write_many("deep.yaml", "", "- ", 100000);
	ok(is_refused("deep.yaml", "too-deep"), "100,000 lists in YAML");
	write_many("keys.yaml", "customer: acme\n", "wrong: 1\n", 9000);
	ok(is_refused("keys.yaml", "duplicate-key"), "9,000 keys that are the same");
	write_many("wide.json", "{\"customer\": \"acme\"", ", \"k\": 1", 15000);
	ok(is_refused("wide.json", "duplicate-key"), "15,000 keys in one line that does not end");
	write_file("_a.yaml", "vars: {a: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}\n");
	write_many("vars.yaml", "extends: _a.yaml\nx-a: ", "${a}", 10000);
	ok(is_refused("vars.yaml", "missing-key"), "a string that would grow without end");
	mkfifo("pipe.yaml", 0600);
	ok(is_refused("pipe.yaml", "file"), "a pipe that nobody writes to");
	ok(is_refused(".", "file"), "a folder");
	ok(clock_now() - began < 20 * NS_PER_SECOND, "all that in less than 20 s");
}

/* --- lists of files -------------------------------------------------------------------- */

static void test_files(void)
{
	char *const paths[] = {(char[]){"tree/"}, (char[]){"tree/b/x.yaml"}};
	struct complaints complaints = {.items = NULL};
	json_t *files;
	char *listed;

	mkdir("tree", 0700);
	mkdir("tree/b", 0700);
	mkdir("tree/_shared", 0700);
	mkdir("tree/.git", 0700);
	write_file("tree/z.json", "{}");
	write_file("tree/b/x.yaml", "");
	write_file("tree/b/y.yml", "");
	write_file("tree/b/readme.md", "");
	write_file("tree/schema.json", "{}");
	write_file("tree/_part.yaml", "");
	write_file("tree/_shared/s.yaml", "");
	write_file("tree/.git/g.yaml", "");
	files = scenario_files(paths, 2, &complaints);
	listed = json_dumps(files, JSON_COMPACT);
	is_string(listed, "[\"tree/b/x.yaml\",\"tree/b/y.yml\",\"tree/z.json\"]",
		"sorted, each once, without parts");
	is_integer((long long)complaints.count, 0, "nothing to complain about");
	free(listed);
	json_decref(files);
	complaints_free(&complaints);
}

static void test_no_files(void)
{
	char *const paths[] = {(char[]){"tree/_shared"}, (char[]){"no/such"}};
	struct complaints complaints = {.items = NULL};
	json_t *files = scenario_files(paths + 1, 1, &complaints);

	is_integer((long long)complaints.errors, 1, "what is not there is an error");
	json_decref(files);
	complaints_free(&complaints);
	mkdir("empty", 0700);
	files = scenario_files((char *const[]){(char[]){"empty"}}, 1, &complaints);
	is_integer((long long)complaints.errors, 1, "so is nothing found");
	is_string(complaints.items[0].code, "no-scenario", "its code");
	json_decref(files);
	complaints_free(&complaints);
}

static void test_twins(void)
{
	static const char text[] = "customer: acme\nscenario: twin\naccounts: {in: " ACCOUNT "}\n"
				   "steps:\n- imap_login: {account: in}\n";
	char *const paths[] = {(char[]){"twin-a.yaml"}, (char[]){"twin-b.yaml"}};
	struct complaints complaints = {.items = NULL};
	struct scenario_set set;

	write_file("twin-a.yaml", text);
	write_file("twin-b.yaml", text);
	set = scenario_set_load(paths, 2, &complaints);
	is_integer((long long)set.count, 2, "both load");
	ok(complaints.errors == 1 && strcmp(complaints.items[0].code, "same-scenario") == 0,
		"but are one scenario");
	scenario_set_free(&set);
	complaints_free(&complaints);
}

/* --- metrics --------------------------------------------------------------------------- */

static void test_metrics(void)
{
	const struct step steps[] = {
		{step_type_find("smtp_send"), "out", NULL},
		{step_type_find("imap_await"), "seen", NULL},
		{NULL, "unknown", NULL},
	};
	json_t *components = json_pack("{s:s, s:[s]}", "mx", "mx*", "spam-filter", "filter*");
	json_t *metrics = metric_names(steps, 3, components);
	static const char *const there[] = {"failed", "failure_rate", "duration_seconds",
		"out.duration_seconds", "out.delivery_seconds", "out.phases.accept",
		"out.hops.mx", "out.hops.spam-filter",
		"seen.phases.wait", "seen.duration_seconds", NULL};

	for (size_t i = 0; there[i] != NULL; i++)
		ok(json_object_get(metrics, there[i]) != NULL, "metric %s", there[i]);
	ok(json_object_get(metrics, "seen.phases.accept") == NULL, "a phase of another type");
	ok(json_object_get(metrics, "seen.delivery_seconds") == NULL,
		"delivery is named after the send");
	ok(json_object_get(metrics, "seen.hops.mx") == NULL, "so are its hops");
	json_decref(metrics);
	json_decref(components);
}

static void test_components(void)
{
	static const struct {
		const char *host, *want;
	} samples[] = {
		{"mx.acme.test", "mx"},
		{"MX12.acme.test", "mx"},
		{"filter-a.acme.test", "spam-filter"},
		{"filter-ab.acme.test", "store"},
		{"imap", "store"},
		{"amx.acme.test", NULL},
		{"mx.acme.test.evil", NULL},
		{"", NULL},
	};
	json_t *components = json_pack("{s:s, s:[s, s], s:[s, s]}", "mx", "mx*.acme.test",
		"spam-filter", "nothing", "filter-?.acme.test", "store", "i*p", "filter-*");
	const struct journey journey = {.components = components};
	static char long_host[200];

	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
		is_string(journey_component(&journey, samples[i].host), samples[i].want,
			samples[i].host[0] != '\0' ? samples[i].host : "no host");
	json_decref(components);
	components = json_pack("{s:s}", "x", "*a*a*a*a*a*a*a*a*a*a*a*a*b");
	memset(long_host, 'a', sizeof(long_host) - 1);
	ok(journey_component(&(struct journey){.components = components}, long_host) == NULL,
		"a pattern of many stars takes no time");
	json_decref(components);
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *at)
{
	(void)status;
	(void)type;
	(void)at;
	return remove(path);
}

static void remove_folder(void)
{
	nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

int main(void)
{
	if (mkdtemp(folder) == NULL || chdir(folder) != 0)
		return 1;
	atexit(remove_folder);
	test_least();
	test_settings();
	test_limits();
	test_default_limits();
	test_merge();
	test_values();
	test_bounds();
	test_files();
	test_no_files();
	test_twins();
	test_metrics();
	test_components();
	return done_testing();
}
