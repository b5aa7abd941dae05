"""Checks an archive with nothing of sluice in it (see archive_reading.py). Prints JSON lines.

  archive_checker.py walk FOLDER
      each partition's chain of objects: whole, contiguous, as its notes say
  archive_checker.py compare FOLDER --kafka HOST:PORT --group G --topic T...
      the same, and record by record beside what Kafka holds; --records FILE: beside what another
      reader read; --isolation read_uncommitted; --open: the archive need not reach Kafka's end;
      --shortened: Kafka may have deleted the first records of an object meanwhile
  archive_checker.py dump FOLDER
      every record

FOLDER is what lies above the groups; --notes: where versitygw keeps what it stores beside it.
"""

import argparse
import base64
import collections
import hashlib
import json
import os
import struct
import sys

from archive_kafka import from_file, from_kcat, partitions_of
from archive_reading import Damaged, Record, find_objects, frames

PROBLEMS_MOST = 20


class Partition:
    """What is told of one partition."""

    def __init__(self, group, topic, partition):
        self.group, self.topic, self.partition = group, topic, partition
        self.objects = self.records = self.null_values = 0
        self.first = self.next = None
        self.gaps = []
        self.sha = hashlib.sha256()
        self.slowest_ms = None
        self.writers = set()
        self.kafka_records = self.lost = self.extra = self.altered = 0
        self.problems = []

    def problem(self, text):
        if len(self.problems) < PROBLEMS_MOST:
            self.problems.append(text)

    def tell(self):
        text = {
            "kind": "partition",
            "group": self.group,
            "topic": self.topic,
            "partition": self.partition,
            "objects": self.objects,
            "records": self.records,
            "nullValues": self.null_values,
            # Text: offsets can be larger than what a JavaScript number holds.
            "first": None if self.first is None else str(self.first),
            "next": None if self.next is None else str(self.next),
            "gaps": [[str(first), str(after)] for first, after in self.gaps],
            "writers": sorted(self.writers),
            "slowestMs": self.slowest_ms,
            "contentSha256": self.sha.hexdigest(),
            "kafkaRecords": self.kafka_records,
            "lost": self.lost,
            "extra": self.extra,
            "altered": self.altered,
            "problems": self.problems,
        }
        print(json.dumps(text))


def walk_chain(told, chain, gap_notes):
    """Gives (object, its frames) along a chain; what is wrong is told and walked past."""
    for one in chain:
        told.objects += 1
        try:
            raw = one.open()
            content = list(frames(raw))
            check_content(told, one, content)
        except (Damaged, OSError, KeyError, ValueError, IndexError) as error:
            told.problem(f"{one.path}: {type(error).__name__}: {error}")
            continue
        if told.first is None:
            told.first = one.first
        elif one.first != told.next:
            kind = "doubled" if one.first < told.next else "missing"
            told.problem(f"{one.path}: begins at {one.first}, {told.next} is next: offsets {kind}")
        if one.notes.get("gap"):
            told.gaps.append((one.first, one.next))
        told.next = one.next
        yield one, content
    if sorted(gap_notes) != sorted(told.gaps):
        told.problem(f"gap files tell {sorted(gap_notes)}, objects {sorted(told.gaps)}")


def check_content(told, one, content):
    """The counts of the notes, the offsets of whole records, and the hash over the content."""
    if len(content) != one.notes["records"]:
        raise Damaged(f"records: {len(content)} are there, the notes say {one.notes['records']}")
    if one.notes.get("gap") and content:
        raise Damaged("a gap with records in it")
    told.writers.add(one.notes.get("writer", ""))
    if "first-timestamp" in one.notes:
        age = os.stat(one.path).st_mtime_ns // 1_000_000 - int(one.notes["first-timestamp"])
        told.slowest_ms = max(age, told.slowest_ms or age)
    told.records += len(content)
    told.null_values += one.notes["null-values"]
    if one.form == "value":
        empty = sum(1 for frame in content if not frame)
        if empty < one.notes["null-values"]:
            raise Damaged(f"null-values: {one.notes['null-values']}, but {empty} are empty")
        for frame in content:
            told.sha.update(struct.pack(">Q", len(frame)))
            told.sha.update(frame)
        return
    before, nulls = one.first - 1, 0
    for frame in content:
        record = Record(frame)
        if not before < record.offset < one.next:
            raise Damaged(f"offset {record.offset} after {before} in {one.first}..{one.next}")
        before = record.offset
        nulls += record.value is None
        told.sha.update(struct.pack(">qQ", record.timestamp, len(record.tail)))
        told.sha.update(record.tail)
    if nulls != one.notes["null-values"]:
        raise Damaged(f"null-values: {nulls} are there, the notes say {one.notes['null-values']}")


