/* The tables' walker and the kinds of values. */
#include "field.h"

#include <string.h>

#include "clock.h"
#include "text.h"
#include "url.h"

#include "tap.h"

static const char *const colours[] = {"red", "green", NULL};

static const struct field inner_fields[] = {
	{"depth", &field_integer, FIELD_REQUIRED, "how deep"},
	{"colour", &field_choice, 0, "which colour", "\"red\"", .choices = colours},
	{0},
};

static const struct field table[] = {
	{"name", &field_name, FIELD_REQUIRED, "what it is called"},
	{"timeout", &field_duration, 0, "how long", "\"3m\""},
	{"inner", &field_object, 0, "more", .fields = inner_fields},
	{"list", &field_list, 0, "several", .item = &field_object, .fields = inner_fields},
	{"map", &field_map, 0, "by name", .item = &field_integer},
	{0},
};

static const struct field *const tables[] = {table, NULL};

struct heard {
	struct text said;
	size_t visits;
};

static void on_complaint(void *context, const struct field_complaint *complaint)
{
	struct heard *heard = context;

	text_printf(&heard->said, "%s %s; ", complaint->code, complaint->pointer);
}

static void on_value(
	void *context, const struct field *field, const json_t *value, const char *pointer)
{
	struct heard *heard = context;

	(void)field;
	(void)value;
	(void)pointer;
	heard->visits++;
}

static void test_walk(const char *json, const char *want, const char *name)
{
	struct heard heard = {.visits = 0};
	const struct field_check check = {on_complaint, on_value, &heard};
	json_t *object = json_loads(json, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);

	text_init(&heard.said, 4096);
	text_puts(&heard.said, "");
	fields_check(tables, object, "", &check);
	is_string(heard.said.bytes, want, name);
	text_free(&heard.said);
	json_decref(object);
}

static void test_walks(void)
{
	test_walk("{\"name\": \"a\"}", "", "the least");
	test_walk("{\"name\": \"a\", \"x-b\": 1, \"$comment\": 2}", "", "free keys");
	test_walk("{}", "missing-key ; ", "a missing key");
	test_walk("{\"nam\": \"a\"}", "unknown-key /nam; ", "a misspelt key is not missing, too");
	test_walk("{\"name\": \"a\", \"colour\": 1}", "unknown-key /colour; ", "an unknown key");
	test_walk("{\"name\": 1}", "wrong-type /name; ", "a wrong type");
	test_walk("{\"name\": \"a b\"}", "bad-value /name; ", "a bad value");
	test_walk("{\"name\": \"a\\u0000b\"}", "bad-value /name; ", "a NUL within");
	test_walk("{\"name\": \"a\", \"inner\": {\"depth\": -1}}", "bad-value /inner/depth; ",
		"within an object");
	test_walk("{\"name\": \"a\", \"list\": [{\"depth\": 1}, {}, 3]}",
		"missing-key /list/1; wrong-type /list/2; ", "within a list");
	test_walk("{\"name\": \"a\", \"map\": {\"b/~c\": 1, \"d\": true}}",
		"bad-value /map/b~1~0c; wrong-type /map/d; ", "within a map, keys escaped");
	test_walk("[]", "wrong-type ; ", "no object at all");
}

static void test_defaults(void)
{
	json_t *object = json_loads("{\"list\": [{\"depth\": 1}], \"inner\": {}}", 0, NULL);
	json_t *item;

	fields_default(tables, object);
	item = json_array_get(json_object_get(object, "list"), 0);
	is_string(json_string_value(json_object_get(object, "timeout")), "3m", "a default");
	is_string(json_string_value(json_object_get(item, "colour")), "red",
		"a default within a list");
	ok(json_object_get(object, "map") == NULL, "no default, no value");
	json_decref(object);
}

static void test_schema(void)
{
	json_t *schema = fields_schema(tables);
	json_t *properties = json_object_get(schema, "properties");
	json_t *timeout = json_object_get(properties, "timeout");

	is_integer((long long)json_array_size(json_object_get(schema, "required")), 1,
		"required keys");
	ok(json_is_false(json_object_get(schema, "additionalProperties")), "no other keys");
	is_string(json_string_value(json_object_get(timeout, "default")), "3m", "its default");
	is_string(json_string_value(json_object_get(timeout, "description")), "how long",
		"its help");
	json_decref(schema);
}

static void test_durations(void)
{
	static const struct {
		const char *text;
		int64_t ns; /* -1: none */
	} cases[] = {
		{"250ms", 250 * NS_PER_MS},
		{"90s", 90 * NS_PER_SECOND},
		{"1.5m", 90 * NS_PER_SECOND},
		{"2h", 7200 * NS_PER_SECOND},
		{"400d", INT64_C(400) * 86400 * NS_PER_SECOND},
		{"401d", -1},
		{"0s", 0},
		{"", -1},
		{"s", -1},
		{"90", -1},
		{"90 s", -1},
		{"-1s", -1},
		{"1e3s", -1},
		{"0x10s", -1},
		{"1.s", -1},
		{"infs", -1},
		{"99999999999999999999999s", -1},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t ns = -1;
		bool fits = duration_parse(cases[i].text, &ns);

		ok(fits == (cases[i].ns >= 0) && ns == cases[i].ns, "duration \"%s\"",
			cases[i].text);
	}
}

