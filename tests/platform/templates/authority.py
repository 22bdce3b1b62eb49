"""The authorization server: OAuth 2.0 for the users of the mail platform, built on Authlib.

On a Unix socket behind nginx, in a folder with settings.json. Gives tokens for a refresh token (a new
one at each use, RFC 6749), for a client's own credentials, and for a device code (RFC 8628); tells
Dovecot whose a token is (introspection, RFC 7662); revokes (RFC 7009). Each request is a line of
requests.log, as JSON and without its secrets. Started again, it has forgotten all tokens.
"""

import json
import os
import secrets
import signal
import socketserver
import sys
import threading
import time
from urllib.parse import parse_qsl
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from authlib.oauth2 import OAuth2Request
from authlib.oauth2.rfc6749 import AuthorizationServer, ClientMixin, TokenMixin, grants
from authlib.oauth2.rfc6749.errors import InvalidGrantError
from authlib.oauth2.rfc6750 import BearerTokenGenerator
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7662 import IntrospectionEndpoint
from authlib.oauth2.rfc8628 import (DeviceAuthorizationEndpoint, DeviceCodeGrant,
                                    DeviceCredentialDict)

BY_FORM_OR_HEADER = ["client_secret_post", "client_secret_basic"]
PAGE = """<!DOCTYPE html><title>A device wants to log in</title>
<form method="post"><p>Code <input name="user_code"><p>User <input name="username">
<p>Password <input name="password" type="password">
<p><button name="decision" value="allow">Allow</button>
<button name="decision" value="deny">Deny</button></form>
"""


class Client(ClientMixin):
    """A program that may ask: `lifetime` of its tokens in seconds; `user` it acts for by itself."""

    def __init__(self, name, secret, grants, lifetime=3600, user=None):
        self.name, self.secret, self.grants = name, secret, grants
        self.lifetime, self.user = lifetime, user

    def get_client_id(self):
        return self.name

    def get_allowed_scope(self, scope):
        return scope or ""

    def check_client_secret(self, secret):
        return secrets.compare_digest(self.secret, secret)

    def check_endpoint_auth_method(self, method, endpoint):
        return method in BY_FORM_OR_HEADER

    def check_grant_type(self, grant):
        return grant in self.grants


class Token(TokenMixin):
    """An access token and the refresh token that came with it: each may be revoked."""

    def __init__(self, client, user, given):
        self.client, self.user = client, user
        self.access, self.refresh = given["access_token"], given.get("refresh_token")
        self.scope, self.lifetime = given.get("scope", ""), given["expires_in"]
        self.ends_at = time.time() + self.lifetime
        self.revoked = set()

    def check_client(self, client):
        return self.client is client

    def get_scope(self):
        return self.scope

    def get_expires_in(self):
        return self.lifetime

    def is_expired(self):
        return self.ends_at <= time.time()

    def is_revoked(self):
        return self.access in self.revoked


class Device(DeviceCredentialDict):
    """A device whose user has not decided, or has: `user` and `allowed`."""

    def is_expired(self):
        return self["ends_at"] <= time.time()


class Authority(AuthorizationServer):
    def __init__(self, settings):
        super().__init__()
        self.issuer, self.users = settings["issuer"], settings["users"]
        self.clients = {name: Client(name, **one) for name, one in settings["clients"].items()}
        self.tokens, self.devices = [], {}
        self.register_token_generator("default", BearerTokenGenerator(
            fresh, fresh, lambda client, grant: client.lifetime))
        for grant in (Refresh, Credentials, ByDevice):
            self.register_grant(grant)
        for endpoint in (Introspection, Revocation, Authorization):
            self.register_endpoint(endpoint)

    def query_client(self, client_id):
        return self.clients.get(client_id)

    def save_token(self, token, request):
        self.tokens.append(Token(request.client, request.user or request.client.user, token))

    def find(self, secret):
        return next((one for one in self.tokens if secret in (one.access, one.refresh)), None)

    def send_signal(self, name, *_, **__):
        """Nobody listens."""

    def create_oauth2_request(self, request):
        return request

    def handle_response(self, status, body, headers):
        return status, body, headers

    def decide(self, form):
        """A user has filled in the page."""
        device = next((one for one in self.devices.values()
                       if one["user_code"] == form.get("user_code")), None)
        password = self.users.get(form.get("username"))
        if password is None or not secrets.compare_digest(password, form.get("password", "")):
            return 403, "wrong user or password\n", []
        if device is None or device.is_expired():
            return 404, "there is no such code\n", []
        device.update(user=form["username"], allowed=form.get("decision") == "allow")
        return 200, "done\n", []

    def answer(self, method, path, headers, form):
        request = OAuth2Request(method, self.issuer + path, form, headers)
        if path == "/device":
            return self.decide(form) if method == "POST" else (200, PAGE, [])
        if method != "POST":
            return 405, "", []
        if path == "/token":
            return self.create_token_response(request)
        name = path.removeprefix("/")
        return self.create_endpoint_response(name, request) if name in self._endpoints \
            else (404, "", [])


