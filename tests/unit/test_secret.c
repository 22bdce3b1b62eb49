/* Where a password may come from, and each way in which it must be refused. */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "redact.h"
#include "secret.h"
#include "tap.h"

/* Of a service's user, systemd lets the user in by an ACL, which fstat shows as the group's. */
#define ACL_MODE 0440

static char folder[] = "/tmp/mailprobe-secret-XXXXXX";

static char *in_folder(const char *name)
{
	static char path[4][256];
	static int next;
	char *at = path[next++ % 4];

	snprintf(at, 256, "%s/%s", folder, name);
	return at;
}

static void write_file(const char *name, const char *bytes, size_t length, mode_t mode)
{
	int fd = open(in_folder(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd == -1 || write(fd, bytes, length) != (ssize_t)length || fchmod(fd, mode) != 0)
		abort();
	close(fd);
}

static int try_read(json_t *source, char **secret, struct failure *why)
{
	int result;

	*secret = NULL;
	*why = (struct failure){0};
	result = secret_read(source, folder, secret, why);
	json_decref(source);
	return result;
}

static void is_secret(json_t *source, const char *want, const char *name)
{
	struct failure why;
	char *secret;

	try_read(source, &secret, &why);
	if (!is_string(secret, want, name))
		diag("%s", why.text);
	secret_free(&secret);
	ok(secret == NULL, "%s: freed and nulled", name);
}

/* Refused with config.secret, in a sentence that holds both words. */
static void is_refused(json_t *source, const char *word, const char *cure, const char *name)
{
	struct failure why;
	char *secret;
	int result = try_read(source, &secret, &why);

	ok(result == -1 && secret == NULL && why.type == ERROR_CONFIG_SECRET, "refused: %s", name);
	if (!ok(strstr(why.text, word) != NULL && strstr(why.text, cure) != NULL,
		    "%s: the sentence says so", name))
		diag("got \"%s\", want \"%s\" and \"%s\"", why.text, word, cure);
	secret_free(&secret);
}

static json_t *source(const char *kind, const char *value)
{
	return json_pack("{s:s}", kind, value);
}

static void test_files(void)
{
	write_file("good", "hunter2\n", 8, 0600);
	write_file("crlf", "hunter2\r\n", 9, 0400);
	write_file("bare", "hunter2", 7, 0600);
	write_file("blanks", " hunter 2 \n", 11, 0600);
	is_secret(source("file", "good"), "hunter2", "a file relative to the scenario");
	is_secret(source("file", in_folder("good")), "hunter2", "a file by its full name");
	is_secret(source("file", "crlf"), "hunter2", "a file with CR LF");
	is_secret(source("file", "bare"), "hunter2", "a file without a line end");
	is_secret(source("file", "blanks"), " hunter 2 ", "blanks belong to the secret");
}

static void test_bad_files(void)
{
	char *big = calloc(1, 65537);

	is_refused(source("file", "none"), "none does not exist", "chmod 600", "no such file");
	write_file("open", "hunter2\n", 8, 0644);
	is_refused(source("file", "open"), "0644", "chmod 600", "readable by others");
	write_file("group", "hunter2\n", 8, 0640);
	is_refused(source("file", "group"), "0640", "chmod 600", "readable by the group");
	if (symlink("good", in_folder("link")) != 0 || mkfifo(in_folder("fifo"), 0600) != 0 ||
		mkdir(in_folder("dir"), 0700) != 0)
		abort();
	is_refused(source("file", "link"), "symbolic link", "name the file itself", "a link");
	is_refused(source("file", "fifo"), "fifo", "not a regular file", "a FIFO, at once");
	is_refused(source("file", "dir"), "dir", "not a regular file", "a folder");
	is_refused(source("file", "/dev/null"), "/dev/null", "not a regular file", "a device");
	write_file("two", "hunter2\n", 8, 0600);
	if (link(in_folder("two"), in_folder("names")) != 0)
		abort();
	is_refused(source("file", "two"), "2 links", "copy", "two links");
	memset(big, 'x', 65537);
	write_file("big", big, 65537, 0600);
	is_refused(source("file", "big"), "65537", "65536", "more than 64 kB");
	write_file("most", big, 65536, 0600);
	memset(big, 'x', 65536);
	big[65536] = '\0';
	is_secret(source("file", "most"), big, "64 kB exactly");
	free(big);
}

static void test_bad_content(void)
{
	write_file("empty", "", 0, 0600);
	write_file("newline", "\n", 1, 0600);
	write_file("lines", "one\ntwo\n", 8, 0600);
	write_file("return", "one\rtwo", 7, 0600);
	write_file("nul", "one\0two\n", 8, 0600);
	is_refused(source("file", "empty"), "file empty", "is empty", "an empty file");
	is_refused(source("file", "newline"), "file newline", "is empty", "an empty line");
	is_refused(source("file", "lines"), "line break", "one line", "two lines");
	is_refused(source("file", "return"), "line break", "one line", "a CR within");
	is_refused(source("file", "nul"), "NUL", "one line", "a NUL within");
}

static void test_folders(void)
{
	if (mkdir(in_folder("shared"), 0700) != 0)
		abort();
	write_file("shared/secret", "hunter2\n", 8, 0600);
	chmod(in_folder("shared"), 0777);
	is_refused(source("file", "shared/secret"), "mode 0777", "chmod go-w",
		"a folder that others write to");
	chmod(in_folder("shared"), 0770);
	is_refused(source("file", "shared/secret"), "mode 0770", "chmod go-w",
		"a folder that the group writes to");
	chmod(in_folder("shared"), 01777);
	is_secret(source("file", "shared/secret"), "hunter2", "a sticky folder is fine");
}

/* What a user who is not root meets; the test itself may be root. */
static void as_nobody(void (*test)(void), const char *name)
{
	pid_t pid;
	int status = 0;

	if (geteuid() != 0) {
		printf("ok %d - %s # SKIP only root can set this up\n", ++tap_count, name);
		return;
	}
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		if (setresgid(65534, 65534, 65534) != 0 || setresuid(65534, 65534, 65534) != 0)
			_exit(9);
		test();
		fflush(stdout);
		_exit(tap_failures);
	}
	waitpid(pid, &status, 0);
	tap_count += 2;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		tap_failures++;
}

