#include "device_login.h"

#include <stdio.h>

#include "access_token.h"

#include "ban.h"

static const struct field fields[] = {
	{"account", &field_account, FIELD_REQUIRED, "account that gets a refresh token"},
	{0},
};

static const char *const phases[] = {"device", NULL};

static void show(struct probe *probe, const char *verification_uri, const char *user_code)
{
	const struct probe_link *link = probe->run->link;
	char note[256];

	snprintf(note, sizeof(note), "open %s and enter the code %s", verification_uri, user_code);
	link->progress(link->context, probe->step->id, phases[0], note);
}

static int run(struct probe *probe, struct failure *why)
{
	if (access_token_begin(probe, show, why) == -1)
		return -1;
	probe_prove(probe, "the refresh token of account \"%s\" is kept", probe->account->name);
	return 0;
}

const struct step_type step_device_login = {
	.name = "device_login",
	.summary = "get a refresh token with the help of a person",
	.fields = fields,
	.phases = phases,
	.begins_grant = true,
	.run = run,
};
