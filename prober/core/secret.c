#include "secret.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "helper.h"
#include "redact.h"
#include "text.h"

#include "ban.h"

#define SECRET_MAX ((size_t)64 * 1024)

/* --- pages that are neither swapped, dumped nor left behind ---------------------------- */

struct vault {
	size_t mapped;
	char bytes[];
};

static struct vault *vault_of(char *secret)
{
	return (struct vault *)(void *)(secret - offsetof(struct vault, bytes));
}

/* Room for `size` bytes and a NUL, or NULL. */
static char *vault_open(size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t mapped = (sizeof(struct vault) + size + 1 + page - 1) / page * page;
	struct vault *vault =
		mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (vault == MAP_FAILED)
		return NULL;
	/* Both are best effort: the limit on locked memory may be 0. */
	(void)mlock(vault, mapped);
	(void)madvise(vault, mapped, MADV_DONTDUMP);
	vault->mapped = mapped;
	return vault->bytes;
}

void secret_free(char **secret)
{
	struct vault *vault;
	size_t mapped;

	if (*secret == NULL)
		return;
	vault = vault_of(*secret);
	mapped = vault->mapped;
	explicit_bzero(vault, mapped);
	munmap(vault, mapped);
	*secret = NULL;
}

/* --- files ----------------------------------------------------------------------------- */

/* A path as it may be shown. */
struct shown {
	char text[200];
};

static struct shown show(const char *path)
{
	struct shown shown;

	text_printable_copy(shown.text, sizeof(shown.text), path, strlen(path));
	return shown;
}

static int check_folder(int fd, const char *folder, const char *path, struct failure *why)
{
	struct stat stat;

	if (fstat(fd, &stat) == -1)
		return failure_set(why, ERROR_CONFIG_SECRET, "cannot look at the folder %s: %s",
			show(folder).text, strerror(errno));
	/* In a sticky folder such as /tmp nobody else can put a file in the place of ours. */
	if ((stat.st_mode & 022) != 0 && (stat.st_mode & S_ISVTX) == 0)
		return failure_set(why, ERROR_CONFIG_SECRET,
			"others may replace the secret file %s, as they can write to its folder "
			"(mode "
			"%04o): chmod go-w %s",
			show(path).text, (unsigned int)stat.st_mode & 07777, show(folder).text);
	return 0;
}

/* The rights that nobody but the owner may have. systemd lets a service's user read a credential
 * by an ACL, which fstat shows as the group's right to read. */
#define FILE_CLOSED 0077
#define CREDENTIAL_CLOSED 0037

/* What fstat says of an open secret file, so that nobody can swap it between look and use. */
static int check_file(const struct stat *stat, const char *path, mode_t closed, struct failure *why)
{
	struct shown shown = show(path);

	if (!S_ISREG(stat->st_mode))
		return failure_set(why, ERROR_CONFIG_SECRET,
			"the secret file %s is not a regular file", shown.text);
	if (stat->st_uid != geteuid() && stat->st_uid != 0)
		return failure_set(why, ERROR_CONFIG_SECRET,
			"the secret file %s belongs to user %u, who could change it: chown %u %s",
			shown.text, (unsigned int)stat->st_uid, (unsigned int)geteuid(),
			shown.text);
	if ((stat->st_mode & closed) != 0)
		return failure_set(why, ERROR_CONFIG_SECRET,
			"the secret file %s is open to others (mode %04o): chmod 600 %s",
			shown.text, (unsigned int)stat->st_mode & 07777, shown.text);
	if (stat->st_nlink != 1)
		return failure_set(why, ERROR_CONFIG_SECRET,
			"the secret file %s has %lu links, so that it can be reached by another "
			"name: "
			"make a copy of its own",
			shown.text, (unsigned long)stat->st_nlink);
	if (stat->st_size > (off_t)SECRET_MAX)
		return failure_set(why, ERROR_CONFIG_SECRET,
			"the secret file %s holds %lld bytes, more than the 65536 of any secret",
			shown.text, (long long)stat->st_size);
	return 0;
}

static int explain_open(const char *path, int error, struct failure *why)
{
	struct shown shown = show(path);

	switch (error) {
	case ENOENT:
	case ENOTDIR:
		return failure_set(why, ERROR_CONFIG_SECRET,
			"the secret file %s does not exist: create it with the password as its "
			"only "
			"line, then chmod 600 %s",
			shown.text, shown.text);
	case ELOOP:
		return failure_set(why, ERROR_CONFIG_SECRET,
			"the secret file %s is a symbolic link: name the file itself", shown.text);
	case EACCES:
		return failure_set(why, ERROR_CONFIG_SECRET,
			"the secret file %s cannot be read by user %u: chown %u %s", shown.text,
			(unsigned int)geteuid(), (unsigned int)geteuid(), shown.text);
	case ENXIO:
		return failure_set(why, ERROR_CONFIG_SECRET,
			"the secret file %s is not a regular file", shown.text);
	}
	return failure_set(why, ERROR_CONFIG_SECRET, "cannot open the secret file %s: %s",
		shown.text, strerror(error));
}

