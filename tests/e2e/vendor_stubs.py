"""The vendors that events are sent to, as they look to a sender: what each is set up with, what it
documents of a request (vendors/*.json), what it answers. A stub that plays any of them.
"""

import json
import string
import time
import urllib.parse
from dataclasses import dataclass

import jsonschema

import aws_signature
from harness import TESTS, ok, same, says, work
from receivers import Quiet, reset

ROUTING_KEY = (string.ascii_uppercase + string.digits)[:32]
GENIE_KEY = "eb243592-faa2-4ba2-a551-1afdf565c889"
ACCESS_KEY = "AKIDEXAMPLE"
SECRET_KEY = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
SESSION_TOKEN = "IQoJb3JpZ2luX2VjE+a/" * 60 + "=="
WEBHOOK_KEY = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"
ACCOUNT = "arn:aws:{}:eu-central-1:123456789012:{}"
# --- the stub ------------------------------------------------------------------------------

@dataclass
class Request:
    method: str
    target: str
    headers: dict
    body: bytes
    taken: bool = False

    @property
    def path(self):
        return self.target.partition("?")[0]

    def json(self):
        return json.loads(self.body)

    def form(self):
        pairs = urllib.parse.parse_qsl(self.body.decode(), strict_parsing=True)
        same(len(dict(pairs)), len(pairs), "no field is given twice")
        return dict(pairs)


