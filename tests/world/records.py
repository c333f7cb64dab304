# SPDX-License-Identifier: LGPL-2.1-or-later
"""Records of lfad's history, as its files have them."""

import json

FILES = ("history.jsonl.3", "history.jsonl.2", "history.jsonl.1", "history.jsonl")  # the oldest first


def parse(text, record_type=None, job=None):
    """The records in a file's text, in its order; of one type and one job if given. What is no record is left out, and
    so is the last line while it is not all there."""
    records = []
    for line in text.split("\n")[:-1]:
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if not isinstance(record, dict) or "type" not in record or "seq" not in record:
            continue
        if record["type"] == "queued":
            record.setdefault("job", record["seq"])  # this record's number is what gives a job its id
        if record_type in (None, record["type"]) and job in (None, record.get("job")):
            records.append(record)
    return records
