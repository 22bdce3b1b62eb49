"""What the records of a results folder say of mails, put side by side with what really happened."""

import json
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field

from harness import all_lines

OPEN = {"sending", "accepted", "deferred", "unknown"}
ARRIVED = {"delivered", "late", "found_after_lost", "junked", "altered"}
TOLD_TWICE = ["lost", "found_after_lost"]       # one after the other, and nothing else


@dataclass
class Told:
    states: dict = field(default_factory=dict)    # mail: final states, in the order of the records
    runs: Counter = field(default_factory=Counter)   # records by run id
    damaged: list = field(default_factory=list)   # lines that are none
    records: list = field(default_factory=list)


def told(results, keep_records=False):
    """All that the lines say."""
    said = Told()
    for (path, number), line in all_lines(results).items():
        try:
            record = json.loads(line)
        except ValueError:
            said.damaged.append(f"{path.name}:{number + 1}: {line[:80]}")
            continue
        said.runs[record["run_id"]] += 1
        if keep_records:
            said.records.append(record)
        for mail in record["mails"] + record.get("settled", []):
            if mail["state"] not in OPEN:
                said.states.setdefault(mail["mail"], []).append(mail["state"])
    return said


def told_once(states, now):
    """Whether a mail was told of in exactly one record, as what it is now."""
    return states[-1:] == [now] and (len(states) == 1 or states == TOLD_TWICE)


def ledger_rows(results, columns="mail, state"):
    """Rows of the ledger, oldest first; none if there is no ledger yet."""
    path = results / "state.db"
    if not path.exists():
        return []
    with closing(sqlite3.connect(path)) as database:
        names = {name for name, in database.execute("SELECT name FROM sqlite_schema")}
        if "mails" not in names:
            return []
        return database.execute(f"SELECT {columns} FROM mails ORDER BY id").fetchall()