def compare_chain(told, walked, items, is_open, is_shortened):
    """Holds each object beside Kafka's records of its offsets."""
    stream = iter(items)
    item = next(stream, None)
    log_start = None if item is None else item.offset
    for one, content in walked:
        if log_start is None or one.next <= log_start:
            continue  # Kafka has nothing of it any more
        while item is not None and item.offset < one.first:
            lose(told, item, f"is before {one.first}")
            item = next(stream, None)
        wanted = []
        while item is not None and item.offset < one.next:
            wanted.append(item)
            item = next(stream, None)
        told.kafka_records += len(wanted)
        if is_shortened and one.first < log_start:
            content = content[len(content) - len(wanted) :]
        compare_object(told, one, content, wanted)
    while item is not None:
        if is_open:
            return
        lose(told, item, f"is after the archive's end, {told.next}")
        item = next(stream, None)


def lose(told, item, why):
    told.kafka_records += 1
    told.lost += 1
    told.problem(f"offset {item.offset} of Kafka {why}")


def compare_object(told, one, content, wanted):
    if one.form == "value":
        seen = content
        expected = [item.value or b"" for item in wanted]
    else:
        records = [Record(frame) for frame in content]
        seen = [(r.offset, r.timestamp, r.key, r.value, tuple(r.headers)) for r in records]
        expected = [
            (i.offset, i.timestamp, i.key, i.value, tuple(i.headers)) for i in wanted
        ]
    if seen == expected:
        return
    have, want = collections.Counter(seen), collections.Counter(expected)
    lost = list((want - have).elements())
    extra = list((have - want).elements())
    told.lost += len(lost)
    told.extra += len(extra)
    if not lost and not extra:
        told.altered += 1
    for name, some in (("lost", lost), ("extra", extra)):
        if some:
            told.problem(f"{one.path}: {len(some)} {name}, such as {some[0]!r:.200}")
    if not lost and not extra:
        told.problem(f"{one.path}: not in the order of Kafka")


def walk(arguments):
    chains, gaps, strays = find_objects(arguments.folder, arguments.notes)
    for place, chain in sorted(chains.items()):
        told = Partition(*place)
        for _ in walk_chain(told, chain, gaps.get(place, [])):
            pass
        told.tell()
    tell_strays(gaps, chains, strays)


def compare(arguments):
    chains, gaps, strays = find_objects(arguments.folder, arguments.notes)
    read = from_file(arguments.records) if arguments.records else {}
    for topic in arguments.topic:
        if arguments.records:
            known = [*chains, *((arguments.group, *place) for place in read)]
            numbers = sorted({p for g, t, p in known if (g, t) == (arguments.group, topic)})
        else:
            numbers = partitions_of(arguments.kafka, topic)
        for partition in numbers:
            place = (arguments.group, topic, partition)
            chain = chains.get(place, [])
            if arguments.records:
                items = read.get((topic, partition), [])
            else:
                whole = any(one.form == "record" for one in chain)
                isolation = arguments.isolation
                items = from_kcat(arguments.kafka, topic, partition, isolation, whole)
            told = Partition(*place)
            walked = walk_chain(told, chain, gaps.get(place, []))
            compare_chain(told, walked, items, arguments.open, arguments.shortened)
            told.tell()
    tell_strays(gaps, chains, strays)


def tell_strays(gaps, chains, strays):
    strays += [f"gap of {place}" for place in gaps if place not in chains]
    print(json.dumps({"kind": "end", "strays": strays}))


def dump(arguments):
    chains, _, _ = find_objects(arguments.folder, arguments.notes)
    for (group, topic, partition), chain in sorted(chains.items()):
        for one in chain:
            for frame in frames(one.open()):
                text = {"kind": "record", "group": group, "topic": topic, "partition": partition}
                text["first"] = str(one.first)
                if one.form == "value":
                    text["value"] = base64.b64encode(frame).decode()
                else:
                    record = Record(frame)
                    text["offset"] = str(record.offset)
                    text["timestamp"] = record.timestamp
                    text["key"] = base64_of(record.key)
                    text["value"] = base64_of(record.value)
                    headers = [[base64_of(name), base64_of(value)] for name, value in record.headers]
                    text["headers"] = headers
                print(json.dumps(text))


def base64_of(data):
    return None if data is None else base64.b64encode(data).decode()


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("action", choices=["walk", "compare", "dump"])
    parser.add_argument("folder")
    parser.add_argument("--notes")
    parser.add_argument("--kafka")
    parser.add_argument("--group", default="sluice")
    parser.add_argument("--topic", action="append", default=[])
    parser.add_argument("--records")
    parser.add_argument("--isolation", default="read_committed")
    parser.add_argument("--open", action="store_true")
    parser.add_argument("--shortened", action="store_true")
    arguments = parser.parse_args()
    {"walk": walk, "compare": compare, "dump": dump}[arguments.action](arguments)


if __name__ == "__main__":
    sys.exit(main())
