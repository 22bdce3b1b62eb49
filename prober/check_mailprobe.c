/* check_mailprobe - `mailprobe check` as a plugin of its own: it loads no protocol library, and is
 * there and gone in milliseconds. */
#include <stdio.h>

#include "command.h"

#include "ban.h"

int main(int argc, char **argv)
{
	int code = check_command.run(&check_command, argc, argv);

	return fflush(stdout) == 0 ? code : EXIT_UNJUDGED;
}
