#include "refusal.h"

#include <string.h>

#include "ban.h"

const char *const refusal_choices[] = {"accepted", "refused", NULL};
const char *const refusal_phases[] = {"auth", "mail", "rcpt", "data", "accept", NULL};

bool refusal_expected(const struct step *step)
{
	const char *expect = step_string(step, "expect");

	return expect != NULL && strcmp(expect, "refused") == 0;
}

/* A no for now is none: greylisting, or a server in trouble, would pass for security. */
static bool is_refusal(enum error_type type)
{
	return type == ERROR_SMTP_REJECT || type == ERROR_AUTH_REJECTED;
}

int refusal_judge(struct probe *probe, int result, const char *accepted, struct failure *why)
{
	const char *wanted = step_string(probe->step, "refused_at");
	const char *phase = timings_current(&probe->timings);

	if (!refusal_expected(probe->step))
		return result;
	if (result == 0)
		return failure_set(why, ERROR_SECURITY_ACCEPTED,
			"the server accepted %s, which it must refuse", accepted);
	if (!is_refusal(why->type))
		return -1;
	/* One that comes earlier leaves untried what the step is for. */
	if (wanted != NULL && strcmp(wanted, phase) != 0)
		return failure_prefix(why, "refused in the phase %s, and not in %s", phase, wanted);
	json_object_set_new(probe->facts, "refusal", json_string(why->text));
	probe_prove(probe, "refused as it must be, in the phase %s: %s", phase, why->text);
	*why = (struct failure){0};
	return 0;
}
