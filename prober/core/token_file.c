#include "token_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>
#include <openssl/evp.h>

#include "secret.h"
#include "text.h"

#include "ban.h"

#define FORMAT "mailprobe.token/1"
#define FOLDER_FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
#define LOCK_PAUSE (20 * NS_PER_MS)
#define FILE_MAX ((size_t)64 * 1024)

void token_state_free(struct token_state *state)
{
	secret_free(&state->access_token);
	secret_free(&state->refresh_token);
	*state = (struct token_state){0};
}

/* --- names ----------------------------------------------------------------------------- */

void token_digest(const char *text, char digest[static TOKEN_DIGEST_SIZE])
{
	unsigned char bytes[EVP_MAX_MD_SIZE];

	if (EVP_Digest(text, strlen(text), bytes, NULL, EVP_sha256(), NULL) != 1)
		abort();
	for (size_t i = 0; i < 32; i++)
		snprintf(digest + 2 * i, 3, "%02x", bytes[i]);
}

void token_file_name(const char *token_url, const char *client_id, const char *username,
	char name[static TOKEN_DIGEST_SIZE])
{
	struct text text;

	text_init(&text, 16384);
	text_printf(&text, "%s\n%s\n%s", token_url, client_id, username);
	token_digest(text.bytes, name);
	text_free(&text);
}

static int storage_trouble(
	const char *verb, const char *folder, const char *name, struct failure *why)
{
	return failure_set(why, ERROR_LOCAL_STORAGE, "cannot %s the token file %s/%s: %s", verb,
		folder, name, strerror(errno));
}

/* --- the lock -------------------------------------------------------------------------- */

static int open_folder(const char *folder, struct failure *why)
{
	int fd;

	if (mkdir(folder, 0700) == -1 && errno != EEXIST)
		return storage_trouble("make a folder for", folder, "", why);
	fd = open(folder, FOLDER_FLAGS);
	return fd != -1 ? fd : storage_trouble("open the folder of", folder, "", why);
}

