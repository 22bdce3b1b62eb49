#include "dns_control.h"

#include <stdint.h>
#include <stdio.h>

#include <ares.h>

#include "dns_private.h"
#include "uuid.h"

#include "ban.h"

#define NAME_SIZE 300

static bool is_answer(int status, bool refusal_counts)
{
	return status == ARES_SUCCESS || status == ARES_ENODATA || status == ARES_ENOTFOUND ||
		(refusal_counts && status == ARES_EREFUSED);
}

bool dns_control(struct dns *dns, const char *const domains[], size_t count, bool refusal_counts,
	struct deadline deadline)
{
	struct dns_question questions[DNS_CONTROLS_MAX] = {{.name = ".", .type = DNS_TYPE_NS}};
	char names[DNS_CONTROLS_MAX][NAME_SIZE];
	size_t asked = count < DNS_CONTROLS_MAX ? count : DNS_CONTROLS_MAX;
	bool alive = false;
	uint64_t label;

	for (size_t i = 0; i < asked; i++) {
		random_bytes(&label, sizeof(label));
		snprintf(names[i], NAME_SIZE, "mailprobe-%016llx.%s", (unsigned long long)label,
			domains[i]);
		questions[i] = (struct dns_question){.name = names[i], .type = DNS_TYPE_A};
	}
	if (asked == 0)
		asked = 1;
	dns_ask(dns, questions, asked, deadline);
	for (size_t i = 0; i < asked; i++) {
		alive |= is_answer(questions[i].status, count == 0 && refusal_counts);
		dns_question_free(&questions[i]);
	}
	return alive;
}
