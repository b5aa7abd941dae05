import type { SluiceError } from "../../core/errors.ts";
import { notesToMetadata, type ObjectNotes } from "../../formats/object_notes.ts";
import type { ListedObject } from "../listing.ts";
import type { Content, Finding, ObjectFacts } from "./facts.ts";

/** Notes from one place: there, not there, or there and not to be understood. */
export type FoundNotes = ObjectNotes | null | SluiceError;

/** What was seen of an object. */
export interface ObjectSeen {
  /** In the store's metadata; undefined where stores keep none (folders). */
  readonly metadata: FoundNotes | undefined;
  /** In the gzip header; undefined when it was not looked at. */
  readonly header: FoundNotes | undefined;
  /** Undefined when it was not read. */
  readonly content: Content | undefined;
}

/** Holds key, metadata, gzip header and content of one object against each other. */
export function judgeObject(object: ListedObject, seen: ObjectSeen): ObjectFacts {
  const { metadata, header, content } = seen;
  // The header's go first: they travel with the bytes.
  const notes = [header, metadata].find((one) => isNotes(one)) ?? null;
  const about = { key: object.key };
  const findings: Finding[] = [
    ...troubleOfNotes("the store's metadata", metadata),
    ...troubleOfNotes("the gzip header", header),
    ...differences(metadata, header),
    ...(notes === null ? [] : againstKey(object, notes)),
    ...(content === undefined ? [] : ofContent(object, notes, content)),
  ].map((finding) => ({ ...about, ...finding }));
  return { ...object, notes, content, findings };
}

function isNotes(found: FoundNotes | undefined): found is ObjectNotes {
  return found !== undefined && found !== null && !(found instanceof Error);
}

function troubleOfNotes(place: string, found: FoundNotes | undefined): Finding[] {
  if (!(found instanceof Error)) return [];
  return [{ kind: "damaged", what: `the notes in ${place} cannot be read: ${found.detail}` }];
}

function differences(
  metadata: FoundNotes | undefined,
  header: FoundNotes | undefined,
): Finding[] {
  if (isNotes(metadata) && isNotes(header)) {
    const [one, other] = [notesToMetadata(metadata), notesToMetadata(header)];
    return Object.keys({ ...one, ...other }).filter((name) => one[name] !== other[name])
      .map((name) =>
        contradiction(
          `${name} is ${one[name] ?? "missing"} in the store's metadata, ` +
            `${other[name] ?? "missing"} in the gzip header`,
        )
      );
  }
  if (metadata === null && isNotes(header)) {
    return [{
      kind: "notice",
      what: "the store's metadata has no notes, the gzip header has; was it copied?",
    }];
  }
  if (isNotes(metadata) && header === null) {
    return [{
      kind: "notice",
      what: "the gzip header has no notes, the store's metadata has; was it compressed anew?",
    }];
  }
  return [];
}

function againstKey({ first, kind }: ListedObject, notes: ObjectNotes): Finding[] {
  const findings: Finding[] = [];
  if (notes.firstOffset !== first) {
    const what = `the notes say that it begins at ${notes.firstOffset}; was it renamed?`;
    findings.push(contradiction(what));
  }
  const format = kind === "values" ? "value" : "record";
  if (notes.format !== format) {
    findings.push(contradiction(`the notes say format ${notes.format}, its name says ${format}`));
  }
  return findings;
}

function ofContent(object: ListedObject, notes: ObjectNotes | null, content: Content): Finding[] {
  const { damage, whole, records } = content;
  if (damage !== undefined) {
    const noun = records === 1 ? "record" : "records";
    const { what, ...where } = damage;
    return [{ kind: "damaged", what: `${what}; ${records} whole ${noun} before it`, ...where }];
  }
  return [
    ...(notes === null ? [] : againstNotes(notes, content)),
    ...(whole?.disorder === undefined ? [] : [contradiction(
      `record ${whole.disorder.index} has offset ${whole.disorder.offset}, ` +
        "which is not behind that of the record before it",
    )]),
    ...outside(object, notes, content),
  ];
}

/** What the notes count, and what was counted. */
function againstNotes(notes: ObjectNotes, content: Content): Finding[] {
  const { whole } = content;
  const pairs: (readonly [what: string, said: unknown, found: unknown])[] = [
    ["records", notes.records, content.records],
    ["bytes uncompressed", notes.uncompressedBytes, content.bytes],
    ["as CRC-32C", hexOf(notes.crc32c), hexOf(content.crc32c)],
  ];
  if (whole !== undefined) {
    pairs.push(
      ["records without a value", notes.nullValues, whole.nullValues],
      ["as first timestamp", notes.firstTimestampMs, whole.firstTimestampMs],
      ["as last timestamp", notes.lastTimestampMs, whole.lastTimestampMs],
    );
  }
  const findings = pairs.filter(([, said, found]) => said !== found)
    .map(([what, said, found]) => contradiction(`the notes say ${said} ${what}, found: ${found}`));
  if (whole === undefined && content.emptyRecords < notes.nullValues) {
    const found = `found: ${content.emptyRecords} empty ones`;
    findings.push(
      contradiction(`the notes say ${notes.nullValues} records without a value, ${found}`),
    );
  }
  return findings;
}

/** Whole records have their offsets: they must be the object's. */
function outside(
  { first }: ListedObject,
  notes: ObjectNotes | null,
  { whole }: Content,
): Finding[] {
  const findings: Finding[] = [];
  if (whole === undefined || whole.firstOffset === null || whole.lastOffset === null) return [];
  if (whole.firstOffset < first) {
    findings.push(
      contradiction(`its first record has offset ${whole.firstOffset}, before its own`),
    );
  }
  if (notes !== null && whole.lastOffset >= notes.nextOffset) {
    const what = `its last record has offset ${whole.lastOffset}, at or behind its end ` +
      `${notes.nextOffset}`;
    findings.push(contradiction(what));
  }
  return findings;
}

function contradiction(what: string): Finding {
  return { kind: "contradiction", what };
}

function hexOf(checksum: number): string {
  return checksum.toString(16).padStart(8, "0");
}