static void test_urls(void)
{
	static const struct {
		const char *text, *host; /* NULL: refused */
		int port;
		bool implicit_tls, has_path;
	} cases[] = {
		{"smtp://mail.acme.test", "mail.acme.test", 587, false, false},
		{"smtps://mail.acme.test/", "mail.acme.test", 465, true, false},
		{"imap://mail.acme.test:10143", "mail.acme.test", 10143, false, false},
		{"imaps://[2001:db8::1]:993", "2001:db8::1", 993, true, false},
		{"imaps://[::1]", "::1", 993, true, false},
		{"imaps://192.0.2.1", "192.0.2.1", 993, true, false},
		{"https://acme.test/mail?x=1", "acme.test", 443, true, true},
		{"imaps://under_score.acme.test.", "under_score.acme.test.", 993, true, false},
		{"imaps://", NULL, 0, false, false},
		{"imaps://:993", NULL, 0, false, false},
		{"imaps://h:0", NULL, 0, false, false},
		{"imaps://h:65536", NULL, 0, false, false},
		{"imaps://h:99999999999999999999", NULL, 0, false, false},
		{"imaps://h:", NULL, 0, false, false},
		{"imaps://h: 993", NULL, 0, false, false},
		{"imaps://::1", NULL, 0, false, false},
		{"imaps://[::1", NULL, 0, false, false},
		{"imaps://[::1]x", NULL, 0, false, false},
		{"imaps://[nonsense]", NULL, 0, false, false},
		{"imaps://1.2.3", NULL, 0, false, false},
		{"imaps://-h", NULL, 0, false, false},
		{"imaps://a..b", NULL, 0, false, false},
		{"imaps://a b", NULL, 0, false, false},
		{"imaps://user@h", NULL, 0, false, false},
		{"imaps://b\xc3\xbc" "cher.test", NULL, 0, false, false},
		{"gopher://h", NULL, 0, false, false},
		{"mail.acme.test", NULL, 0, false, false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct url url = {.port = 0};
		char message[URL_MESSAGE_SIZE] = "";
		int result = url_parse(cases[i].text, &url, message);

		if (cases[i].host == NULL) {
			ok(result == -1 && message[0] != '\0', "refused: %s (%s)", cases[i].text,
				message);
			continue;
		}
		ok(result == 0 && strcmp(url.host, cases[i].host) == 0 &&
				url.port == cases[i].port &&
				url.implicit_tls == cases[i].implicit_tls &&
				url.has_path == cases[i].has_path,
			"taken apart: %s", cases[i].text);
	}
}

/* One value of one kind. */
static void test_kind(
	const struct field_kind *kind, const char *json, bool fits, const char *name)
{
	const struct field row[] = {{"value", kind, 0, "a value"}, {0}};
	const struct field *const rows[] = {row, NULL};
	struct heard heard = {.visits = 0};
	const struct field_check check = {on_complaint, NULL, &heard};
	json_t *object = json_pack("{s:o}", "value", json_loads(json, JSON_DECODE_ANY, NULL));

	text_init(&heard.said, 4096);
	ok((fields_check(rows, object, "", &check) == 0) == fits, "%s: %s", name, json);
	text_free(&heard.said);
	json_decref(object);
}

static void test_kinds(void)
{
	test_kind(&field_address, "\"probe@acme.test\"", true, "address");
	test_kind(&field_address, "\"a+b.c@x\"", true, "address");
	test_kind(&field_address, "\"@acme.test\"", false, "address");
	test_kind(&field_address, "\"probe@\"", false, "address");
	test_kind(&field_address, "\"a b@acme.test\"", false, "address");
	test_kind(&field_address, "\"a@acme.test>\"", false, "address");
	test_kind(&field_address, "\"a@acme.test\\r\\nRCPT TO:<b@c>\"", false, "address");
	test_kind(&field_party, "\"inside\"", true, "party");
	test_kind(&field_party, "\"a@acme.test\"", true, "party");
	test_kind(&field_party, "\"in side\"", false, "party");
	test_kind(&field_port, "65535", true, "port");
	test_kind(&field_port, "0", false, "port");
	test_kind(&field_duration, "\"0ms\"", false, "duration");
	test_kind(&field_secret, "{\"file\": \"a\"}", true, "secret");
	test_kind(&field_secret, "{\"command\": [\"a\", \"b\"]}", true, "secret");
	test_kind(&field_secret, "{\"command\": \"a b\"}", false, "secret");
	test_kind(&field_secret, "{\"command\": []}", false, "secret");
	test_kind(&field_secret, "{\"file\": \"a\", \"env\": \"B\"}", false, "secret");
	test_kind(&field_secret, "{}", false, "secret");
	test_kind(&field_resolver, "\"127.0.0.1\"", true, "resolver");
	test_kind(&field_resolver, "\"[::1]:53\"", true, "resolver");
	test_kind(&field_resolver, "\"::1\"", true, "resolver");
	test_kind(&field_resolver, "\"dns.acme.test\"", false, "resolver");
	test_kind(&field_resolver, "\"127.0.0.1:66666\"", false, "resolver");
	test_kind(&field_timestamp, "\"2026-01-01T00:00:15.000000Z\"", true, "timestamp");
	test_kind(&field_timestamp, "\"yesterday\"", false, "timestamp");
}

int main(void)
{
	test_walks();
	test_defaults();
	test_schema();
	test_durations();
	test_urls();
	test_kinds();
	return done_testing();
}
