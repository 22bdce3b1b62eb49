/* The account of mails: every step between two states, allowed or not, and sums that add up. */
#include "ledger.h"
#include "record.h"
#include "store_help.h"

static struct failure why;
static struct state *state;
static json_t *run;

static int intend(const char *id)
{
	json_t *mail = make_mail(id, "sending");
	int result = ledger_intent(state, run, mail, &why);

	json_decref(mail);
	return result;
}

static int move(const char *id, const char *to)
{
	json_t *mail = make_mail(id, to);
	int result = ledger_update(state, mail, &why);

	json_decref(mail);
	return result;
}

static json_int_t count_of(const char *name)
{
	json_t *counts = ledger_counts(state, "acme", "mail", &why);
	json_int_t count = json_integer_value(json_object_get(counts, name));

	json_decref(counts);
	return count;
}

static json_int_t sum(void)
{
	json_t *counts = ledger_counts(state, NULL, NULL, &why);
	json_int_t all = 0;
	const char *key;
	json_t *value;

	json_object_foreach(counts, key, value) all += json_integer_value(value);
	json_decref(counts);
	return all;
}

/* A way from `sending` to each state. */
static const struct {
	const char *state;
	const char *way[4];
} ways[] = {
	{"sending", {NULL}},
	{"accepted", {"accepted"}},
	{"refused", {"refused"}},
	{"deferred", {"deferred"}},
	{"unknown", {"unknown"}},
	{"delivered", {"accepted", "delivered"}},
	{"late", {"accepted", "late"}},
	{"lost", {"accepted", "lost"}},
	{"found_after_lost", {"unknown", "lost", "found_after_lost"}},
	{"bounced", {"accepted", "bounced"}},
	{"junked", {"deferred", "accepted", "junked"}},
	{"altered", {"unknown", "altered"}},
};

#define STATES (sizeof(ways) / sizeof(ways[0]))

/* Rows: from; columns: to; both in the order above. What stays is always allowed. */
static const char *const allowed[STATES] = {
	/*           saRdudllfbja */
	/* sending  */ "YYYYY.......",
	/* accepted */ ".Y...YYY.YYY",
	/* refused  */ "..Y.........",
	/* deferred */ "YYYYY.......",
	/* unknown  */ "....YYYY.YYY",
	/* deliver. */ ".....Y......",
	/* late     */ "......Y.....",
	/* lost     */ ".......YY...",
	/* found... */ "........Y...",
	/* bounced  */ ".........Y..",
	/* junked   */ "..........Y.",
	/* altered  */ "...........Y",
};

static void test_transitions(void)
{
	json_int_t mails = 0;
	int wrong = 0;

	for (size_t from = 0; from < STATES; from++) {
		for (size_t to = 0; to < STATES; to++) {
			bool may = allowed[from][to] == 'Y';
			char id[16];
			int result;

			snprintf(id, sizeof(id), "m%zu-%zu", from, to);
			wrong += intend(id) != 0;
			for (size_t i = 0; i < 4 && ways[from].way[i] != NULL; i++)
				wrong += move(id, ways[from].way[i]) != 0;
			result = move(id, ways[to].state);
			if ((result == 0) != may || (!may && why.type != ERROR_WORKER_PROTOCOL)) {
				diag("%s to %s: %d %s", ways[from].state, ways[to].state, result,
					why.text);
				wrong++;
			}
			why = (struct failure){0};
			mails++;
		}
	}
	is_integer(wrong, 0, "each of 144 steps between two states");
	is_integer(sum(), mails, "the sum is the number of mails");
	is_integer((long long)STATES, 12, "no state is left out");
	for (size_t i = 0; i < STATES; i++)
		ok(mail_states[i] != NULL && strcmp(mail_states[i], ways[i].state) == 0,
			"%s is known", ways[i].state);
}

