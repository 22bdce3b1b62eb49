"""What every end-to-end test shares: the prober, a real platform, scenario files, TAP.

    #!/usr/bin/python3 -B
    from harness import main, ok, run, same, scenario

    def a_mail_goes_round(platform):
        outcome = run(scenario(platform, "round", [...]))
        same(outcome.code, 0, "a round trip passes", outcome)

    main(a_mail_goes_round)

`main` brings one platform up for all tests of the file that take an argument, runs them in
order, takes everything down again (also on failure and on a signal) and prints the plan. Words
on the command line choose tests by a part of their name. Every record that any test makes the
prober write is checked against the promises of properties.py. ScriptedServer (scripted.py)
plays what no real server does.

The environment names the prober: MAILPROBE, the path of the binary.
"""

import contextlib
import json
import os
import pwd
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path

import properties
from scripted import ScriptedServer, certificate, imap, pop3, smtp   # noqa: F401 (for the tests)

TESTS = Path(__file__).resolve().parent
PROJECT = TESTS.parent.parent
COMMANDS = PROJECT / "tests" / "platform"
GRACE = 1.0                                     # a run ends at its deadline plus this

THERE_AND_BACK = [
    {"smtp_send": {"id": "out", "from": "inside", "to": "outside"}},
    {"imap_await": {"id": "out-seen", "account": "outside", "mail": "out", "within": "20s"}},
    {"smtp_send": {"id": "in", "from": "outside", "to": "inside"}},
    {"imap_await": {"id": "in-seen", "account": "inside", "mail": "in", "within": "20s"}},
]
THERE = THERE_AND_BACK[:2]

_stack = contextlib.ExitStack()                 # what must be taken down, newest first
_sessions = {}                                  # tell our processes from anybody else's: when begun
SESSION_SECONDS = 120                           # in which a run starts all its processes


# --- TAP -----------------------------------------------------------------------------------

class Tally:
    """Test points so far."""
    count = 0
    failed = 0


def ok(condition, name, *details):
    """One test point; details are shown if it fails. Returns whether it passed."""
    Tally.count += 1
    Tally.failed += not condition
    say(f"{'ok' if condition else 'not ok'} {Tally.count} - {name.replace('#', '')}")
    if not condition:
        for detail in details:
            note(detail)
    return bool(condition)


def same(got, want, name, *details):
    return ok(got == want, name, f"got:  {got!r}", f"want: {want!r}", *details)


def says(text, words, name, *details):
    """The text has all these words in it, in any case."""
    missing = [word for word in words if word.lower() not in (text or "").lower()]
    return ok(not missing, name, f"text:    {text!r}", f"missing: {missing}", *details)


def note(text):
    """A diagnostic."""
    for line in str(text).splitlines():
        say(f"# {line}")


def say(line):
    print(line, flush=True)


def bail_out(reason):
    say(f"Bail out! {reason}")
    sys.exit(1)


# --- a test file ---------------------------------------------------------------------------

def main(*tests):
    """Run the tests, take everything down, print the plan. The process ends here."""
    need_root()
    chosen = [test for test in tests if is_chosen(test)]
    with taking_down():
        for test in chosen:
            attempt(test)
        same(survivors(), [], "no process of the prober is left")
        ok(not properties.broken, f"all {properties.checked} records keep their promises",
           *properties.broken[:20])
    say(f"1..{Tally.count}")
    sys.exit(1 if Tally.failed or not chosen else 0)


@contextlib.contextmanager
def taking_down():
    """What is brought up inside of the `with` block is taken down behind it, also on a failure
    and on a signal."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    with _stack:
        yield


def need_root():
    """The platform's servers need it (not the prober): never skip, say what to do."""
    if os.geteuid() == 0:
        return
    kept = [f"{key}={value}" for key, value in os.environ.items() if key.startswith("MAILPROBE")]
    if shutil.which("sudo") and subprocess.run(["sudo", "-n", "true"]).returncode == 0:
        os.execvp("sudo", ["sudo", "-n", *kept, *sys.argv])
    bail_out("the test platform needs root: run as root, or let sudo work without a password")


def is_chosen(test):
    words = sys.argv[1:]
    return not words or any(word.replace("-", "_") in test.__name__ for word in words)


def attempt(test):
    """An exception is a failed test point, never the end of the other tests."""
    note(f"--- {test.__name__.replace('_', ' ')}")
    takes_platform = test.__code__.co_argcount > 0
    try:
        test(*([shared_platform()] if takes_platform else []))
    except Exception:
        ok(False, f"{test.__name__.replace('_', ' ')}: ran to its end", traceback.format_exc())
    finally:
        if takes_platform and Platform.shared:
            Platform.shared.clear()


