/* When a state changes too often, by the shares that Nagios states. */
#include <math.h>
#include <string.h>

#include "flapping.h"
#include "tap.h"

static double share_of(const char *states)
{
	struct flapping flapping = {""};

	for (size_t i = 0; states[i] != '\0'; i++)
		flapping_add(&flapping, states[i]);
	return 100 * flapping_share(&flapping);
}

static void is_share(const char *states, double want)
{
	double got = share_of(states);

	if (!ok(fabs(got - want) < 0.005, "%s: %.2f %%", states, want))
		diag("got %.4f", got);
}

static void test_share(void)
{
	is_share("", 0);
	is_share("0", 0);
	is_share("000000000000000000000", 0);
	is_share("000000000000000000001", 6.25); /* the newest weighs 1.25 of 20 */
	is_share("011111111111111111111", 3.75); /* the oldest 0.75 */
	is_share("010101010101010101010", 100);
	is_share("012012012012012012012", 100); /* whatever it changes to */
	is_share("1000000000000000000000", 0);  /* what is older than 21 states is forgotten */
	is_share("01", 6.25);                   /* before the first, nothing changed */
	is_share("0101", 18.36);
	is_share("01010", 24.21);
}

/* One letter a state: "." while it does not flap, "f" while it does. */
static void course(const char *states, const char *want, const char *name)
{
	struct flapping flapping = {""};
	char got[128] = "";
	bool flaps = false;

	for (size_t i = 0; states[i] != '\0'; i++) {
		flapping_add(&flapping, states[i]);
		flaps = flapping_goes_on(&flapping, flaps);
		got[i] = flaps ? 'f' : '.';
	}
	is_string(got, want, name);
}

static void test_course(void)
{
	course("0001110000000000", "................", "an incident");
	course("00101011111111111111111111111", ".....ffffffffffffffffffff....",
		"it begins at a fifth, and ends when hardly a change is left");
	course("0111000111000111", "..........ffffff", "with pauses");
}

int main(void)
{
	test_share();
	test_course();
	return done_testing();
}
