#include "courier.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "dns.h"
#include "frame.h"
#include "http.h"
#include "jail.h"
#include "redact.h"
#include "secret.h"
#include "trust.h"
#include "url.h"

#include "ban.h"

#define ADDRESS_SPACE ((size_t)512 << 20)
#define DATA ((size_t)200 << 20)
#define DESCRIPTORS 64
#define PATH_SIZE 8192

/* What it needs of files is in here before the walls are up. */
struct courier {
	const struct courier_job *job;
	struct dns *dns;
	struct trust *trust;
	struct tls_settings tls;
	char ca_file[PATH_SIZE];
	struct sink_secret secrets[SINK_SECRETS_MAX + 1];
	struct transcript transcript;
	struct http *http;
	int local; /* what the sink reached before the walls were up */
};

void courier_preload(void)
{
	const struct tls_settings common = {.min_version = TLS1_2_VERSION};

	http_preload();
	trust_preload(&common);
}

/* --- reporting ------------------------------------------------------------------------- */

static void write_out(const struct text *frame)
{
	size_t done = 0;

	while (done < frame->length) {
		ssize_t written = write(JAIL_FD, frame->bytes + done, frame->length - done);

		if (written <= 0)
			_exit(1);
		done += (size_t)written;
	}
}

static void report(const json_t *row, const struct sink_answer *answer)
{
	static const char *const verdicts[] = {
		[SINK_TAKEN] = "taken", [SINK_LATER] = "later", [SINK_REFUSED] = "refused"};
	char *sentence = redact_string(answer->sentence);
	struct failure why = {0};
	struct text frame;
	json_t *body = json_pack("{s:O, s:s, s:s, s:I}", "row", json_object_get(row, "row"),
		"verdict", verdicts[answer->verdict], "sentence",
		sentence != NULL && sentence[0] != '\0' ? sentence : "it failed",
		"retry_after_seconds",
		(json_int_t)((answer->retry_after_ns + NS_PER_SECOND - 1) / NS_PER_SECOND));

	text_init(&frame, FRAME_MAX);
	if (body == NULL || frame_write(&frame, FRAME_SENT, body, &why) == -1)
		_exit(1);
	write_out(&frame);
	json_decref(body);
	text_free(&frame);
	free(sentence);
}

__attribute__((noreturn)) static void give_up(
	const struct courier *courier, const struct failure *why)
{
	struct sink_answer answer = {.verdict = SINK_LATER};

	sink_failed(&answer, why);
	report(json_array_get(courier->job->rows, 0), &answer);
	_exit(0);
}

/* --- getting ready --------------------------------------------------------------------- */

/* A file that the sink names; NULL if it names none. */
static const char *find_file(
	const struct courier_job *job, const char *setting, char path[static PATH_SIZE])
{
	const char *file = sink_string(job->sink, setting);

	if (file == NULL)
		return NULL;
	snprintf(path, PATH_SIZE, "%s%s%s", file[0] != '/' ? job->journey->base_dir : "",
		file[0] != '/' ? "/" : "", file);
	return path;
}

/* Sinks are none of the platform: they have its certificates and resolvers only where they say
 * so themselves. */
static void set_tls(struct courier *courier)
{
	courier->tls = (struct tls_settings){.min_version = TLS1_2_VERSION};
	courier->tls.ca_file = find_file(courier->job, "ca_file", courier->ca_file);
}

/* The context is this process's own: nobody else shows this certificate. */
static int show_certificate(struct courier *courier, struct failure *why)
{
	SSL_CTX *context = trust_context(courier->trust, &courier->tls);
	char path[PATH_SIZE];
	const char *file = find_file(courier->job, SINK_CLIENT_CERTIFICATE, path);
	const struct sink_event event = {.secrets = courier->secrets};
	const char *pem = sink_secret(&event, SINK_CLIENT_KEY);
	BIO *bio = pem != NULL ? BIO_new_mem_buf(pem, -1) : NULL;
	EVP_PKEY *key = bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;
	bool shown = file == NULL ||
		(key != NULL && SSL_CTX_use_certificate_chain_file(context, file) == 1 &&
			SSL_CTX_use_PrivateKey(context, key) == 1);

	EVP_PKEY_free(key);
	BIO_free(bio);
	if (shown)
		return 0;
	return failure_set(why, ERROR_CONFIG_FILE,
		"the certificate %.200s cannot be shown: it, or its key, cannot be read, or they do "
		"not belong together",
		file);
}

