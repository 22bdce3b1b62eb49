/* worker_account_private - what the files of worker_account share. */
#ifndef MAILPROBE_WORKER_ACCOUNT_PRIVATE_H
#define MAILPROBE_WORKER_ACCOUNT_PRIVATE_H

#include "worker_account.h"

static inline const char *account_text(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

/* Nanoseconds from the start of the run. */
int64_t account_clock(const struct worker_account *account);

/* Whether a step must be in the result. With `only` others may come along. */
bool account_wants(const struct worker_account *account, size_t index);

#endif
