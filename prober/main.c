/* mailprobe - probes email platforms from end to end. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "options.h"

#include "ban.h"

static const struct command *const commands[] = {
	&run_command,
	&validate_command,
	&check_command,
	&show_command,
	&ledger_command,
	&trend_command,
	&events_command,
	&why_command,
	&backtest_command,
	&doctor_command,
	&outbox_command,
	&sinks_command,
	&rebuild_command,
	&auth_command,
	&schema_command,
	&steps_command,
	NULL,
};

static const struct command *find(const char *name)
{
	for (size_t i = 0; commands[i] != NULL; i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}

static void print_help(FILE *to)
{
	fputs("mailprobe probes email platforms from end to end.\n\n"
	      "  mailprobe validate scenarios/acme/mail.yaml\n"
	      "  mailprobe run scenarios/acme/mail.yaml\n\n"
	      "Usage: mailprobe COMMAND [OPTION]...\n\n",
		to);
	for (size_t i = 0; commands[i] != NULL; i++)
		fprintf(to, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
	fputs("  help       print this, or the help of a command\n"
	      "  --version  print the version\n",
		to);
}

static int unknown(const char *name)
{
	const char *names[sizeof(commands) / sizeof(commands[0]) + 1];
	size_t count = 0;

	for (; commands[count] != NULL; count++)
		names[count] = commands[count]->name;
	names[count++] = "help";
	names[count] = NULL;
	return options_unknown("command", name, names);
}

static int help(const char *name)
{
	const struct command *command = name != NULL ? find(name) : NULL;

	if (name != NULL && command == NULL)
		return unknown(name);
	if (command != NULL)
		command_help(command, stdout);
	else
		print_help(stdout);
	return 0;
}

static int dispatch(int argc, char **argv)
{
	const struct command *command;

	if (argc < 2) {
		print_help(stderr);
		return EXIT_USAGE;
	}
	if (strcmp(argv[1], "--version") == 0) {
		puts("mailprobe " MAILPROBE_VERSION);
		return 0;
	}
	if (strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0 ||
		strcmp(argv[1], "-h") == 0)
		return help(argc > 2 ? argv[2] : NULL);
	command = find(argv[1]);
	return command != NULL ? command->run(command, argc - 1, argv + 1) : unknown(argv[1]);
}

int main(int argc, char **argv)
{
	int code = dispatch(argc, argv);

	/* A full disk behind stdout must not look like a success. */
	if ((fflush(stdout) != 0 || ferror(stdout)) && code == 0) {
		fprintf(stderr, "mailprobe: cannot write to stdout: %s\n", strerror(errno));
		return EXIT_CANNOT_WRITE;
	}
	return code;
}
