/* evil_acts - what a worker might try once a server has taken it over. */
#ifndef MAILPROBE_EVIL_ACTS_H
#define MAILPROBE_EVIL_ACTS_H

#include <stdbool.h>
#include <sys/types.h>

/* What is there to be attacked. Its files are open to everybody on purpose, so that it is the
 * jail that keeps them. */
struct prey {
	char folder[64]; /* the current one */
	pid_t parent;
	void *word; /* in the parent's memory */
	int granted; /* the folder `mail`, whose files may be read and removed; -1: none may */
};

/* Makes a folder of them, with a folder `mail` of that user in it, and goes there. */
void prey_set_out(struct prey *prey, void *word, uid_t mail_user);
/* Fresh for each act, as one without a jail may have gone through. */
void prey_refresh(void);
void prey_clear(const struct prey *prey);

struct evil_act {
	const char *name;
	/* 0 if it worked, -1 if it was denied. */
	int (*commit)(const struct prey *prey);
	bool control; /* works for any user without a jail: proves that the act is a real one */
};

/* Each without a name at the end. */
extern const struct evil_act evil_acts_here[], evil_acts_beyond[];

/* Those that need a granted folder. */
extern const struct evil_act evil_acts_granted[];

#endif
