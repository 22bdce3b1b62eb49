<?php
// The front door of the webmail of @DOMAIN@: Roundcube with this instance's configuration.
// It lies in the instance's folder, and so does PHP while it serves: that makes it ours to stop.
define('INSTALL_PATH', '/var/lib/roundcube/');
define('RCMAIL_CONFIG_DIR', __DIR__);
define('RCUBE_PLUGINS_DIR', __DIR__ . '/plugins/');

// What is wrong on purpose: words, some with a number. The plugin "faults" does the rest.
const FAULTS = '@FAULT_WEBMAIL@';

function has_fault($name)
{
    return in_array($name, explode(' ', FAULTS));
}

if (preg_match('/slow=(\d+)/', FAULTS, $slow)) {
    sleep((int) $slow[1]);
}
if (has_fault('maintenance')) {
    readfile(__DIR__ . '/pages/maintenance.html');
    exit;
}
require INSTALL_PATH . 'index.php';
