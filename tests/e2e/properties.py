"""What holds for every record, whatever happened in its run.

The harness gives each record here that any test makes the prober write: it follows the schema,
its phases add up, time never runs backwards, and what was not reached is absent.
"""

import json

import jsonschema

prober = None                                   # runs a command of mailprobe; set by the harness
checked = 0
broken = []                                     # sentences, one a broken promise

REST_SECONDS = 0.001                            # what no phase accounts for: at most this,
REST_SHARE = 0.02                               # and at most this share of the step
ROUNDING = 3e-6                                 # two timestamps of whole microseconds
CPU_TICK = 0.004                                # the kernel's account of a process may lag by
TRIES_AGAIN = {"mx_send"}                       # goes through its phases once a host and try
RANKS = ["skipped", "pass", "warn", "error", "fail"]
BLAMES = {"fail": {"target", "network"}, "error": {"vantage", "config", "prober"}}

_tables = {}


def schema():
    if "schema" not in _tables:
        _tables["schema"] = json.loads(prober("schema", "result"))
        jsonschema.validators.validator_for(_tables["schema"]).check_schema(_tables["schema"])
    return _tables["schema"]


def phases_of(step_type):
    """Names of the phases that a step type may go through, in their order."""
    if "phases" not in _tables:
        types = json.loads(prober("steps", "--json"))
        types = types["steps"] if isinstance(types, dict) else types
        _tables["phases"] = {one["name"]: one["phases"] for one in types}
    return [phase if isinstance(phase, str) else phase["name"]
            for phase in _tables["phases"][step_type]]


def json_lines(text):
    """Records that a text holds, line by line."""
    return [json.loads(line) for line in text.splitlines() if line.startswith('{"schema"')]


def check_all(records):
    global checked
    for record in records:
        checked += 1
        broken.extend(f"{record.get('customer')}/{record.get('scenario')} {record.get('run_id')}: "
                      f"{violation}" for violation in violations(record))


def violations(record):
    """All that is wrong with a record, as sentences."""
    found = list(against_schema(record))
    if found:
        return found                              # nothing below could be trusted
    found += against_clock(record)
    found += against_cpu(record)
    for step in record["steps"]:
        found += [f"step {step['id']}: {one}" for one in against_step(record, step)]
    for mail in record["mails"]:
        found += [f"mail of {mail['step']}: {one}" for one in against_mail(mail)]
    return found + list(against_outcome(record))


def against_schema(record):
    kind = jsonschema.validators.validator_for(schema())
    for error in kind(schema()).iter_errors(record):
        place = "/".join(map(str, error.absolute_path))
        yield f"against the schema at {place}: {error.message[:300]}"


def against_clock(record):
    if record["ended_at"] < record["started_at"]:
        yield "ended before it started"
    yield from (f"{name} is negative" for name in negative(record))


def against_cpu(record):
    """What the steps used is a part of what their worker used, and a step that did something used
    some."""
    steps = [step for step in record["steps"] if "cpu_seconds" in step]
    total = sum(step["cpu_seconds"] for step in steps)
    if total > record.get("worker_cpu_seconds", total) + CPU_TICK:
        yield f"its steps used {total} s of processor time, and the worker {record['worker_cpu_seconds']} s"
    yield from (f"step {step['id']} passed without processor time" for step in steps
                if step["outcome"] == "pass" and step["cpu_seconds"] == 0)


MAY_BE_NEGATIVE = ("delivery_seconds_min", "delivery_seconds_max", "clock_offset_seconds_min",
                   "clock_offset_seconds_max", "clock_jump_seconds", "spam_score", "spam_level")


