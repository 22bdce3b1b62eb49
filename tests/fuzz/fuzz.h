/* fuzz - what all fuzz targets share. A target is one file fuzz_<name>.c with the function below;
 * its seeds lie in corpus/<name>/. `run SECONDS` fuzzes, the build's tests replay the seeds. */
#ifndef MAILPROBE_FUZZ_H
#define MAILPROBE_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* A broken promise is a crash. */
#define must(condition)                                                                            \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: broken promise: %s\n", __FILE__, __LINE__,         \
				#condition);                                                       \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

#endif
