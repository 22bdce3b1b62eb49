/* The key that signs tokens: made once for a results folder, kept private. */
#include "probe_mail.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ban.h"

#define KEY_FILE "token.key"

static int cannot(const char *what, const char *path, struct failure *why)
{
	return failure_set(
		why, ERROR_LOCAL_STORAGE, "cannot %s %s: %s", what, path, strerror(errno));
}

static int sync_folder(const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int result = fd != -1 ? fsync(fd) : -1;

	if (fd != -1)
		close(fd);
	return result;
}

/* Written beside and linked into place, so that of two first runs at once one key wins whole. */
static int make_key(const char *folder, const char *path, struct failure *why)
{
	struct mail_key key;
	char *beside = NULL;
	int fd, result = -1;

	if (asprintf(&beside, "%s.XXXXXX", path) == -1)
		return failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory");
	fd = mkostemp(beside, O_CLOEXEC);
	if (fd == -1) {
		cannot("make", path, why);
		free(beside);
		return -1;
	}
	random_bytes(key.bytes, sizeof(key.bytes));
	if (write(fd, key.bytes, sizeof(key.bytes)) != sizeof(key.bytes) || fsync(fd) == -1 ||
		(link(beside, path) == -1 && errno != EEXIST) || sync_folder(folder) == -1)
		cannot("write", path, why);
	else
		result = 0;
	explicit_bzero(&key, sizeof(key));
	close(fd);
	unlink(beside);
	free(beside);
	return result;
}

static int read_key(int fd, const char *path, struct mail_key *key_r, struct failure *why)
{
	struct stat status;
	unsigned char bytes[MAIL_KEY_SIZE + 1];

	if (fstat(fd, &status) == -1)
		return cannot("read", path, why);
	if (!S_ISREG(status.st_mode) || (status.st_mode & 077) != 0)
		return failure_set(why, ERROR_CONFIG_SECRET,
			"%s must be a file that only its owner can read (chmod 600)", path);
	if (read(fd, bytes, sizeof(bytes)) != MAIL_KEY_SIZE)
		return failure_set(why, ERROR_CONFIG_SECRET,
			"%s is not a key of %d bytes; move it away and a new one is made", path,
			MAIL_KEY_SIZE);
	memcpy(key_r->bytes, bytes, MAIL_KEY_SIZE);
	explicit_bzero(bytes, sizeof(bytes));
	return 0;
}

int mail_key_load(const char *results_dir, struct mail_key *key_r, struct failure *why)
{
	char *path = NULL;
	int fd, result = 0;

	if (asprintf(&path, "%s/%s", results_dir, KEY_FILE) == -1)
		return failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory");
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (fd == -1 && errno == ENOENT) {
		result = make_key(results_dir, path, why);
		fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	}
	if (result == 0)
		result = fd != -1 ? read_key(fd, path, key_r, why) : cannot("read", path, why);
	if (fd != -1)
		close(fd);
	free(path);
	return result;
}