/* Opens the last part of `path` in the very folder that was checked; -1 on failure. */
static int open_checked(const char *folder, const char *name, const char *path, struct failure *why)
{
	int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int fd = -1;

	if (dir == -1)
		return explain_open(path, errno, why);
	if (check_folder(dir, folder, path, why) == 0) {
		/* Non-blocking: a FIFO must not make us wait before fstat tells what it is. */
		fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
		if (fd == -1)
			explain_open(path, errno, why);
	}
	close(dir);
	return fd;
}

static ssize_t read_whole(int fd, char *bytes, size_t size)
{
	size_t used = 0;

	while (used < size) {
		ssize_t got = read(fd, bytes + used, size - used);

		if (got == -1 && errno == EINTR)
			continue;
		if (got <= 0)
			return got == 0 ? (ssize_t)used : -1;
		used += (size_t)got;
	}
	return (ssize_t)used;
}

/* Reads into a new vault; the length, or -1. */
static ssize_t read_file(int fd, const char *path, mode_t closed, char **raw_r, struct failure *why)
{
	struct stat stat;
	ssize_t length;

	if (fstat(fd, &stat) == -1)
		return failure_set(why, ERROR_CONFIG_SECRET,
			"cannot look at the secret file %s: %s", show(path).text, strerror(errno));
	if (check_file(&stat, path, closed, why) != 0)
		return -1;
	*raw_r = vault_open(SECRET_MAX);
	if (*raw_r == NULL)
		return failure_set(why, ERROR_LOCAL_RESOURCE, "no memory for a secret");
	length = read_whole(fd, *raw_r, SECRET_MAX);
	if (length == -1)
		return failure_set(why, ERROR_CONFIG_SECRET, "cannot read the secret file %s: %s",
			show(path).text, strerror(errno));
	return length;
}

static ssize_t from_path(const char *path, mode_t closed, char **raw_r, struct failure *why)
{
	char *folder = strdup(path), *name = strdup(path);
	ssize_t length = -1;
	int fd = -1;

	if (folder != NULL && name != NULL)
		fd = open_checked(dirname(folder), basename(name), path, why);
	if (fd != -1) {
		length = read_file(fd, path, closed, raw_r, why);
		close(fd);
	}
	free(folder);
	free(name);
	return length;
}

static ssize_t from_file(const char *file, const char *base_dir, char **raw_r, struct failure *why)
{
	char path[PATH_MAX];
	int length = file[0] == '/' || base_dir == NULL
		? snprintf(path, sizeof(path), "%s", file)
		: snprintf(path, sizeof(path), "%s/%s", base_dir, file);

	if (length < 0 || (size_t)length >= sizeof(path))
		return failure_set(
			why, ERROR_CONFIG_SECRET, "the name of the secret file is too long");
	return from_path(path, FILE_CLOSED, raw_r, why);
}

/* --- the other sources ----------------------------------------------------------------- */

static ssize_t from_credential(const char *name, char **raw_r, struct failure *why)
{
	const char *folder = getenv("CREDENTIALS_DIRECTORY");
	char path[PATH_MAX];

	if (name[0] == '\0' || strchr(name, '/') != NULL || strcmp(name, ".") == 0 ||
		strcmp(name, "..") == 0)
		return failure_set(why, ERROR_CONFIG_SECRET,
			"\"%s\" cannot be the name of a credential: it holds a slash or is none",
			show(name).text);
	if (folder == NULL || folder[0] != '/')
		return failure_set(why, ERROR_CONFIG_SECRET,
			"credential %s: $CREDENTIALS_DIRECTORY is not set; start mailprobe from a "
			"systemd unit with LoadCredential=%s:PATH",
			show(name).text, show(name).text);
	if ((size_t)snprintf(path, sizeof(path), "%s/%s", folder, name) >= sizeof(path))
		return failure_set(
			why, ERROR_CONFIG_SECRET, "the name of the credential is too long");
	return from_path(path, CREDENTIAL_CLOSED, raw_r, why);
}

static ssize_t copy_raw(const char *value, char **raw_r, struct failure *why)
{
	size_t length = strlen(value);

	if (length > SECRET_MAX)
		return failure_set(why, ERROR_CONFIG_SECRET, "a secret is longer than 65536 bytes");
	*raw_r = vault_open(length);
	if (*raw_r == NULL)
		return failure_set(why, ERROR_LOCAL_RESOURCE, "no memory for a secret");
	memcpy(*raw_r, value, length);
	return (ssize_t)length;
}

