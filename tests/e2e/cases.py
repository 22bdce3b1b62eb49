"""A fault and what the prober must say about it: a table row for the fault tests."""

import functools
import re
from dataclasses import dataclass, field

from harness import GRACE, ok, run, same, says, scenario, wait_for, work

SEND = {"smtp_send": {"id": "send", "from": "inside", "to": "outside"}}
LOGIN = {"imap_login": {"id": "login", "account": "inside"}}


def awaited(**settings):
    """An await of the mail of SEND."""
    return {"imap_await": {"id": "seen", "account": "outside", "mail": "send", "within": "2s"}
            | settings}


@functools.cache
def receiving_maildir(platform):
    """That of the outside, which its server makes for the first mail."""
    run(scenario(platform, "first", [SEND]))
    wait_for("the first mail", platform.outside.mails)
    platform.clear()
    return platform.outside.maildir()


@dataclass
class Case:
    """One scenario in which one step goes wrong."""
    name: str
    steps: list
    verdict: tuple                                # outcome, error_type, blame, phase ("" if none)
    words: list                                   # in the sentence that a person reads
    accounts: dict = None                         # those of the platform unless given
    culprit: str = None                           # id of the step; the first one unless given
    timeout: str = "4s"
    keys: dict = field(default_factory=dict)

    @property
    def deadline(self):
        return float(self.timeout.removesuffix("s"))


def judge(platform, *cases, **options):
    """Run the cases side by side in one run of the prober, and compare."""
    folder = work("cases")
    files = [scenario(platform, case.name, case.steps, case.accounts, folder,
                      timeout=case.timeout, **case.keys) for case in cases]
    outcome = run(*files, "--jobs", len(files), **options)
    same(len(outcome.records), len(cases), f"{len(cases)} scenarios leave as many records", outcome)
    for case in cases:
        compare(case, outcome)
    expected = {case.verdict[0] for case in cases}
    same(outcome.code, 1 if "fail" in expected else 3 if "error" in expected else 0,
         f"the exit code follows from {', '.join(sorted(expected))}", outcome)
    return outcome


def compare(case, outcome):
    record = outcome.of(case.name)
    step = outcome.step(case.culprit or record["steps"][0]["id"], case.name)
    got = tuple(step.get(key, "") for key in ("outcome", "error_type", "blame", "error_phase"))
    shown = {key: value for key, value in record.items() if key != "mails"}
    same(got, case.verdict, f"{case.name}: {' '.join(filter(None, case.verdict))}", shown)
    says(step.get("error"), case.words, f"{case.name}: \"{step.get('error')}\"")
    same([record.get(key, "") for key in ("outcome", "error_type", "blame")], [*case.verdict[:3]],
         f"{case.name}: the run says the same", shown)
    ok(record["duration_seconds"] <= case.deadline + GRACE,
       f"{case.name}: {record['duration_seconds']:.2f} s of {case.deadline:.0f} s allowed")
    if case.verdict[0] == "fail" and step["phases"]:
        check_evidence(case, step)


def check_evidence(case, step):
    """A failed step shows what was said, with a time on each line, and nothing secret."""
    lines = step.get("transcript", [])
    if step.get("peer_address") and step.get("error_phase") != "connect":
        ok(lines, f"{case.name}: the transcript shows what was said", step)
    times = [line["at_seconds"] for line in lines]
    ok(times == sorted(times), f"{case.name}: the transcript is in order", lines)
    secret = [line for line in lines if re.search(r"AUTH(ENTICATE)? PLAIN [A-Za-z0-9+/=]{12,}",
                                                   line["text"])]
    same(secret, [], f"{case.name}: the transcript shows no password")
