/* What evil acts are tried upon: a folder of files, a socket, a Maildir's folder. */
#include "evil_acts.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static void make_file(const char *name)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

	if (fd == -1 || write(fd, "secret\n", 7) != 7 || fchmod(fd, 0666) != 0)
		abort();
	close(fd);
}

static void make_socket(void)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX, .sun_path = "socket"};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0 || listen(fd, 100) != 0)
		abort();
	/* Left open: it is this test's for as long as it lives. */
}

void prey_set_out(struct prey *prey, void *word, uid_t mail_user)
{
	struct rlimit cores;

	/* Where the shell allows none, a core that is missing would prove nothing. */
	getrlimit(RLIMIT_CORE, &cores);
	cores.rlim_cur = cores.rlim_max;
	setrlimit(RLIMIT_CORE, &cores);
	*prey = (struct prey){.parent = getpid(), .word = word, .granted = -1};
	snprintf(prey->folder, sizeof(prey->folder), "/tmp/mailprobe-jail-XXXXXX");
	if (mkdtemp(prey->folder) == NULL || chdir(prey->folder) != 0 || chmod(".", 0777) != 0 ||
		mkdir("secrets", 0755) != 0 || mkdir("mail", 0777) != 0 ||
		chown("mail", mail_user, mail_user) != 0 || chmod("mail", 0777) != 0)
		abort();
	make_file("secrets/own.secret");
	make_file("secrets/other.secret");
	make_socket();
}

void prey_refresh(void)
{
	static const char *const leftovers[] = {"new", "moved", "second", "pointer", "fifo",
		"mail/forged", "mail/moved", "mail/second", NULL};

	for (size_t i = 0; leftovers[i] != NULL; i++)
		unlink(leftovers[i]);
	rmdir("folder");
	mkdir("empty", 0777);
	make_file("victim");
	rmdir("mail/folder");
	mkdir("mail/inner", 0777);
	make_file("mail/letter");
	(void)!symlink("../secrets/other.secret", "mail/link");
	(void)!symlink("..", "mail/up");
	(void)mkfifo("mail/fifo", 0666);
}

void prey_clear(const struct prey *prey)
{
	static const char *const mail[] = {
		"mail/letter", "mail/link", "mail/up", "mail/fifo", NULL};

	prey_refresh();
	for (size_t i = 0; mail[i] != NULL; i++)
		unlink(mail[i]);
	rmdir("mail/inner");
	rmdir("mail");
	unlink("secrets/own.secret");
	unlink("secrets/other.secret");
	rmdir("secrets");
	rmdir("empty");
	unlink("victim");
	unlink("socket");
	if (chdir("/") != 0 || rmdir(prey->folder) != 0)
		printf("# %s is left over\n", prey->folder);
}
