/* field - tables that describe the keys of an object, once for all uses.
 *
 * The same table checks a scenario and says what is wrong with it, fills in what was left out,
 * checks what a worker hands to the supervisor, and prints the JSON Schema and the reference.
 */
#ifndef MAILPROBE_FIELD_H
#define MAILPROBE_FIELD_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

struct field;

#define FIELD_MESSAGE_SIZE 256
#define FIELD_NAME_PATTERN "^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$"

/* The JSON types that a value of a kind may have. */
enum field_type {
	FIELD_STRING = 1 << JSON_STRING,
	FIELD_INTEGER = 1 << JSON_INTEGER,
	FIELD_REAL = 1 << JSON_REAL,
	FIELD_TRUTH = 1 << JSON_TRUE | 1 << JSON_FALSE,
	FIELD_OBJECT = 1 << JSON_OBJECT,
	FIELD_ARRAY = 1 << JSON_ARRAY,
};

/* What a value may be. One const descriptor each. */
struct field_kind {
	const char *name;   /* "a duration such as 90s": completes "must be ..." */
	unsigned int types; /* JSON types it may have; `check` sees only those */
	/* Sets what to say instead of `name`, where that depends on the field. May be NULL. */
	void (*describe)(const struct field *field, char must_be[static FIELD_MESSAGE_SIZE]);
	/* False if the value cannot be of this kind; must_be may then be set to say why. May be
	 * NULL. */
	bool (*check)(const struct field *field, const json_t *value,
		char must_be[static FIELD_MESSAGE_SIZE]);
	/* How to put right a value that was refused, of any type; or nothing. May be NULL. */
	void (*hint)(const struct field *field, const json_t *value,
		char hint[static FIELD_MESSAGE_SIZE]);
	/* JSON Schema (draft-07) of such a value; a new reference. */
	json_t *(*schema)(const struct field *field);
};

enum field_flag {
	FIELD_REQUIRED = 1,
	FIELD_METRIC = 2, /* a limit may name it and trends keep it */
	FIELD_COUNT = 4,  /* ... of a step that failed, too: it counts what did not work */
};

struct field {
	const char *name;
	const struct field_kind *kind;
	unsigned int flags;
	const char *help;             /* one sentence; units included */
	const char *fallback;         /* JSON text of the value if left out; NULL: none */
	const char *const *choices;   /* of field_choice, NULL at the end */
	const struct field *fields;   /* of field_object, and of the items of a list or map */
	const struct field_kind *item; /* of field_list and field_map: what each item is */
};

/* Kinds for both scenarios and records. */
extern const struct field_kind field_text; /* non-empty string without control characters */
extern const struct field_kind field_bool;
extern const struct field_kind field_integer; /* >= 0 */
extern const struct field_kind field_number;
extern const struct field_kind field_choice;
extern const struct field_kind field_object;
extern const struct field_kind field_list;
extern const struct field_kind field_map;     /* free keys: [A-Za-z0-9_.-]+ */
/* Kinds for scenarios. */
extern const struct field_kind field_name;     /* [A-Za-z0-9][A-Za-z0-9_.-]*, at most 64 */
extern const struct field_kind field_duration; /* "250ms" "90s" "5m" "2h" "30d" */
extern const struct field_kind field_size; /* "1kB" "100kB" "5MB", at most 10MB */
extern const struct field_kind field_port;
extern const struct field_kind field_address;  /* local@domain */
extern const struct field_kind field_account;  /* name of an account of the scenario */
extern const struct field_kind field_party;    /* name of an account, or an address */
extern const struct field_kind field_mail;     /* id of the step that sends a mail */
extern const struct field_kind field_secret;   /* see secret.h */
extern const struct field_kind field_smtp_url; /* smtp:// or smtps:// */
extern const struct field_kind field_imap_url; /* imap:// or imaps:// */
extern const struct field_kind field_pop3_url; /* pop3:// or pop3s:// */
extern const struct field_kind field_http_url; /* https:// or http:// */
extern const struct field_kind field_syslog_url; /* tls:// or tcp:// */
extern const struct field_kind field_resolver; /* "127.0.0.1:53" "[::1]:53" */
/* Kinds for records. */
extern const struct field_kind field_seconds;   /* decimal seconds, any sign */
extern const struct field_kind field_timestamp; /* RFC 3339 UTC, microseconds */

/* One complaint about a value. `pointer` is an RFC 6901 JSON Pointer. */
enum field_spot { FIELD_AT_KEY, FIELD_AT_VALUE };

struct field_complaint {
	const char *code; /* stable: "unknown-key" "missing-key" "wrong-type" "bad-value" */
	const char *pointer;
	enum field_spot spot;
	const char *message;
	const char *hint; /* or NULL */
};

typedef void field_complain(void *context, const struct field_complaint *complaint);
/* Called for each value that is of its kind, for what a table cannot know (references). */
typedef void field_visit(
	void *context, const struct field *field, const json_t *value, const char *pointer);

struct field_check {
	field_complain *complain;
	field_visit *visit; /* may be NULL */
	void *context;
};

/* Checks one object against several tables at once (each ended by a row without a name, the
 * list by NULL), reporting every complaint. Keys that begin with "x-" and "$comment" are free.
 * Returns the number of complaints. */
size_t fields_check(const struct field *const tables[], const json_t *object,
	const char *pointer, const struct field_check *check);

/* Puts the fallbacks in where keys are missing, also in nested objects. */
void fields_default(const struct field *const tables[], json_t *object);

/* Draft-07 schema of the object; a new reference. */
json_t *fields_schema(const struct field *const tables[]);

/* The row of that name in any of the tables, or NULL. */
const struct field *fields_find(const struct field *const tables[], const char *name);

/* A row that stands for one item of the list or map that `field` describes. */
struct field field_item(const struct field *field);

struct text;
/* Appends "/key" to a JSON Pointer, escaped by RFC 6901. */
void field_pointer_push(struct text *pointer, const char *key);

/* "100kB" to bytes (powers of 1000); false if it is no size, none, or over 10 MB. */
bool size_parse(const char *text, size_t *bytes_r);

/* Letters, digits, ".", "_" and "-", beginning with a letter or digit, at most 64: fit for a
 * key, a file name, a metric. */
bool field_is_name(const char *text);

/* "90s" to nanoseconds; false if it is no duration, or over 400 days. */
bool duration_parse(const char *text, int64_t *ns_r);

#endif
