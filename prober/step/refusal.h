/* refusal - negative tests: a step with `expect: refused` passes when the server says no, for
 * good, where it should; it fails with security.accepted when the server says yes. Whatever else
 * goes wrong proves neither, and stays what it is. */
#ifndef MAILPROBE_REFUSAL_H
#define MAILPROBE_REFUSAL_H

#include "probe.h"

extern const char *const refusal_choices[];
extern const char *const refusal_phases[];

/* Settings of every step type that can be turned around. */
#define REFUSAL_FIELD                                                                              \
	{                                                                                          \
		"expect", &field_choice, 0, "refused: the step passes if the server says no",      \
			"\"accepted\"", .choices = refusal_choices                                 \
	}
#define REFUSAL_PHASE_FIELD                                                                        \
	{                                                                                          \
		"refused_at", &field_choice, 0,                                                    \
			"the phase that must end in the refusal; any if left out",                 \
			.choices = refusal_phases                                                  \
	}
#define REFUSAL_FACT                                                                               \
	{                                                                                          \
		"refusal", &field_text, 0, "the refusal that was expected, as it came"             \
	}

bool refusal_expected(const struct step *step);

/* Turns the result of such a step around; that of any other is left as it is. `accepted` says what
 * the server has let happen, to complete "the server accepted ...". */
int refusal_judge(struct probe *probe, int result, const char *accepted, struct failure *why);

#endif
