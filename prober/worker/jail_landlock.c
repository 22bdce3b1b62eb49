/* Landlock by its system calls: the C library has no functions for it, and the kernel headers of
 * the build machine may be older than the kernel that this runs on. */
#include "jail.h"

#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ban.h"

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif

/* struct landlock_ruleset_attr as of version 6; older kernels know only its beginning. */
struct ruleset {
	uint64_t files;
	uint64_t net;
	uint64_t scoped;
};

/* struct landlock_path_beneath_attr. */
struct beneath {
	uint64_t files;
	int32_t folder;
} __attribute__((packed));

#define PATH_BENEATH 1
#define READ_FILE (1U << 2)
#define REMOVE_FILE (1U << 5)
#define ASK_VERSION 1U
#define NET_BIND_TCP 1U
#define SCOPE_ABSTRACT_UNIX_SOCKET 1U
#define SCOPE_SIGNAL 2U

/* Every right over files that this version knows of; later ones are not ours to guess. */
static uint64_t file_rights(long version)
{
	/* By version: 13 of the first, then refer, truncate, nothing, and device ioctls. */
	static const unsigned int counts[] = {0, 13, 14, 15, 15, 16};
	long last = (long)(sizeof(counts) / sizeof(counts[0])) - 1;

	return (UINT64_C(1) << counts[version < last ? version : last]) - 1;
}

/* The ports that a scenario connects to are its own affair; listening is nobody's. */
static size_t fill(struct ruleset *rules, long version)
{
	*rules = (struct ruleset){.files = file_rights(version)};
	if (version < 4)
		return sizeof(rules->files);
	rules->net = NET_BIND_TCP;
	if (version < 6)
		return sizeof(rules->files) + sizeof(rules->net);
	rules->scoped = SCOPE_ABSTRACT_UNIX_SOCKET | SCOPE_SIGNAL;
	return sizeof(*rules);
}

static bool give_back(long fd, const struct folder_grant *grant)
{
	for (size_t i = 0; grant != NULL && i < grant->count; i++) {
		const struct beneath beneath = {
			.files = READ_FILE | REMOVE_FILE, .folder = grant->folders[i]};

		if (syscall(SYS_landlock_add_rule, fd, PATH_BENEATH, &beneath, 0) != 0)
			return false;
	}
	return true;
}

/* All rights are handled, and none is given back but for the files in reach. */
bool jail_landlock(const struct folder_grant *grant)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0, ASK_VERSION);
	struct ruleset rules;
	size_t size;
	long fd;
	bool done;

	if (version < 1)
		return false;
	size = fill(&rules, version);
	fd = syscall(SYS_landlock_create_ruleset, &rules, size, 0);
	if (fd < 0)
		return false;
	done = give_back(fd, grant) && syscall(SYS_landlock_restrict_self, fd, 0) == 0;
	close((int)fd);
	return done;
}
