/* sts - the policy that a domain publishes by HTTPS for mail that comes to it (MTA-STS, RFC 8461):
 * reading it, and asking it about an exchanger. */
#ifndef MAILPROBE_STS_H
#define MAILPROBE_STS_H

#include <stdbool.h>
#include <stddef.h>

#include "failure.h"

#define STS_POLICY_MAX ((size_t)64 << 10) /* bytes; RFC 8461, 3.3 suggests as much */
#define STS_PATTERNS_MAX 64

enum sts_mode { STS_NONE, STS_TESTING, STS_ENFORCE };

extern const char *const sts_modes[]; /* by sts_mode, NULL at the end */

struct sts_policy {
	enum sts_mode mode;
	char patterns[STS_PATTERNS_MAX][256];
	size_t pattern_count;
};

/* Reads a policy (RFC 8461, 3.2): version, mode and max_age must be there, and an mx unless the
 * mode is none; unknown keys are passed over. Fails with smtp.policy and what is wrong. */
int sts_parse(const char *text, size_t length, struct sts_policy *policy_r, struct failure *why);

/* True if one of the patterns names that host; "*." stands for exactly one label (4.1). */
bool sts_matches(const struct sts_policy *policy, const char *host);

#endif
