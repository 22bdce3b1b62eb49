#!/bin/sh
# Fault "imap-slow": between a right password and Dovecot's "Logged in".
sleep "$1"
shift
exec "$@"