static void test_refusals(void)
{
	json_t *mail = make_mail("odd", "accepted");

	went_wrong(ledger_intent(state, run, mail, &why), &why, ERROR_WORKER_PROTOCOL,
		"another state than sending", "an intent in another state");
	went_wrong(move("stranger", "accepted"), &why, ERROR_WORKER_PROTOCOL, "never announced",
		"a mail that nobody announced");
	went_well(intend("twice"), &why, "an intent");
	went_well(intend("again"), &why, "an intent");
	went_well(move("again", "deferred"), &why, "that was deferred");
	went_well(intend("again"), &why, "is announced again when it is tried again");
	went_wrong(intend("twice"), &why, ERROR_WORKER_PROTOCOL, "announced twice",
		"the same once more");
	went_wrong(move("twice", "exploded"), &why, ERROR_WORKER_PROTOCOL, "exploded",
		"a state that there is not");
	json_object_del(mail, "mail");
	json_object_set_new(mail, "state", json_string("sending"));
	went_wrong(ledger_intent(state, run, mail, &why), &why, ERROR_WORKER_PROTOCOL, "announced",
		"a mail without an id");
	went_wrong(ledger_update(state, mail, &why), &why, ERROR_WORKER_PROTOCOL, "never announced",
		"also in an update");
	json_decref(mail);
}

static void keep_last(void *context, const json_t *mail)
{
	json_t **kept = context;

	json_decref(*kept);
	*kept = json_deep_copy(mail);
}

static void test_facts(void)
{
	json_t *mail = make_mail("facts", "sending"), *kept = NULL;

	json_object_set_new(mail, "sending_at", json_string("2026-03-02T10:00:00.000000Z"));
	went_well(ledger_intent(state, run, mail, &why), &why, "an intent with a fact");
	json_decref(mail);
	mail = make_mail("facts", "accepted");
	json_object_set_new(mail, "reply", json_string("2.0.0 Ok"));
	went_well(ledger_update(state, mail, &why), &why, "an update with another");
	json_object_set_new(mail, "reply", json_string("2.0.0 Ok: queued"));
	went_well(ledger_update(state, mail, &why), &why, "the same state, a newer fact");
	went_well(ledger_update(state, mail, &why), &why, "the very same once more");
	ledger_open_mails(state, "acme", "mail", 100, keep_last, &kept, &why);
	is_string(json_string_value(json_object_get(kept, "mail")), "facts",
		"the newest open mail comes last");
	is_string(json_string_value(json_object_get(kept, "sending_at")),
		"2026-03-02T10:00:00.000000Z", "the first fact is kept");
	is_string(json_string_value(json_object_get(kept, "reply")), "2.0.0 Ok: queued",
		"the other is the newest");
	json_decref(kept);
	json_decref(mail);
}

static void count_open(void *context, const json_t *mail)
{
	(void)mail;
	++*(int *)context;
}

static void test_open(void)
{
	static const char *const final[] = {"refused", "delivered", "late", "bounced"};
	int before = 0, after = 0, other = 0;

	ledger_open_mails(state, "acme", "mail", 100, count_open, &before, &why);
	for (size_t i = 0; i < 4; i++) {
		char id[16];

		snprintf(id, sizeof(id), "open-%zu", i);
		intend(id);
		if (strcmp(final[i], "refused") != 0)
			move(id, "accepted");
	}
	ledger_open_mails(state, "acme", "mail", 100, count_open, &after, &why);
	is_integer(after - before, 4, "mails that are not settled are open");
	for (size_t i = 0; i < 4; i++) {
		char id[16];

		snprintf(id, sizeof(id), "open-%zu", i);
		move(id, final[i]);
	}
	after = 0;
	ledger_open_mails(state, "acme", "mail", 100, count_open, &after, &why);
	is_integer(after - before, 0, "those that are settled are not");
	ledger_open_mails(state, "acme", "other", 100, count_open, &other, &why);
	is_integer(other, 0, "another scenario has none of them");
}

static void intend_to(const char *id, const char *to)
{
	json_t *mail = make_mail(id, "sending");

	json_object_set_new(mail, "to", json_string(to));
	ledger_intent(state, run, mail, &why);
	json_decref(mail);
}