static ssize_t from_env(const char *name, char **raw_r, struct failure *why)
{
	const char *value = getenv(name);

	if (value == NULL)
		return failure_set(why, ERROR_CONFIG_SECRET,
			"the environment variable %s, which holds a secret, is not set",
			show(name).text);
	return copy_raw(value, raw_r, why);
}

static ssize_t from_command(
	const json_t *words, const char *base_dir, char **raw_r, struct failure *why)
{
	ssize_t length;
	char *newline;

	*raw_r = vault_open(SECRET_MAX);
	if (*raw_r == NULL)
		return failure_set(why, ERROR_LOCAL_RESOURCE, "no memory for a secret");
	length = helper_output(words, base_dir, *raw_r, SECRET_MAX, why);
	if (length == -1)
		return -1;
	/* Only its first line: `pass` puts notes on the following ones. */
	newline = memchr(*raw_r, '\n', (size_t)length);
	return newline != NULL ? newline - *raw_r : length;
}

static ssize_t read_source(
	const json_t *source, const char *base_dir, char **raw_r, struct failure *why)
{
	const json_t *value;

	if (json_is_string(source))
		return copy_raw(json_string_value(source), raw_r, why);
	if ((value = json_object_get(source, "file")) != NULL && json_is_string(value))
		return from_file(json_string_value(value), base_dir, raw_r, why);
	if ((value = json_object_get(source, "credential")) != NULL && json_is_string(value))
		return from_credential(json_string_value(value), raw_r, why);
	if ((value = json_object_get(source, "env")) != NULL && json_is_string(value))
		return from_env(json_string_value(value), raw_r, why);
	if ((value = json_object_get(source, "command")) != NULL && json_is_array(value))
		return from_command(value, base_dir, raw_r, why);
	return failure_set(why, ERROR_CONFIG_SECRET,
		"a secret must be one of file, credential, command and env");
}

/* What a secret is read from, for the sentence. */
static const char *source_name(const json_t *source)
{
	const char *key;

	if (json_is_string(source))
		return "in the scenario";
	key = json_object_iter_key(json_object_iter((json_t *)(uintptr_t)source));
	return key != NULL ? key : "source";
}

/* The value without its line end; refuses what could not be a password on any wire. */
static int check_value(const json_t *source, const char *raw, bool lines, size_t *length,
	struct failure *why)
{
	const char *name = source_name(source);
	const json_t *value = json_object_get(source, name);
	const char *detail = json_is_string(value) ? json_string_value(value) : "";

	if (*length > 0 && raw[*length - 1] == '\n')
		(*length)--;
	if (*length > 0 && raw[*length - 1] == '\r')
		(*length)--;
	if (*length == 0)
		return failure_set(why, ERROR_CONFIG_SECRET, "the secret (%s %s) is empty", name,
			show(detail).text);
	if (lines ? memchr(raw, '\0', *length) != NULL : text_breaks_line(raw, *length))
		return failure_set(why, ERROR_CONFIG_SECRET,
			"the secret (%s %s) holds a %sNUL%s", name, show(detail).text,
			lines ? "" : "line break or a ", lines ? "" : ": it must be one line");
	return 0;
}

static int take(const json_t *source, const char *base_dir, bool lines, char **secret_r,
	struct failure *why)
{
	char *raw = NULL, *secret = NULL;
	ssize_t got = read_source(source, base_dir, &raw, why);
	size_t length = got > 0 ? (size_t)got : 0;

	if (got == -1 || raw == NULL || check_value(source, raw, lines, &length, why) != 0) {
		secret_free(&raw);
		return -1;
	}
	secret = vault_open(length);
	if (secret == NULL) {
		secret_free(&raw);
		return failure_set(why, ERROR_LOCAL_RESOURCE, "no memory for a secret");
	}
	memcpy(secret, raw, length);
	secret[length] = '\0';
	secret_free(&raw);
	redact_learn(secret);
	*secret_r = secret;
	return 0;
}

int secret_read(const json_t *source, const char *base_dir, char **secret_r, struct failure *why)
{
	return take(source, base_dir, false, secret_r, why);
}

int secret_read_key(
	const json_t *source, const char *base_dir, char **secret_r, struct failure *why)
{
	return take(source, base_dir, true, secret_r, why);
}

char *secret_keep(const char *value)
{
	size_t length = strlen(value);
	char *secret = vault_open(length);

	if (secret == NULL)
		abort();
	memcpy(secret, value, length + 1);
	redact_learn(secret);
	return secret;
}