def later(action, *arguments):
    """Something to undo when the test file ends, whatever happens."""
    _stack.callback(action, *arguments)


def wait_for(what, condition, seconds=10):
    """Poll until the condition holds; returns its value."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {seconds} s")
        time.sleep(0.01)
    return value


_work = None


def work(name=None):
    """The test file's own folder, or a new one in it; anybody may look into it."""
    global _work
    if _work is None:
        _work = Path(tempfile.mkdtemp(prefix="mailprobe-e2e-"))
        later(shutil.rmtree, _work)
        _work.chmod(0o755)
    if name is None:
        return _work
    folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=_work))
    folder.chmod(0o755)
    return folder


# --- the platform --------------------------------------------------------------------------

@dataclass
class Side:
    """One mail domain: its platform.json keys in lower case, such as imaps_port."""
    name: str
    keys: dict

    def __getattr__(self, key):
        try:
            return self.keys[key]
        except KeyError:
            raise AttributeError(key) from None

    def password(self):
        return Path(self.password_file).read_text().strip()

    def maildir(self, user="probe", folder=""):
        return Path(self.maildir_root) / user / "Maildir" / folder

    def mails(self, user="probe", folder=""):
        """Files of a mailbox; folder is "" or such as ".Junk"."""
        boxes = [self.maildir(user, folder) / state for state in ("new", "cur")]
        return [path for box in boxes if box.is_dir() for path in box.iterdir()]

    def log(self):
        """What Postfix has logged so far."""
        return Path(self.mail_log).read_text(errors="replace")

    def submissions(self):
        """How many mails were begun with, by their envelopes."""
        return self.log().count(": client=")

    def sessions(self):
        """How many SMTP sessions were begun, and IMAP sessions ended."""
        imap = Path(self.dovecot_log).read_text(errors="replace").count("imap-login: ")
        return self.log().count("]: connect from "), imap


