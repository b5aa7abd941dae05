"""Reads objects of an archive with nothing of sluice in it: the second opinion of the tests.

An object is one gzip member with notes about itself in the header's extra field (subfield "SL", JSON).
Inside are frames, each an 8-byte big-endian length and so many bytes: a record's value
(`.baldr.gz`), or a whole record (`.records.gz`).
"""

import json
import os
import re
import struct
import zlib

SUFFIXES = {".baldr.gz": "value", ".records.gz": "record"}
KEY = re.compile(
    r"(?P<group>[^/]+)/(?P<topic>[^/]+)/partition=(?P<partition>0|[1-9]\d*)/(?P<name>[^/]+)"
)
OBJECT = re.compile(r"(?P<first>\d{10}|[1-9]\d{10,})(?P<suffix>\.baldr\.gz|\.records\.gz)")
GAP = re.compile(r"gap-(?P<first>\d{10}|[1-9]\d{10,})-(?P<next>\d{10}|[1-9]\d{10,})\.json")
# Notes are kept as text; these are numbers.
NUMBERS = ("first-offset", "next-offset", "records", "null-values", "uncompressed-bytes")
# CRC-32C goes byte by byte here: of larger objects only the gzip's own CRC is checked.
CRC32C_BYTES_MOST = 256 * 1024


class Damaged(Exception):
    """The object does not hold what it must; the text says what is wrong."""


class Object:
    """One object: what its key says, and what is in it once it was opened."""

    def __init__(self, path, first, form, stored):
        self.path = path
        self.stored = stored
        self.first = first
        self.form = form
        self.notes = {}

    def open(self):
        """Gives all frames as bytes; checks the gzip, the notes, the counts and the checksums."""
        with open(self.path, "rb") as file:
            packed = file.read()
        self.notes = notes_of(packed)
        for name in NUMBERS:
            self.notes[name] = int(self.notes[name])
        inflater = zlib.decompressobj(wbits=31)
        try:
            raw = inflater.decompress(packed)
        except zlib.error as error:
            raise Damaged(f"gzip: {error}") from error
        if not inflater.eof:
            raise Damaged("gzip: cut before its end")
        if inflater.unused_data:
            raise Damaged(f"gzip: {len(inflater.unused_data)} bytes after its end")
        self.check_notes(raw)
        return raw

    def check_notes(self, raw):
        notes = self.notes
        expect(notes["first-offset"], self.first, "first-offset beside the key")
        expect(notes["format"], self.form, "format beside the key")
        expect(notes["uncompressed-bytes"], len(raw), "uncompressed-bytes")
        if notes["next-offset"] < self.first:
            raise Damaged(f"next-offset {notes['next-offset']} is before first-offset")
        if len(raw) <= CRC32C_BYTES_MOST:
            expect(notes["crc32c"], f"{crc32c(raw):08x}", "crc32c")
        if self.stored is not None:
            with open(self.stored, encoding="utf-8") as file:
                stored = json.load(file)
            expect(stored, {name: str(value) for name, value in notes.items()}, "stored metadata")

    @property
    def next(self):
        return self.notes["next-offset"]


def expect(seen, wanted, what):
    if seen != wanted:
        raise Damaged(f"{what}: {seen} instead of {wanted}")


def find_objects(folder, notes=None):
    """Gives {(group, topic, partition): [Object]} by first offset, {same: [gap]}, [stray path].

    notes: where versitygw keeps what it stores beside the files of the folder.
    """
    chains, gaps, strays = {}, {}, []
    for parent, folders, names in os.walk(folder):
        # The stand-in for S3 keeps unfinished uploads there.
        folders[:] = [name for name in folders if not name.startswith(".sgwtmp")]
        for name in names:
            path = os.path.join(parent, name)
            relative = os.path.relpath(path, folder)
            place = KEY.fullmatch(relative)
            found = place and OBJECT.fullmatch(place["name"])
            gap = place and GAP.fullmatch(place["name"])
            if found:
                stored = notes and f"{notes}/{relative}/meta/metadata"
                made = Object(path, int(found["first"]), SUFFIXES[found["suffix"]], stored)
                chains.setdefault(where(place), []).append(made)
            elif gap:
                gaps.setdefault(where(place), []).append((int(gap["first"]), int(gap["next"])))
            else:
                strays.append(relative)
    for chain in chains.values():
        chain.sort(key=lambda one: one.first)
    return chains, gaps, sorted(strays)


def where(place):
    return place["group"], place["topic"], int(place["partition"])


def notes_of(packed):
    """The notes in the gzip header's extra field."""
    if packed[:3] != b"\x1f\x8b\x08":
        raise Damaged("gzip: no header")
    if not packed[3] & 4:
        raise Damaged("gzip: no extra field")
    (length,) = struct.unpack_from("<H", packed, 10)
    extra = packed[12 : 12 + length]
    at = 0
    while at + 4 <= len(extra):
        (size,) = struct.unpack_from("<H", extra, at + 2)
        if extra[at : at + 2] == b"SL":
            return json.loads(extra[at + 4 : at + 4 + size])
        at += 4 + size
    raise Damaged("gzip: no subfield SL")


def frames(raw):
    """The payload of each frame."""
    unpack = struct.Struct(">Q").unpack_from
    at, end = 0, len(raw)
    while at < end:
        if at + 8 > end:
            raise Damaged(f"frame at byte {at}: its length is cut")
        (size,) = unpack(raw, at)
        at += 8
        if at + size > end:
            raise Damaged(f"frame at byte {at - 8}: {size} bytes are announced, {end - at} are there")
        yield raw[at : at + size]
        at += size


class Record:
    """A whole record, from a frame of `.records.gz`."""

    __slots__ = ("offset", "timestamp", "key", "value", "headers", "tail")

    def __init__(self, frame):
        if frame[0] != 1:
            raise Damaged(f"record version {frame[0]}")
        if frame[1] not in (0, 1):
            raise Damaged(f"record attributes {frame[1]}")
        self.timestamp, at = varint(frame, 2)
        self.offset, at = varint(frame, at)
        self.tail = frame[at:]
        self.key, at = sized(frame, at)
        self.value, at = sized(frame, at)
        count, at = varint(frame, at)
        headers = []
        for _ in range(count):
            name, at = sized(frame, at)
            value, at = sized(frame, at)
            headers.append((name, value))
        self.headers = headers
        if at != len(frame):
            raise Damaged(f"record at offset {self.offset}: {len(frame) - at} bytes are left")


def varint(data, at):
    """A zigzag variable-length number and the place after it."""
    number = shift = 0
    while True:
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return (number >> 1) ^ -(number & 1), at
        shift += 7


def sized(data, at):
    """Bytes behind their length (-1: None), and the place after them."""
    size, at = varint(data, at)
    if size < 0:
        return None, at
    if at + size > len(data):
        raise Damaged(f"record: {size} bytes are announced, {len(data) - at} are there")
    return data[at : at + size], at + size


def _crc32c_table():
    table = []
    for number in range(256):
        for _ in range(8):
            number = (number >> 1) ^ (0x82F63B78 if number & 1 else 0)
        table.append(number)
    return table


CRC32C_TABLE = _crc32c_table()


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = CRC32C_TABLE[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF
