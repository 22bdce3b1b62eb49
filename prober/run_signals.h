/* run_signals - those that end a run, and those that must not. */
#ifndef MAILPROBE_RUN_SIGNALS_H
#define MAILPROBE_RUN_SIGNALS_H

/* SIGXFSZ and SIGPIPE: a full disk and a closed pipe are errors of a write, which says so itself. */
void run_signals_ignore(void);

/* A signalfd(2) for SIGINT, SIGTERM and SIGHUP, but those that are ignored already (nohup(1)); -1 with
 * errno. */
int run_signals_catch(void);

#endif
