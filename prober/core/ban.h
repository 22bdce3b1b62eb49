/* Functions that have no place in this code, each with what to call instead. */
#ifndef MAILPROBE_BAN_H
#define MAILPROBE_BAN_H

#pragma GCC poison strcpy strcat sprintf vsprintf gets strtok atoi atol atof
/* text_copy, text_append: bounded, always ended. parse_*: they say what was wrong. */
#pragma GCC poison system popen
/* A shell never sees data. posix_spawn or execve with an argument list. */
#pragma GCC poison gethostbyname getaddrinfo
/* dns_resolve: has a deadline. */

#endif