static void note_recipient(void *context, const json_t *mail)
{
	json_t *value = json_object_get(mail, "to");

	json_object_set(context, json_string_value(value), value);
}

/* One recipient has more open mails than are loaded: those of another one are loaded all the same. */
static void test_open_in_turn(void)
{
	json_t *recipients = json_object();
	char id[32];

	for (size_t i = 0; i < 50; i++) {
		snprintf(id, sizeof(id), "down-%zu", i);
		intend_to(id, "down@acme.test");
	}
	intend_to("up-1", "up@acme.test");
	went_well(ledger_open_mails(state, "acme", "mail", 20, note_recipient, recipients, &why),
		&why, "20 open mails of many");
	is_integer(json_object_get(recipients, "up@acme.test") != NULL, 1,
		"the newest is among them, as nobody else waits for its mailbox");
	for (size_t i = 0; i < 50; i++) {
		snprintf(id, sizeof(id), "down-%zu", i);
		move(id, "refused");
	}
	move("up-1", "refused");
	json_decref(recipients);
}

static json_int_t count_all_open(void)
{
	int open = 0;

	ledger_open_mails(state, "acme", "mail", 1000, count_open, &open, &why);
	return open;
}

/* Nobody looks for it any more: its state is all that will be known, unless somebody finds it. */
static void test_unwatched(void)
{
	json_t *mail = make_mail("unwatched", "accepted"), *ids = json_pack("[s]", "unwatched");
	json_t *known, *settled = json_array(), *mails = json_pack("[O]", mail);
	json_int_t before;

	intend("unwatched");
	move("unwatched", "accepted");
	before = count_all_open();
	json_object_set_new(mail, "unwatched", json_true());
	went_well(ledger_settle(state, run, mails, settled, &why), &why, "it is closed");
	is_integer(before - count_all_open(), 1, "and not open any more");
	is_integer((json_int_t)json_array_size(settled), 0, "which is no fate to tell of");
	json_object_set_new(mail, "state", json_string("delivered"));
	went_well(ledger_settle(state, run, mails, settled, &why), &why, "it is found after all");
	known = ledger_recall(state, run, ids, &why);
	is_string(json_string_value(json_object_get(json_array_get(known, 0), "state")),
		"delivered", "and delivered");
	is_integer(json_object_get(json_array_get(known, 0), "unwatched") != NULL, 0,
		"without a word of having been unwatched");
	json_decref(known);
	json_decref(ids);
	json_decref(mails);
	json_decref(mail);
	json_decref(settled);
}

static void test_prune(void)
{
	json_int_t all = sum(), delivered = count_of("delivered"), open = count_of("accepted");

	went_well(ledger_prune(state, 0, 1000, &why), &why, "nothing is that old");
	is_integer(sum(), all, "nothing changes");
	went_well(ledger_prune(state, INT64_MAX, 10, &why), &why, "ten settled mails are dropped");
	is_integer(sum(), all, "the sum stays");
	went_well(
		ledger_prune(state, INT64_MAX, 1000, &why), &why, "all settled mails are dropped");
	is_integer(sum(), all, "the sum stays");
	is_integer(count_of("delivered"), delivered, "by state too");
	is_integer(count_of("accepted"), open, "what is open stays");
	went_wrong(move("m5-5", "delivered"), &why, ERROR_WORKER_PROTOCOL, "never announced",
		"what was dropped is not known any more");
}

/* What an intent has promised is there for the next process, whatever became of this one. */
static void test_durable(void)
{
	json_int_t all = sum();

	intend("last");
	state_close(&state);
	state = state_open(test_folder, &why);
	is_integer(sum(), all + 1, "found again");
}

int main(void)
{
	state = state_open(make_folder(), &why);
	run = make_result(TEST_START, "pass");
	test_transitions();
	test_refusals();
	test_facts();
	test_open();
	test_open_in_turn();
	test_unwatched();
	test_prune();
	test_durable();
	json_decref(run);
	state_close(&state);
	return done_testing();
}
