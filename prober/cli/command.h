/* command - what a command of mailprobe is: one const descriptor at the foot of its file.
 *
 * Help, did-you-mean and the man page's test read these tables.
 */
#ifndef MAILPROBE_COMMAND_H
#define MAILPROBE_COMMAND_H

/* Exit codes beside 0 and 1 (design: commands). */
enum exit_code {
	EXIT_UNJUDGED = 3,     /* nothing failed, but at least one scenario could not be judged */
	EXIT_USAGE = 64,       /* the command line is wrong */
	EXIT_SCENARIO = 65,    /* a scenario is wrong, or none was found */
	EXIT_CANNOT_MAKE = 73, /* the results cannot be created */
	EXIT_CANNOT_WRITE = 74, /* the results, or our own output, cannot be written */
	EXIT_OVERLAP = 75,     /* everything was skipped: an earlier run goes on */
	EXIT_SIGNAL = 128,     /* plus its number */
};

struct command_option {
	const char *name;     /* "results": --results */
	char letter;          /* 'r': -r as well; 0: none */
	const char *argument; /* "DIR": it takes one; NULL: it takes none */
	const char *help;     /* half a line, default included */
};

struct command {
	const char *name;
	const char *arguments; /* "[FILE|DIR]...", or "" */
	const char *summary;   /* one line */
	const struct command_option *options; /* ended by a row without a name */
	const char *const *examples;          /* whole command lines, NULL at the end */
	/* argv[0] is the command's name. Returns the exit code. */
	int (*run)(const struct command *command, int argc, char **argv);
};

extern const struct command run_command;
extern const struct command validate_command;
extern const struct command check_command;
extern const struct command show_command;
extern const struct command ledger_command;
extern const struct command outbox_command;
extern const struct command sinks_command;
extern const struct command trend_command;
extern const struct command events_command;
extern const struct command why_command;
extern const struct command backtest_command;
extern const struct command doctor_command;
extern const struct command rebuild_command;
extern const struct command auth_command;
extern const struct command schema_command;
extern const struct command steps_command;

#endif