static int read_one(const struct courier_job *job, const struct field *field, const json_t *source,
	char **value_r, struct failure *why)
{
	const char *base_dir = job->journey->base_dir;

	return strcmp(field->name, SINK_CLIENT_KEY) == 0
		? secret_read_key(source, base_dir, value_r, why)
		: secret_read(source, base_dir, value_r, why);
}

static int read_secrets(struct courier *courier, struct failure *why)
{
	const struct courier_job *job = courier->job;
	struct sink_secret *next = courier->secrets;

	for (const struct field *field = job->sink->type->fields; field->name != NULL; field++) {
		const json_t *source = json_object_get(job->sink->config, field->name);

		if (field->kind != &field_secret || source == NULL)
			continue;
		if (next == courier->secrets + SINK_SECRETS_MAX)
			abort();
		next->name = field->name;
		if (read_one(job, field, source, &next->value, why) == -1)
			return -1;
		next++;
	}
	return 0;
}

static int get_ready(struct courier *courier, struct failure *why)
{
	set_tls(courier);
	if (read_secrets(courier, why) == -1)
		return -1;
	courier->trust = trust_create();
	if (trust_prepare(courier->trust, &courier->tls, why) == -1 ||
		show_certificate(courier, why) == -1)
		return -1;
	if (courier->job->sink->type->reach != NULL) {
		courier->local = courier->job->sink->type->reach(courier->job->sink, why);
		if (why->type != ERROR_NONE)
			return -1;
	}
	courier->dns = dns_create(NULL, why);
	return courier->dns != NULL ? 0 : -1;
}

static int confine(const struct courier_job *job, struct failure *why)
{
	struct jail_limits limits = {.address_space = ADDRESS_SPACE,
		.data = DATA,
		.descriptors = DESCRIPTORS,
		.cpu_seconds = (size_t)(deadline_left(job->deadline) / NS_PER_SECOND) + 2};
	struct jail_report missing;

	jail_enter(&limits, &missing);
	if (job->require_sandbox && missing.count > 0)
		return failure_set(why, ERROR_SANDBOX_REQUIRED,
			"this kernel gives no full sandbox to send from");
	return 0;
}

static int open_http(struct courier *courier, struct failure *why)
{
	const struct http_settings settings = {
		.dns = courier->dns,
		.tls = &courier->tls,
		.trust = courier->trust,
		.transcript = &courier->transcript,
		/* Redirects are not followed: the scenario itself names each address that is asked. */
		.allow_private = true,
	};

	courier->http = http_open(&settings, why);
	return courier->http != NULL ? 0 : -1;
}

static int open_session(struct courier *courier, struct failure *why)
{
	if (courier->job->sink->type->compose == NULL)
		return 0;
	return open_http(courier, why);
}

/* --- sending --------------------------------------------------------------------------- */

static void send_one(struct courier *courier, const json_t *row, struct sink_answer *answer)
{
	const struct courier_job *job = courier->job;
	const json_t *event = json_object_get(row, "event");
	struct deadline deadline =
		deadline_earlier(job->deadline, deadline_in(sink_duration(job->sink, "timeout")));
	char id[128];
	const struct sink_event sent = {.event = event,
		.id = id,
		.secrets = courier->secrets,
		.wall_ns = clock_wall(),
		.every_ns = job->journey->every_ns};
	const struct sink_way way = {.dns = courier->dns,
		.trust = courier->trust,
		.tls = &courier->tls,
		.transcript = &courier->transcript,
		.local = courier->local};

	snprintf(id, sizeof(id), "%s.%lld", event_string(event, "event_id"),
		(long long)json_integer_value(json_object_get(event, "revision")));
	if (job->sink->type->bring != NULL)
		job->sink->type->bring(job->sink, &sent, &way, deadline, answer);
	else
		sink_post(courier->http, job->sink, &sent, deadline, answer);
}

void courier_run(const struct courier_job *job, int fd, pid_t parent)
{
	struct courier courier = {.job = job, .local = -1};
	struct failure why = {0};
	json_t *row;
	size_t index;

	jail_prepare(fd, parent);
	if (get_ready(&courier, &why) == -1 || confine(job, &why) == -1 ||
		open_session(&courier, &why) == -1)
		give_up(&courier, &why);
	json_array_foreach((json_t *)(uintptr_t)job->rows, index, row)
	{
		struct sink_answer answer;

		if (deadline_passed(job->deadline))
			break;
		send_one(&courier, row, &answer);
		report(row, &answer);
		if (answer.verdict == SINK_LATER)
			break;
	}
	_exit(0);
}
