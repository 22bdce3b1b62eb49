#!/bin/sh
# Fault "auth-down", for Postfix: an authentication server that dies as soon as it is asked.
# Dovecot's own temporary failure would not do: Postfix 3.7 answers 535 to it, not 454.
printf 'VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nMECH\tLOGIN\tplaintext\nSPID\t1\nCUID\t1\nCOOKIE\t0\nDONE\n'
while read -r request; do
  case $request in AUTH*) exit 0 ;; esac
done
