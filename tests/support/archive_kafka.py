"""What a Kafka holds, read by kcat (whose library is not ours either), or by another reader's file."""

import base64
import json
import subprocess


class Item:
    """One record as a reader of Kafka gave it."""

    __slots__ = ("offset", "timestamp", "key", "value", "headers")

    def __init__(self, offset, timestamp, key, value, headers):
        self.offset = offset
        self.timestamp = timestamp
        self.key = key
        self.value = value
        self.headers = headers


def partitions_of(kafka, topic):
    """The numbers of the topic's partitions."""
    said = subprocess.run(
        ["kcat", "-b", kafka, "-L", "-J", "-t", topic], check=True, capture_output=True
    )
    topics = json.loads(said.stdout)["topics"]
    return sorted(part["partition"] for one in topics for part in one["partitions"])


def from_kcat(kafka, topic, partition, isolation, whole):
    """The records of a partition from its beginning to its end now, in the order of offsets.

    whole: with keys, timestamps and headers (of printable text), and not values alone.
    """
    layout = "%o %S %T %K %h\\n%k%s" if whole else "%o %S\\n%s"
    words = ["kcat", "-C", "-e", "-q", "-o", "beginning", "-b", kafka, "-t", topic]
    words += ["-p", str(partition), "-f", layout, "-X", f"isolation.level={isolation}"]
    words += ["-X", "check.crcs=true", "-X", "fetch.wait.max.ms=20"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, bufsize=1 << 20) as kcat:
        stream = kcat.stdout
        while line := stream.readline():
            parts = line[:-1].split(b" ", 4)
            size = int(parts[1])
            key = timestamp = headers = None
            if whole:
                timestamp = int(parts[2])
                key = None if int(parts[3]) < 0 else stream.read(int(parts[3]))
                headers = headers_of(parts[4])
            value = None if size < 0 else stream.read(size)
            yield Item(int(parts[0]), timestamp, key, value, headers)
    if kcat.returncode:
        raise RuntimeError(f"kcat ended with {kcat.returncode} reading {topic} [{partition}]")


def headers_of(text):
    if not text:
        return []
    return [tuple(pair.split(b"=", 1)) for pair in text.split(b",")]


def from_file(path):
    """{(topic, partition): [Item]} of a file with one JSON object a record:

    {"topic", "partition", "offset": text, "timestamp", "key", "value", "headers": [[name, value]]},
    bytes in base64, null for null.
    """
    found = {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            one = json.loads(line)
            headers = [(bytes_of(name), bytes_of(value)) for name, value in one["headers"]]
            item = Item(
                int(one["offset"]),
                one["timestamp"],
                bytes_of(one["key"]),
                bytes_of(one["value"]),
                headers,
            )
            found.setdefault((one["topic"], one["partition"]), []).append(item)
    for items in found.values():
        items.sort(key=lambda item: item.offset)
    return found


def bytes_of(text):
    return None if text is None else base64.b64decode(text)
