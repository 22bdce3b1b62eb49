<?php
// Roundcube of @DOMAIN@, made from tests/platform/templates/webmail/config.inc.php
$config['db_dsnw'] = 'sqlite:///@DATA@/webmail/@WEBMAIL_DATABASE@?mode=0640';
$config['temp_dir'] = '@DATA@/webmail/temp/';
$config['log_dir'] = '@DATA@/webmail/logs/';
// By address: a C library in the private root knows no name server. The certificates that are
// wrong on purpose are for users: inside the platform nobody checks them.
$config['imap_host'] = 'ssl://@HOST_IP@:@IMAPS_PORT@';
$config['imap_conn_options'] = ['ssl' => ['verify_peer' => false, 'verify_peer_name' => false]];
$config['imap_timeout'] = 60;
$config['smtp_host'] = 'ssl://@HOST_IP@:@SMTPS_PORT@';
$config['smtp_conn_options'] = $config['imap_conn_options'];
$config['smtp_helo_host'] = 'webmail.@DOMAIN@';
$config['username_domain'] = '@DOMAIN@';
$config['mail_domain'] = '@DOMAIN@';
$config['product_name'] = 'Acme Webmail';
$config['support_url'] = '';
$config['des_key'] = '@WEBMAIL_KEY@';
$config['plugins'] = ['faults'];
$config['skin'] = 'elastic';
$config['language'] = 'en_US';
$config['enable_spellcheck'] = false;
$config['enable_installer'] = false;
$config['login_rate_limit'] = 1000;
$config['session_lifetime'] = 10;
$config['junk_mbox'] = 'Junk';
$config['drafts_mbox'] = 'Drafts';
$config['sent_mbox'] = 'Sent';
$config['trash_mbox'] = 'Trash';