def fresh(**_):
    return secrets.token_urlsafe(40)


class Refresh(grants.RefreshTokenGrant):
    INCLUDE_NEW_REFRESH_TOKEN = True
    TOKEN_ENDPOINT_AUTH_METHODS = BY_FORM_OR_HEADER

    def authenticate_refresh_token(self, refresh_token):
        token = self.server.find(refresh_token)
        if token is None or token.refresh != refresh_token:
            raise InvalidGrantError("This refresh token was never given.")
        if refresh_token in token.revoked:
            raise InvalidGrantError("This refresh token was used before, or revoked.")
        return token

    def authenticate_user(self, credential):
        return credential.user

    def revoke_old_credential(self, credential):
        credential.revoked.update((credential.access, credential.refresh))


class Credentials(grants.ClientCredentialsGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = BY_FORM_OR_HEADER


class ByDevice(DeviceCodeGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = BY_FORM_OR_HEADER

    def query_device_credential(self, device_code):
        return self.server.devices.get(device_code)

    def query_user_grant(self, user_code):
        device = next(one for one in self.server.devices.values() if one["user_code"] == user_code)
        return (device["user"], device["allowed"]) if "user" in device else None

    def should_slow_down(self, credential):
        before, credential["asked_at"] = credential.get("asked_at", 0), time.time()
        return credential["asked_at"] - before < credential["interval"] * 0.9


class Authorization(DeviceAuthorizationEndpoint):
    CLIENT_AUTH_METHODS = BY_FORM_OR_HEADER
    EXPIRES_IN, INTERVAL = 600, 1

    def get_verification_uri(self):
        return f"{self.server.issuer}/device"

    def save_device_credential(self, client_id, scope, data):
        self.server.devices[data["device_code"]] = Device(
            data, client_id=client_id, scope=scope, ends_at=time.time() + data["expires_in"])


class Introspection(IntrospectionEndpoint):
    CLIENT_AUTH_METHODS = BY_FORM_OR_HEADER

    def check_permission(self, token, client, request):
        return True

    def query_token(self, token_string, token_type_hint):
        token = self.server.find(token_string)
        return token if token and token.access == token_string else None

    def introspect_token(self, token):
        return {"username": token.user, "client_id": token.client.name, "scope": token.scope,
                "token_type": "Bearer", "exp": int(token.ends_at)}


class Revocation(RevocationEndpoint):
    CLIENT_AUTH_METHODS = BY_FORM_OR_HEADER

    def query_token(self, token_string, token_type_hint):
        return self.server.find(token_string)

    def revoke_token(self, token, request):
        token.revoked.add(request.form["token"])


class Application:
    """One request at a time: the tokens are in memory alone."""

    def __init__(self, authority):
        self.authority, self.turn = authority, threading.Lock()

    def __call__(self, environ, start_response):
        length = int(environ.get("CONTENT_LENGTH") or 0)
        form = dict(parse_qsl(environ["wsgi.input"].read(length).decode()))
        headers = {"Authorization": environ["HTTP_AUTHORIZATION"]} \
            if "HTTP_AUTHORIZATION" in environ else {}
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        with self.turn:
            status, body, headers = self.authority.answer(method, path, headers, form)
            self.note(method, path, form, status, body)
        data = (json.dumps(body) if isinstance(body, dict) else body).encode()
        start_response(f"{status} .", [*headers, ("Content-Length", str(len(data)))])
        return [data]

    @staticmethod
    def note(method, path, form, status, body):
        told = {"at": time.time(), "method": method, "path": path, "status": status,
                "grant": form.get("grant_type"), "client": form.get("client_id")}
        if isinstance(body, dict):
            told["error"] = body.get("error")
        with open("requests.log", "a") as log:
            log.write(json.dumps(told) + "\n")


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer, WSGIServer):
    daemon_threads = True
    request_queue_size = 200

    def server_bind(self):
        socketserver.UnixStreamServer.server_bind(self)
        self.server_name, self.server_port = "login", 443
        self.setup_environ()

    def get_request(self):
        return self.socket.accept()[0], ("nginx", 0)


class Handler(WSGIRequestHandler):
    def log_message(self, *_):
        pass


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with open("settings.json") as handle:
        authority = Authority(json.load(handle))
    os.umask(0)
    server = Server("socket", Handler)
    os.umask(0o022)
    server.set_app(Application(authority))
    with open("pid", "w") as handle:
        handle.write(f"{os.getpid()}\n")
    server.serve_forever()


main()