int token_file_lock(
	const char *folder, const char *name, struct deadline deadline, struct failure *why)
{
	char file[TOKEN_DIGEST_SIZE + 8];
	int dir = open_folder(folder, why), fd;

	if (dir == -1)
		return -1;
	snprintf(file, sizeof(file), "%s.lock", name);
	fd = openat(dir, file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	close(dir);
	if (fd == -1)
		return storage_trouble("lock", folder, file, why);
	while (flock(fd, LOCK_EX | LOCK_NB) == -1) {
		if ((errno == EWOULDBLOCK || errno == EINTR) && !deadline_passed(deadline)) {
			clock_sleep_until(deadline_in(LOCK_PAUSE));
			continue;
		}
		storage_trouble("lock", folder, file, why);
		close(fd);
		return -1;
	}
	return fd;
}

/* --- reading --------------------------------------------------------------------------- */

static int senseless(const char *folder, const char *file, const char *what, struct failure *why)
{
	return failure_set(why, ERROR_CONFIG_SECRET, "the token file %s/%s %s", folder, file, what);
}

static int check_file(int fd, const char *folder, const char *file, struct failure *why)
{
	struct stat stat;

	if (fstat(fd, &stat) == -1)
		return storage_trouble("look at", folder, file, why);
	if (!S_ISREG(stat.st_mode) || stat.st_uid != geteuid() || (stat.st_mode & 077) != 0)
		return senseless(folder, file, "is not ours alone: chmod 600, or remove it", why);
	return 0;
}

static char *keep_string(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text != NULL ? secret_keep(text) : NULL;
}

static int take_state(const json_t *object, struct token_state *state_r)
{
	const char *format = json_string_value(json_object_get(object, "schema"));
	const char *expires = json_string_value(json_object_get(object, "expires_at"));
	const char *seed = json_string_value(json_object_get(object, "seed"));

	if (format == NULL || strcmp(format, FORMAT) != 0)
		return -1;
	if (expires != NULL && clock_parse(expires, &state_r->expires_wall_ns) < 0)
		return -1;
	text_copy(state_r->seed, sizeof(state_r->seed), seed != NULL ? seed : "");
	state_r->access_token = keep_string(object, "access_token");
	state_r->refresh_token = keep_string(object, "refresh_token");
	return 0;
}

static void wipe_string(const json_t *object, const char *key)
{
	json_t *value = json_object_get(object, key);

	if (value != NULL && json_is_string(value))
		explicit_bzero((char *)(uintptr_t)json_string_value(value),
			json_string_length(value));
}

static int load_from(int fd, const char *folder, const char *file, struct token_state *state_r,
	struct failure *why)
{
	char *bytes = calloc(1, FILE_MAX + 1);
	ssize_t length = bytes != NULL ? read(fd, bytes, FILE_MAX) : -1;
	json_t *object = length > 0 ? json_loadb(bytes, (size_t)length, 0, NULL) : NULL;
	int result = take_state(object, state_r);

	if (bytes != NULL)
		explicit_bzero(bytes, FILE_MAX);
	free(bytes);
	wipe_string(object, "access_token");
	wipe_string(object, "refresh_token");
	json_decref(object);
	return result == 0 ? 0 : senseless(folder, file, "makes no sense: remove it", why);
}

int token_file_load(
	const char *folder, const char *name, struct token_state *state_r, struct failure *why)
{
	char file[TOKEN_DIGEST_SIZE + 8];
	int dir = open(folder, FOLDER_FLAGS), fd = -1, result = -1;

	*state_r = (struct token_state){0};
	snprintf(file, sizeof(file), "%s.json", name);
	if (dir != -1) {
		fd = openat(dir, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
		close(dir);
	}
	if (fd == -1)
		return errno == ENOENT ? 0 : storage_trouble("open", folder, file, why);
	if (check_file(fd, folder, file, why) == 0)
		result = load_from(fd, folder, file, state_r, why);
	close(fd);
	return result;
}

/* --- writing --------------------------------------------------------------------------- */

static void set_secret(json_t *object, const char *key, const char *value)
{
	if (value != NULL && value[0] != '\0')
		json_object_set_new(object, key, json_string(value));
}

static char *write_state(const struct token_state *state)
{
	char expires[CLOCK_TIMESTAMP_SIZE];
	json_t *object;
	char *bytes;

	clock_format(state->expires_wall_ns, expires);
	object = json_pack("{s:s, s:s}", "schema", FORMAT, "expires_at", expires);
	set_secret(object, "access_token", state->access_token);
	set_secret(object, "refresh_token", state->refresh_token);
	set_secret(object, "seed", state->seed);
	bytes = json_dumps(object, JSON_COMPACT);
	wipe_string(object, "access_token");
	wipe_string(object, "refresh_token");
	json_decref(object);
	return bytes;
}

static int write_all(int fd, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t put = write(fd, bytes, length);

		if (put == -1 && errno == EINTR)
			continue;
		if (put == -1)
			return -1;
		bytes += put;
		length -= (size_t)put;
	}
	return fsync(fd);
}

/* Temporary file, sync, rename, sync of the folder. */
static int replace(int dir, const char *name, const char *bytes)
{
	char file[TOKEN_DIGEST_SIZE + 8], partial[TOKEN_DIGEST_SIZE + 8];
	int fd, result;

	snprintf(file, sizeof(file), "%s.json", name);
	snprintf(partial, sizeof(partial), "%s.new", name);
	if (unlinkat(dir, partial, 0) == -1 && errno != ENOENT)
		return -1;
	fd = openat(dir, partial, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd == -1)
		return -1;
	result = write_all(fd, bytes, strlen(bytes));
	close(fd);
	if (result == -1 || renameat(dir, partial, dir, file) == -1)
		return -1;
	return fsync(dir);
}

int token_file_save(const char *folder, const char *name, const struct token_state *state,
	struct failure *why)
{
	int dir = open_folder(folder, why), result;
	char *bytes;

	if (dir == -1)
		return -1;
	bytes = write_state(state);
	result = bytes != NULL ? replace(dir, name, bytes) : -1;
	if (result == -1)
		storage_trouble("write", folder, name, why);
	if (bytes != NULL)
		explicit_bzero(bytes, strlen(bytes));
	free(bytes);
	close(dir);
	return result;
}
