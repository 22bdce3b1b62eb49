<?php
// Roundcube, with what goes wrong on purpose: see "webmail-" in mailplatform/faults.py.
class faults extends rcube_plugin
{
    public function init()
    {
        if (has_fault('error')) {
            throw new Error('an error on purpose');
        }
        if (has_fault('no-form')) {
            $this->add_hook('template_object_loginform', fn () => ['content' => '']);
        }
        if (has_fault('no-token')) {
            $this->add_hook('send_page', [$this, 'without_token']);
        }
        if (has_fault('captcha')) {
            $this->add_hook('template_object_loginform', [$this, 'with_captcha']);
            $this->add_hook('authenticate', [$this, 'check_captcha']);
        }
        if (has_fault('2fa')) {
            $this->add_hook('startup', [$this, 'second_factor']);
        }
    }

    public function without_token($page)
    {
        $page['content'] = preg_replace('/<input[^>]*name="_token"[^>]*>/', '', $page['content']);
        return $page;
    }

    public function with_captcha($form)
    {
        $form['content'] .= '<div class="captcha"><img src="?_captcha=1" alt="captcha">'
            . '<label for="captcha">Type the characters you see</label>'
            . '<input name="_captcha" id="captcha" required="required" autocomplete="off" type="text">'
            . '</div>';
        return $form;
    }

    public function check_captcha($login)
    {
        return ['abort' => true, 'error' => 'The characters do not match the picture.'] + $login;
    }

    // After a right password a code is asked for, and no code is ever right.
    public function second_factor($request)
    {
        if (!empty($_SESSION['user_id']) && !in_array($request['task'], ['login', 'logout'])) {
            readfile(RCMAIL_CONFIG_DIR . '/pages/2fa.html');
            exit;
        }
        return $request;
    }
}