static void read_closed(void)
{
	is_refused(source("file", "closed"), "cannot be read by user 65534", "chown",
		"root's file, as another user");
}

static void test_owners(void)
{
	write_file("foreign", "hunter2\n", 8, 0600);
	write_file("closed", "hunter2\n", 8, 0600);
	if (geteuid() == 0) {
		if (chown(in_folder("foreign"), 1, 1) != 0)
			abort();
		is_refused(source("file", "foreign"), "belongs to user 1", "chown 0",
			"another user's file, as root");
	}
	chmod(folder, 0755);
	as_nobody(read_closed, "closed");
	chmod(folder, 0700);
}

static void test_credentials(void)
{
	unsetenv("CREDENTIALS_DIRECTORY");
	is_refused(source("credential", "good"), "CREDENTIALS_DIRECTORY", "LoadCredential=good",
		"no credentials given");
	setenv("CREDENTIALS_DIRECTORY", folder, 1);
	is_secret(source("credential", "good"), "hunter2", "a credential of systemd");
	write_file("acl", "hunter2\n", 8, ACL_MODE);
	is_secret(source("credential", "acl"), "hunter2", "a credential with an ACL");
	is_refused(source("credential", "../good"), "slash", "credential",
		"a credential with a slash");
	is_refused(source("credential", ".."), "..", "credential", "the folder itself");
	is_refused(source("credential", "open"), "0644", "chmod", "a credential for all to read");
	setenv("CREDENTIALS_DIRECTORY", "relative", 1);
	is_refused(source("credential", "good"), "CREDENTIALS_DIRECTORY", "systemd",
		"a relative folder of credentials");
}

static void test_env(void)
{
	setenv("MAILPROBE_TEST_SECRET", "hunter2", 1);
	is_secret(source("env", "MAILPROBE_TEST_SECRET"), "hunter2", "the environment");
	setenv("MAILPROBE_TEST_SECRET", "", 1);
	is_refused(source("env", "MAILPROBE_TEST_SECRET"), "MAILPROBE_TEST_SECRET", "is empty",
		"an empty variable");
	unsetenv("MAILPROBE_TEST_SECRET");
	is_refused(source("env", "MAILPROBE_TEST_SECRET"), "MAILPROBE_TEST_SECRET", "not set",
		"a variable that is not set");
}

