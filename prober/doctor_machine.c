#include "doctor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <unistd.h>

#include "ban.h"

#define MEGABYTE (1024 * 1024.0)
#define ROOM_BAD_MB 50
#define ROOM_WARN_MB 500

/* --- the clock ------------------------------------------------------------------------- */

/* adjtimex(2) only reads with modes of 0. */
static void check_clock(struct findings *findings)
{
	struct timex timex = {.modes = 0};
	int state = adjtimex(&timex);

	if (state == -1)
		finding_say(findings, FINDING_UNKNOWN, "clock", NULL,
			"the kernel does not tell: %s", strerror(errno));
	else if (state == TIME_ERROR || (timex.status & STA_UNSYNC) != 0)
		finding_say(findings, FINDING_WARN, "clock",
			"run an NTP client (chrony, systemd-timesyncd); durations are right without "
			"it, but delays of hops and times of day are not",
			"it is not synchronised");
	else
		finding_say(findings, FINDING_OK, "clock", NULL,
			"it is synchronised, within %.3f s", (double)timex.maxerror / 1e6);
}

/* --- the folder ------------------------------------------------------------------------ */

static void check_owner(const char *path, bool secret, struct findings *findings)
{
	struct stat info;
	mode_t others = secret ? 077 : 022;

	if (stat(path, &info) < 0) {
		if (errno != ENOENT)
			finding_say(findings, FINDING_UNKNOWN, "folder", NULL, "%s: %s", path,
				strerror(errno));
		return;
	}
	if ((info.st_mode & others) != 0)
		finding_say(findings, FINDING_BAD, "folder",
			secret ? "chmod 600; whoever can read it may forge probe mails or read "
				 "their account"
			       : "chmod go-w; whoever can write there may change the results",
			"%s may be %s by others (mode %04o)", path, secret ? "read" : "written",
			(unsigned int)(info.st_mode & 07777));
	else if (info.st_uid != geteuid())
		finding_say(findings, FINDING_WARN, "folder",
			"run mailprobe, and doctor, as one user",
			"%s belongs to user %u, and this is user %u", path,
			(unsigned int)info.st_uid, (unsigned int)geteuid());
	else
		finding_say(findings, FINDING_OK, "folder", NULL, "%s is ours (mode %04o)", path,
			(unsigned int)(info.st_mode & 07777));
}

static void check_room(const char *path, struct findings *findings)
{
	struct statvfs info;
	double room;

	if (statvfs(path, &info) < 0) {
		finding_say(findings, FINDING_UNKNOWN, "folder", NULL, "%s: %s", path,
			strerror(errno));
		return;
	}
	room = (double)info.f_bavail * (double)info.f_frsize / MEGABYTE;
	finding_say(findings,
		room < ROOM_BAD_MB              ? FINDING_BAD
			: room < ROOM_WARN_MB ? FINDING_WARN
					      : FINDING_OK,
		"folder", room < ROOM_WARN_MB ? "make room; without it no mail is sent" : NULL,
		"%.0f MB are free in %s", room, path);
	if (info.f_files > 0 && info.f_favail < 100)
		finding_say(findings, FINDING_BAD, "folder", "make room: remove files",
			"only %llu files can still be made in %s",
			(unsigned long long)info.f_favail, path);
}

static void check_folder(const char *results_dir, struct findings *findings)
{
	static const char *const secrets[] = {"state.db", "token.key"};
	char path[PATH_MAX];

	if (access(results_dir, F_OK) < 0) {
		finding_say(findings, FINDING_WARN, "folder", "the first run makes it",
			"there is no %s yet", results_dir);
		return;
	}
	check_owner(results_dir, false, findings);
	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", results_dir, secrets[i]);
		check_owner(path, true, findings);
	}
	if (access(results_dir, W_OK) < 0)
		finding_say(findings, FINDING_BAD, "folder", "chown it to the user of mailprobe",
			"nothing can be written to %s: %s", results_dir, strerror(errno));
	check_room(results_dir, findings);
}

void doctor_machine(const char *results_dir, struct findings *findings)
{
	check_clock(findings);
	check_folder(results_dir, findings);
}
