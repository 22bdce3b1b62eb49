/* child - the life of a worker process, from the fork to its end. */
#ifndef MAILPROBE_CHILD_H
#define MAILPROBE_CHILD_H

#include <sys/types.h>

#include "worker.h"

/* Runs the job and ends the process. `fd` is the child's end of the frames' socket. */
__attribute__((noreturn)) void child_run(const struct worker_job *job, int fd, pid_t parent);

#endif
