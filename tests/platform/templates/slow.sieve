# Fault "slow-lmtp": taken by LMTP, and not yet in the mailbox.
require "vnd.dovecot.execute";
execute "sleep" ["@SLOW_STORE_SECONDS@"];
