/* Prints what a scenario file says, as JSON, so that other tools can judge it: as it is written,
 * without what it extends and without its variables. Exits 1 if it is no YAML or JSON. */
#include <stdio.h>

#include "source.h"

int main(int argc, char **argv)
{
	struct complaints complaints = {.items = NULL};
	struct source *source = argc == 2 ? source_read(argv[1], &complaints) : NULL;

	if (source == NULL)
		return 1;
	json_dumpf(source->tree, stdout, JSON_ENCODE_ANY);
	putchar('\n');
	source_free(&source);
	complaints_free(&complaints);
	return 0;
}