static json_t *shell(const char *script)
{
	return json_pack("{s:[s,s,s]}", "command", "/bin/sh", "-c", script);
}

static void test_commands(void)
{
	is_secret(shell("echo hunter2"), "hunter2", "a command");
	is_secret(shell("printf hunter2"), "hunter2", "a command without a line end");
	is_secret(shell("echo hunter2; echo user: me"), "hunter2", "only its first line");
	is_secret(json_pack("{s:[s,s]}", "command", "cat", "good"), "hunter2",
		"a command in the scenario's folder, by $PATH");
	is_secret(json_pack("{s:[s,s]}", "command", "printf", "$HOME;`id`"), "$HOME;`id`",
		"no shell in between");
	is_secret(shell("cat; echo hunter2"), "hunter2", "its standard input is empty");
	is_secret(shell("echo noise >&2; echo hunter2"), "hunter2",
		"what it says on stderr is dropped");
	is_secret(shell("sleep 100 & echo hunter2"), "hunter2",
		"one that leaves something in the background");
}

static void test_bad_commands(void)
{
	is_refused(shell("echo hunter2; exit 3"), "status 3", "by hand", "a failing command");
	is_refused(shell("exit 0"), "command", "empty", "a command that prints nothing");
	is_refused(shell("echo; echo hunter2"), "command", "empty", "an empty first line");
	is_refused(json_pack("{s:[s]}", "command", "/nonexistent/helper"), "/nonexistent/helper",
		"cannot be executed", "a missing command");
	is_refused(json_pack("{s:[]}", "command"), "list", "words", "no words");
	is_refused(json_pack("{s:[s,i]}", "command", "echo", 5), "command", "",
		"a word that is no string");
	is_refused(shell("kill -9 $$"), "signal 9", "died", "a command that dies");
	is_refused(shell("yes hunter2"), "more than", "secret", "an endless command");
}

/* A zombie has ended; init may take its time to bury it. */
static bool has_ended(const char *pid)
{
	char path[64], stat[256] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%.*s/stat", (int)strcspn(pid, "\n"), pid);
	file = fopen(path, "re");
	if (file == NULL)
		return true;
	if (fgets(stat, sizeof(stat), file) == NULL)
		stat[0] = '\0';
	fclose(file);
	return strstr(stat, ") Z ") != NULL;
}

static void test_slow_command(void)
{
	int64_t start = clock_now(), spent;
	char pid[32] = "";
	FILE *file;

	is_refused(shell("sleep 98 & echo $! >pid; exec sleep 99"), "within 5 s", "killed",
		"a command that hangs");
	spent = clock_now() - start;
	ok(spent > 4 * NS_PER_SECOND && spent < 7 * NS_PER_SECOND, "after five seconds");
	file = fopen(in_folder("pid"), "re");
	if (file == NULL || fgets(pid, sizeof(pid), file) == NULL)
		abort();
	fclose(file);
	clock_sleep_until(deadline_in(50 * NS_PER_MS));
	ok(has_ended(pid), "with all that it started");
}

static void test_inline(void)
{
	char *out;

	is_secret(json_string("inline-secret"), "inline-secret", "text in the scenario");
	is_refused(json_string("two\nlines"), "line break", "one line", "two lines inline");
	is_refused(json_pack("{s:s}", "magic", "x"), "one of file", "command", "unknown source");
	out = redact_string("so inline-secret it is, or hunter2");
	is_string(out, "so *** it is, or ***", "each secret that was read is redacted");
	free(out);
}

static void clean_up(void)
{
	json_t *words = json_pack("[s,s,s]", "rm", "-rf", folder);
	char *argv[4] = {NULL};

	for (size_t i = 0; i < 3; i++)
		argv[i] = (char *)(uintptr_t)json_string_value(json_array_get(words, i));
	if (fork() == 0) {
		execvp("rm", argv);
		_exit(1);
	}
	wait(NULL);
	json_decref(words);
}

int main(void)
{
	if (mkdtemp(folder) == NULL)
		abort();
	test_files();
	test_bad_files();
	test_bad_content();
	test_folders();
	test_owners();
	test_credentials();
	test_env();
	test_commands();
	test_bad_commands();
	test_slow_command();
	test_inline();
	redact_forget();
	clean_up();
	return done_testing();
}