def negative(value, name="record"):
    """Names of negative numbers. The bounds of a delivery may be: a platform that delivers before it
    answers the final dot is faster than its own reply. A clock may be behind ours, and a filter's
    score is what it likes."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key not in MAY_BE_NEGATIVE:
                yield from negative(item, f"{name}.{key}")
    elif isinstance(value, list):
        for item in value:
            yield from negative(item, name)
    elif isinstance(value, (int, float)) and value < 0:
        yield name


def against_step(record, step):
    phases, outcome = step["phases"], step["outcome"]
    yield from against_names(step)
    yield from against_order(phases)
    if outcome == "pass" and "error_type" in step:
        yield "passed with an error_type"
    if outcome not in ("pass", "skipped") and not {"error_type", "error", "blame"} <= set(step):
        yield f"{outcome} without error_type, error and blame"
    if outcome in BLAMES and step.get("blame") not in BLAMES[outcome]:
        yield f"{outcome} is blamed on {step.get('blame')}"
    if outcome == "skipped" and "reason" not in step:
        yield "skipped without a reason"
    if phases and end_of(phases[-1]) > record["duration_seconds"] + ROUNDING:
        yield "ended after its run"
    if "start_seconds" in step:
        yield from against_sum(step)
    elif phases:
        yield "has phases and never began"


def against_names(step):
    allowed = phases_of(step["type"])
    names = [phase["name"] for phase in step["phases"]]
    for name in names:
        if name not in allowed:
            yield f"{name} is no phase of {step['type']}"
    known = [allowed.index(name) for name in names if name in allowed]
    if step["type"] not in TRIES_AGAIN and known != sorted(known):
        yield f"phases out of order: {names}"
    if step["type"] not in TRIES_AGAIN and len(set(names)) != len(names):
        yield f"a phase comes twice: {names}"
    # What is found on the way, and what looks at everything before it judges, goes on behind it.
    goes_on = step["outcome"] == "warn" or step["type"] == "dns_check"
    if "error_phase" in step and step["error_phase"] not in (names if goes_on else names[-1:]):
        yield f"failed in {step['error_phase']}, yet its phases are {names}"


def against_order(phases):
    for before, after in zip(phases, phases[1:]):
        if after["start_seconds"] < before["start_seconds"]:
            yield f"{after['name']} starts before {before['name']}"
        if end_of(before) > after["start_seconds"] + ROUNDING:
            yield f"{before['name']} overlaps {after['name']}"


def against_sum(step):
    """The phases are the step: as it says itself, and by the clock from its start to its end."""
    total = sum(phase["duration_seconds"] for phase in step["phases"])
    if exceeds(abs(step["duration_seconds"] - total), step):
        yield f"phases sum up to {total:.6f} s of {step['duration_seconds']:.6f} s"
    if not step["phases"]:
        return
    rest = unattributed(step)
    # A mail that is deferred is announced behind the last phase.
    after = step.get("ledger_wait_seconds", 0) if step["outcome"] != "pass" else 0
    if rest < -ROUNDING * len(step["phases"]) - after:
        yield f"phases are {-rest:.6f} s longer than the step"
    if step["outcome"] == "pass" and exceeds(rest, step):
        yield (f"no phase accounts for {rest:.6f} s of {step['duration_seconds']:.6f} s: "
               f"{step['start_seconds']} {step['phases']}")


def exceeds(seconds, step):
    rounding = ROUNDING * (len(step["phases"]) + 1)
    return seconds > min(REST_SECONDS, REST_SHARE * step["duration_seconds"]) + rounding


def unattributed(step):
    """Wall time of the step that is in no phase. Waits of our own are outside on purpose: the
    ledger's before the final dot, hashing for a login, an await's for its mail to be sent, that of what comes after
    the await of the chain, and what is put in order before a deferred mail rests."""
    phases = step["phases"]
    pairs = list(zip(phases, phases[1:]))
    gaps = {(before["name"], after["name"]): 0.0 for before, after in pairs}
    for before, after in pairs:
        gaps[before["name"], after["name"]] += after["start_seconds"] - end_of(before)
    for waits in (("search", "wait"), ("idle", "wait"), ("watch", "wait"), ("wait", "store"),
                  ("wait", "copies")):
        gaps.pop(waits, None)
    put_off = ("others", "deferred") + (("policy",) if step["type"] == "mx_send" else ())
    gaps = {pair: gap for pair, gap in gaps.items() if pair[1] not in put_off}
    rest = phases[0]["start_seconds"] - step["start_seconds"] + sum(gaps.values())
    # A ledger that refuses the mail is waited for behind the last phase: then it is in no gap.
    own = step.get("ledger_wait_seconds", 0) + step.get("auth_wait_seconds", 0)
    return rest - min(own, max(rest, 0))


def end_of(phase):
    return phase["start_seconds"] + phase["duration_seconds"]


def against_mail(mail):
    if "delivery_seconds" not in mail:
        return
    low, middle, high = (mail[f"delivery_seconds{end}"] for end in ("_min", "", "_max"))
    if low > high:
        yield f"delivered at the latest {high} and at the earliest {low} s after acceptance"
    if not (low - ROUNDING <= middle <= max(high, 0) + ROUNDING):
        yield f"delivery_seconds {middle} is not between {low} and {high}"
    # One that a later look found is likeliest to have come when the server says.
    if "first_look_at" not in mail and middle > 0 and abs(middle - (low + high) / 2) > ROUNDING:
        yield f"delivery_seconds {middle} is not in the middle of {low} and {high}"


def against_outcome(record):
    """A run is as its gravest step; one without steps says itself what it met."""
    outcomes = [step["outcome"] for step in record["steps"]]
    gravest = max(outcomes, key=RANKS.index) if outcomes else record["outcome"]
    if gravest == "pass" and record.get("attempts"):   # but only at the second try
        gravest = "warn"
    if record["outcome"] != gravest:
        yield f"outcome {record['outcome']}, though its gravest step is {gravest}"
    if record["outcome"] == "pass" and ("error_type" in record or "blame" in record):
        yield "passed with an error"
    if record["outcome"] in BLAMES and record.get("blame") not in BLAMES[record["outcome"]]:
        yield f"{record['outcome']} is blamed on {record.get('blame')}"