class Stub:
    """Answers by `script`, one word a request, then well."""

    def __init__(self, vendor):
        self.vendor, self.requests, self.script, self.on_request = vendor, [], [], None
        stub = self

        class Handler(Quiet):
            def take(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                request = Request(self.command, self.path, dict(self.headers), body)
                stub.requests.append(request)
                if stub.on_request:
                    stub.on_request()
                stub.act(self, request, stub.script.pop(0) if stub.script else "fine")
            do_POST = do_PUT = do_GET = take
        self.handler = Handler

    def act(self, handler, request, word):
        status, _, wait = word.partition(" ")
        if word == "hang":
            time.sleep(2.5)
            handler.close_connection = True
        elif word == "reset":
            reset(handler)
        elif word == "redirect":
            handler.answer(307, ("Location", "/elsewhere"))
        elif word == "fine":
            request.taken = True
            handler.answer(self.vendor.status)
        else:
            handler.answer(int(status), *([("Retry-After", wait)] if wait else []))

    @property
    def taken(self):
        return [request for request in self.requests if request.taken]


# --- the vendors ---------------------------------------------------------------------------

def secret_file(value):
    path = work("secret") / "secret"
    path.write_text(value + "\n")
    path.chmod(0o600)
    return {"file": str(path)}


class Vendor:
    """How one sink is set up and what its requests mean."""
    status = 202                                  # what it says when it takes something
    at_rest = "delivered"                         # of a row that was taken

    def sink(self, url):
        raise NotImplementedError

    def check(self, request):
        """All that is documented of a request holds; returns what it is to the vendor."""
        raise NotImplementedError

    def key_of(self, request):
        """The dedup key that the request is about."""
        raise NotImplementedError

    def ids_of(self, request):
        """event_id.revision, where the request has it."""
        raise NotImplementedError


def validate(name, body):
    schema = json.loads((TESTS / "vendors" / f"{name}.json").read_text())
    errors = [f"{error.json_path}: {error.message[:200]}"
              for error in jsonschema.Draft7Validator(schema).iter_errors(body)]
    same(errors, [], f"{name}: as the vendor documents it")


def id_of(event):
    return f"{event['event_id']}.{event['revision']}"


class PagerDuty(Vendor):
    name = "pagerduty"

    def sink(self, url):
        return {"pagerduty": {"url": url + "/v2/enqueue", "secret": secret_file(ROUTING_KEY)}}

    def check(self, request):
        body = request.json()
        validate("pagerduty", body)
        same((request.method, request.target, request.headers["Content-Type"], body["routing_key"]),
             ("POST", "/v2/enqueue", "application/json", ROUTING_KEY), "pagerduty: where to")
        ok(len(request.body) <= 512 * 1024, "pagerduty: 512 KB at most", len(request.body))
        return body["event_action"]

    def key_of(self, request):
        return request.json()["dedup_key"]

    def ids_of(self, request):
        details = request.json().get("payload", {}).get("custom_details")
        return id_of(details) if details else None

    life = ["trigger", "trigger", "acknowledge", "resolve"]


class Opsgenie(Vendor):
    name, prefix = "opsgenie", ""

    def sink(self, url):
        return {"opsgenie": {"url": url + self.prefix, "secret": secret_file(GENIE_KEY)}}

    def check(self, request):
        base = self.prefix.rstrip("/") + "/v2/alerts"
        same(request.headers["Authorization"], f"GenieKey {GENIE_KEY}", "opsgenie: its key")
        if request.target == base:
            verb = "create"
            same(request.json()["alias"], self.key_of(request), "opsgenie: its alias")
        else:
            verb = request.path.rpartition("/")[2]
            same(request.target, f"{base}/test%2Fpage%2Fdown{self.key_of(request)[14:]}/{verb}"
                 "?identifierType=alias", "opsgenie: where to")
        same(request.method, "PUT" if verb == "priority" else "POST", "opsgenie: its method")
        validate(f"opsgenie_{verb}", request.json())
        return verb

    def key_of(self, request):
        if request.path.endswith("/v2/alerts"):
            return request.json()["alias"]
        return urllib.parse.unquote(request.path.split("/")[-2])

    def ids_of(self, request):
        return request.json().get("details", {}).get("id")

    life = ["create", "create", "notes", "acknowledge", "close"]


class ServiceManagement(Opsgenie):
    name, prefix = "jsm", "/jsm/ops/integration/"


class Aws(Vendor):
    """What SNS, SQS and Lambda have in common: the signature."""
    status, service, resource, token = 200, None, None, True
    life = ["open", "update", "ack", "resolved"]

    @property
    def name(self):
        return f"{self.service} {self.resource}"

    def sink(self, url):
        token = {"session_token": secret_file(SESSION_TOKEN)} if self.token else {}
        return {"aws": {"arn": ACCOUNT.format(self.service, self.resource), "endpoint": url,
                        "access_key": secret_file(ACCESS_KEY),
                        "secret": secret_file(SECRET_KEY)} | token}

    def check(self, request):
        must_sign = ["host", "x-amz-date", "content-type", *self.more_headers]
        must_sign += ["x-amz-security-token"] if self.token else []
        same(aws_signature.trouble(request, ACCESS_KEY, SECRET_KEY, "eu-central-1", self.service,
                                   must_sign), None, f"{self.name}: signed")
        if self.token:
            same(request.headers["X-Amz-Security-Token"], SESSION_TOKEN, f"{self.name}: its token")
        self.check_body(request)
        return self.event_of(request)["state"]

    def key_of(self, request):
        return self.event_of(request)["dedup_key"]

    def ids_of(self, request):
        return id_of(self.event_of(request))

    def check_fifo(self, request, fields):
        fifo = self.resource.endswith(".fifo")
        same((fields.get("MessageGroupId"), fields.get("MessageDeduplicationId")),
             (self.key_of(request), self.ids_of(request)) if fifo else (None, None),
             f"{self.name}: its group and id")

    def check_attributes(self, request, attributes):
        event = self.event_of(request)
        same(attributes, {key: event[key] for key in
                          ("severity", "state", "customer", "scenario")},
             f"{self.name}: attributes that filters can use")

    more_headers = []


class Sns(Aws):
    service = "sns"

    def __init__(self, resource, token=True):
        self.resource, self.token = resource, token

    def event_of(self, request):
        return json.loads(request.form()["Message"])

    def check_body(self, request):
        form = request.form()
        validate("sns", form)
        same((request.method, request.target, request.headers["Content-Type"], form["TopicArn"]),
             ("POST", "/", "application/x-www-form-urlencoded",
              ACCOUNT.format("sns", self.resource)), "sns: where to")
        prefix = "MessageAttributes.entry."
        numbers = {key.split(".")[2] for key in form if key.startswith(prefix)}
        self.check_attributes(request, {
            form[f"{prefix}{n}.Name"]: form[f"{prefix}{n}.Value.StringValue"] for n in numbers})
        self.check_fifo(request, form)
        ok(len(form["Message"]) <= 262144, "sns: 256 KB at most")


class Sqs(Aws):
    service, more_headers = "sqs", ["x-amz-target"]

    def __init__(self, resource):
        self.resource = resource

    def event_of(self, request):
        return json.loads(request.json()["MessageBody"])

    def check_body(self, request):
        body = request.json()
        validate("sqs", body)
        same((request.method, request.target, request.headers["Content-Type"],
              request.headers["X-Amz-Target"]),
             ("POST", "/", "application/x-amz-json-1.0", "AmazonSQS.SendMessage"), "sqs: where to")
        says(body["QueueUrl"], [f"/123456789012/{self.resource}"], "sqs: its queue")
        self.check_attributes(request, {
            key: one["StringValue"] for key, one in body["MessageAttributes"].items()})
        self.check_fifo(request, body)
        ok(len(body["MessageBody"]) <= 262144, "sqs: 256 KB at most")


class Lambda(Aws):
    status, service, more_headers = 202, "lambda", ["x-amz-invocation-type"]

    def __init__(self, resource, target):
        self.resource, self.target = resource, target

    def event_of(self, request):
        return request.json()

    def check_body(self, request):
        validate("lambda", request.json())
        same((request.method, request.target, request.headers["X-Amz-Invocation-Type"]),
             ("POST", self.target, "Event"), "lambda: where to")
        ok(len(request.body) <= 262144, "lambda: 256 KB at most")


class Chat(Vendor):
    life = ["ERROR", "ERROR", "ACKNOWLEDGED", "RESOLVED"]

    def __init__(self, flavour):
        self.name, self.status = flavour, 202 if flavour == "teams" else 200

    def sink(self, url):
        return {"chat": {"flavour": self.name,
                         "secret_url": secret_file(f"{url}/services/T0/B0/sesame?sig=a%2Fb")}}

    def check(self, request):
        validate(self.name, request.json())
        same((request.method, request.target), ("POST", "/services/T0/B0/sesame?sig=a%2Fb"),
             f"{self.name}: where to")
        heading, text, footer = self.texts(request)
        same([word for word in (heading, text, footer) if self.is_loose(word)], [],
             f"{self.name}: nothing in it has a meaning")
        ok(len(request.body) < 28000, f"{self.name}: small enough", len(request.body))
        return heading.split()[0]

    def texts(self, request):
        body = request.json()
        if self.name == "teams":
            return [block["inlines"][0]["text"] for block in
                    body["attachments"][0]["content"]["body"]]
        return [body["text"], *(body["attachments"][0][key] for key in ("text", "footer"))]

    def is_loose(self, text):
        if self.name == "teams":                  # a TextRun knows no markup
            return False
        names = any(f"{mark}{name}" in text for mark, name in [
            ("@", "here"), ("@", "U123"), ("#", "all"), ("~", "town"), (":", "smile"), (":", "//"),
            ("www.", "evil"), ("evil.", "test")])
        if self.name == "slack":
            return names or "<" in text or ">" in text
        unescaped = text.replace("\\\\", "")
        return names or any(
            f"{one}" in unescaped.replace(f"\\{one}", "") for one in "`*_[]()")

    def key_of(self, request):
        return self.texts(request)[0].split()[1].replace("\\", "")

    def ids_of(self, request):
        return self.texts(request)[2].rpartition(" ")[2].replace("\\", "")


class Webhook(Vendor):
    name, status, life = "webhook", 204, ["open", "update", "ack", "resolved"]

    def sink(self, url):
        return {"webhook": {"url": url, "secret": secret_file(WEBHOOK_KEY)}}

    def check(self, request):
        same(request.headers["webhook-id"], self.ids_of(request), "webhook: its id")
        return request.json()["data"]["state"]

    def key_of(self, request):
        return request.json()["data"]["dedup_key"]

    def ids_of(self, request):
        return id_of(request.json()["data"])


class Alertmanager(Vendor):
    name, status, at_rest = "alertmanager", 200, "standing"

    def sink(self, url):
        return {"alertmanager": {"url": url}}

    def alert(self, request):
        return request.json()[0]

    def key_of(self, request):
        labels = self.alert(request)["labels"]
        return f"{labels['customer']}/{labels['scenario']}/{labels['alertname']}"

    def ids_of(self, request):
        return self.alert(request)["annotations"]["event_id"]