class Platform:
    """Two real mail domains on loopback. Use shared_platform(), or `with Platform() as ...`."""
    shared = None
    made = 0

    def __init__(self):
        Platform.made += 1
        self.name = f"test-{os.getpid()}-{Platform.made}"
        self.on = []
        take_down_orphans()
        later(self.down)
        platform_command("up", self.name)
        keys = json.loads((platforms() / self.name / "platform.json").read_text())
        self.resolver, self.ca_file = keys["RESOLVER"], keys["CA_FILE"]
        self.dkim_key_file = keys["DKIM_KEY_FILE"]
        self.inside, self.outside = (side_of(keys, name) for name in ("inside", "outside"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.down()

    def down(self):
        if self.name:
            name, self.name = self.name, None
            platform_command("down", name)

    def side(self, name):
        return getattr(self, name)

    def switch(self, fault, state="on", side="inside"):
        platform_command("fault", "--name", self.name, "--side", side, fault, state)
        if state == "on":
            self.on.append((fault, side))
        else:
            self.on.remove((fault, side))

    @contextlib.contextmanager
    def fault(self, *faults, side="inside"):
        """The faults are on inside of the `with` block."""
        try:
            for fault in faults:
                self.switch(fault, "on", side)
            yield
        finally:
            for fault in faults:
                if (fault, side) in self.on:
                    self.switch(fault, "off", side)

    def clear(self):
        """All faults off, both mailboxes of the probe empty: a fresh start for the next test."""
        if self.on:
            platform_command("fault", "--name", self.name, "clear")
            self.on = []
        for side in (self.inside, self.outside):
            for folder in ("", ".Junk"):
                for path in side.mails(folder=folder):
                    path.unlink(missing_ok=True)

    def account(self, side, **changes):
        """An account of a scenario. A change to None leaves the key out; tls is merged."""
        own = self.side(side)
        account = {
            "address": own.address,
            "password": {"file": own.password_file},
            "submission": f"smtp://{own.smtp_host}:{own.submission_port}",
            "imap": f"imaps://{own.imap_host}:{own.imaps_port}",
            "pop3": f"pop3s://{own.pop_host}:{own.pop3s_port}",
            "resolver": [self.resolver],
            "tls": {"ca_file": self.ca_file} | changes.pop("tls", {}),
        }
        return {key: value for key, value in (account | changes).items() if value is not None}


def side_of(keys, name):
    prefix = f"{name.upper()}_"
    return Side(name, {key.removeprefix(prefix).lower(): value for key, value in keys.items()
                       if key.startswith(prefix)})


def platforms():
    return Path(os.environ.get("MAILPROBE_PLATFORM_DIR") or PROJECT / ".platform")


def take_down_orphans():
    """Platforms of tests that were killed before they could take them down."""
    for folder in platforms().glob("test-*-*"):
        pid = folder.name.split("-")[1]
        if pid.isdigit() and not Path(f"/proc/{pid}").exists():
            platform_command("down", folder.name)


def platform_command(command, *arguments):
    done = subprocess.run([COMMANDS / command, *arguments], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL)
    if done.returncode:
        raise RuntimeError(f"{command} {' '.join(arguments)}: {done.stdout}{done.stderr}")
    return done.stdout


def is_calm(side):
    """No SMTP session goes on, such as those that looked whether the platform is up."""
    log = side.log()
    return log.count(": connect from ") == log.count(": disconnect from ")


def shared_platform():
    if Platform.shared is None:
        Platform.shared = Platform()
        for side in (Platform.shared.inside, Platform.shared.outside):
            wait_for("a calm platform", lambda side=side: is_calm(side))
    return Platform.shared


# --- scenario files ------------------------------------------------------------------------

def scenario(platform, name, steps, accounts=None, folder=None, **keys):
    """Write a scenario file of customer `test`; returns its path. `accounts` are those of the
    platform unless given; keys such as timeout="5s" come on top. What fails is not tried again
    unless `confirm` says so."""
    if accounts is None:
        accounts = {side: platform.account(side) for side in ("inside", "outside")}
    path = Path(folder or work("scenario")) / f"{name}.yaml"
    document = {"customer": "test", "scenario": name, "confirm": {"off": True}} | keys
    path.write_text(yaml(document | {"accounts": accounts, "steps": steps}))
    path.chmod(0o644)
    return path


def yaml(value, indent=0):
    """Block style for mappings, and JSON, which is YAML too, for all else."""
    lines = []
    for key, item in value.items():
        if key == "steps":
            lines += [f"{key}:"] + [f"  - {json.dumps(step)}" for step in item]
        elif isinstance(item, dict) and item:
            lines += [f"{' ' * indent}{key}:", yaml(item, indent + 2)]
        else:
            lines.append(f"{' ' * indent}{key}: {json.dumps(item)}")
    return "\n".join(lines) + ("\n" if not indent else "")


# --- the prober ----------------------------------------------------------------------------

@dataclass
class Outcome:
    """What a call of mailprobe left behind."""
    code: int
    out: str
    err: str
    seconds: float
    results: Path
    records: list = field(default_factory=list)   # this call's lines of the results

    @property
    def record(self):
        """The only one."""
        assert len(self.records) == 1, f"{len(self.records)} records instead of one\n{self}"
        return self.records[0]

    def of(self, scenario_name):
        found = [one for one in self.records if one["scenario"] == scenario_name]
        assert len(found) == 1, f"{len(found)} records of {scenario_name} instead of one\n{self}"
        return found[0]

    def step(self, step_id, scenario_name=None):
        record = self.of(scenario_name) if scenario_name else self.record
        found = [step for step in record["steps"] if step["id"] == step_id]
        assert len(found) == 1, f"{len(found)} steps {step_id} instead of one\n{self}"
        return found[0]

    def __str__(self):
        shown = "\n".join(json.dumps(record)[:2000] for record in self.records)
        return (f"exit code {self.code} after {self.seconds:.2f} s\nstdout: {self.out[:2000]}\n"
                f"stderr: {self.err[:2000]}\nrecords: {shown}")


class Running:
    """A call of mailprobe that goes on."""

    def __init__(self, arguments, results, user, env, cwd, tty=None, net=True):
        self.results = results
        self.seen = all_lines(results)
        self.begun = time.monotonic()
        self.out, self.err = (tempfile.TemporaryFile("w+") for _ in range(2))
        self.process = subprocess.Popen(
            [*([] if net else ["unshare", "--net"]), *as_user(user), binary(user), *map(str, arguments)], cwd=cwd, text=True,
            stdin=subprocess.DEVNULL, stdout=tty or self.out, stderr=tty or self.err,
            env=environment(env), start_new_session=True)
        watch_session(self.process.pid)
        later(self.kill)

    @property
    def pid(self):
        return self.process.pid

    def workers(self):
        """Processes that it has forked, such as one worker a scenario."""
        return [pid for pid in survivors() if (stat := stat_of(pid)) and stat.parent == self.pid]

    def worker(self, seconds=10):
        """Its first worker, as soon as there is one."""
        return wait_for("a worker", self.workers, seconds)[0]

    def lines(self):
        """Lines that the results have gained so far."""
        return new_lines(self.results, self.seen)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, seconds=60):
        """Its end; if that does not come in time, it is killed, and the code is -9."""
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            code = -signal.SIGKILL
        seconds = time.monotonic() - self.begun
        texts = [self.read(stream) for stream in (self.out, self.err)]
        records = [json.loads(line) for line in self.lines()]
        properties.check_all(records)
        properties.check_all(properties.json_lines(texts[0]))
        return Outcome(code, *texts, seconds, self.results, records)

    def read(self, stream):
        stream.seek(0)
        return stream.read()


def start(*arguments, results=None, user=None, env=None, cwd=None, tty=None, net=True):
    """Begin `mailprobe run ARGUMENTS...`, off a terminal as under cron, with results of its own
    unless a folder is given; without `net`, on a machine without a network."""
    results = Path(results or work("results") / "results")
    command = ["run", "--results", results, "--vantage", "here", *arguments]
    return Running(command, results, user, env, cwd, tty, net)


def run(*arguments, within=60, **options):
    """`mailprobe run ARGUMENTS...` to its end."""
    return start(*arguments, **options).wait(within)


def mailprobe(*arguments):
    """Any other command of it; its stdout."""
    done = subprocess.run([binary(), *map(str, arguments)], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, env=environment(None))
    assert done.returncode == 0, f"{arguments}: {done.returncode} {done.stdout}{done.stderr}"
    return done.stdout


_copy = None


def binary(user=None):
    """The prober; a normal user gets a copy where it can be reached."""
    global _copy
    path = Path(os.environ.get("MAILPROBE") or PROJECT / "build" / "prober" / "mailprobe")
    if not path.exists():
        bail_out(f"there is no prober at {path}: set MAILPROBE")
    if user is None:
        return path
    if _copy is None:
        _copy = work() / "mailprobe"
        shutil.copy(path, _copy)
        _copy.chmod(0o755)
    return _copy


def as_user(user):
    if user is None:
        return []
    entry = pwd.getpwnam(user)
    return ["setpriv", f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--clear-groups"]


def environment(changes):
    """Small and the same everywhere."""
    base = {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "LANG": "C.UTF-8", "HOME": str(work())}
    kept = {key: text for key, text in os.environ.items() if key.endswith("SAN_OPTIONS")}
    return base | kept | (changes or {})


def clock(**changes):
    """The environment of a prober on a machine with other clocks (other_clock.c)."""
    library = os.environ.get("MAILPROBE_OTHER_CLOCK") or binary().parents[1].joinpath(
        "tests", "e2e", "libother_clock.so")
    return {"LD_PRELOAD": str(library)} | {
        f"OTHER_CLOCK_{key.upper()}": str(value) for key, value in changes.items()}


def ledger(results, columns="state, settled"):
    """Rows of the ledger in state.db, oldest first; none if there is no ledger yet."""
    place = f"file:{results}/state.db?mode=ro"
    try:
        with contextlib.closing(sqlite3.connect(place, uri=True)) as database:
            return database.execute(f"SELECT {columns} FROM mails ORDER BY id").fetchall()
    except sqlite3.OperationalError:              # not made yet, or not whole
        return []


def all_lines(results):
    """Every result line, by file and number."""
    return {(path, number): line for path in sorted(Path(results).glob("*/*/*.jsonl"))
            for number, line in enumerate(path.read_text().splitlines())}


def new_lines(results, seen):
    return [line for place, line in all_lines(results).items() if place not in seen]


def survivors():
    """Processes of the prober that we started, directly or not, and that are alive. A worker may
    wipe its name and environment, but it stays in the session that its run was started in. In a long
    test the numbers of sessions come round: what began long after the run is somebody else's."""
    processes = map(int, filter(str.isdigit, os.listdir("/proc")))
    return [pid for pid in processes if (stat := stat_of(pid)) and
            stat.began <= _sessions.get(stat.session, -SESSION_SECONDS) + SESSION_SECONDS]


def watch_session(leader):
    """Processes of this session are ours, too."""
    _sessions[leader] = time.clock_gettime(time.CLOCK_BOOTTIME)


@dataclass
class Stat:
    parent: int
    session: int
    began: float                                # seconds since the machine was started


def stat_of(pid):
    """None of a process that has ended, even if nobody has asked for its exit code yet."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    began = int(fields[19]) / os.sysconf("SC_CLK_TCK")
    return Stat(int(fields[1]), int(fields[3]), began) if fields[0] not in "ZX" else None


def read_secret_as(user, path):
    """A copy of a password file that belongs to the user."""
    entry, copy = pwd.getpwnam(user), work("secret") / "password"
    shutil.copy(path, copy)
    os.chown(copy, entry.pw_uid, entry.pw_gid)
    copy.chmod(0o600)
    return copy


properties.prober = mailprobe
