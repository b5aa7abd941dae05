import {
  AsyncByteQueue,
  Binary,
  Bool,
  type Data,
  DateDay,
  Field,
  Float32,
  Float64,
  Int16,
  Int32,
  Int64,
  makeData,
  RecordBatch,
  RecordBatchStreamWriter,
  Schema,
  Struct,
  TimestampMicrosecond,
  type TypeMap,
  Uint32,
  Utf8,
} from "apache-arrow";
import { SluiceError } from "../core/errors.ts";
import { daysOf, microsecondsOf } from "../formats/sql_time.ts";

const encoder = new TextEncoder();

/**
 * Rows of one record batch, and the characters of their values, at most about. With twice the rows the
 * same results took 210 to 275 MB instead of 191 to 195 (measured).
 */
const batchRows = 8_192;
const batchCharacters = 2 * 1024 * 1024;

/** A column of texts: its name, and its type as PostgreSQL names it. */
interface TextColumn {
  readonly name: string;
  readonly type: string;
}

type Value = string | null;
type Values = readonly (readonly Value[])[];

/**
 * Makes Arrow's IPC stream of rows that are texts: a schema, record batches, the end. Integers, floats,
 * booleans, dates, timestamps (microseconds; with a zone in UTC) and bytea have Arrow's own types;
 * everything else, numeric with its exact digits too, is UTF-8.
 */
export class ArrowStream {
  readonly #sink = new Gathered();
  readonly #writer = new RecordBatchStreamWriter({ autoDestroy: false });
  readonly #schema: Schema;
  readonly #kinds: readonly Kind[];
  #rows: (readonly Value[])[] = [];
  #characters = 0;

  constructor(columns: readonly TextColumn[]) {
    this.#kinds = columns.map(kindOf);
    const fields = columns.map(({ name }, i) => new Field(name, this.#kind(i).type, true));
    this.#schema = new Schema(fields);
    // The library would keep the bytes until somebody reads them from it.
    this.#writer.reset(this.#sink as never, this.#schema as Schema<TypeMap>);
  }

  /** What goes ahead of all rows. */
  head(): Uint8Array {
    return joined(this.#sink.take());
  }

  /**
   * Takes rows; gives the bytes of the batches that are full.
   *
   * @throws {SluiceError} `permanent` for a value that Arrow's type has no room for.
   */
  add(rows: Values): Uint8Array[] {
    for (const row of rows) {
      this.#rows.push(row);
      for (const value of row) this.#characters += value?.length ?? 0;
      if (this.#rows.length >= batchRows || this.#characters > batchCharacters) this.#write();
    }
    return this.#sink.take();
  }

  /** Gives the rest, and the end. */
  finish(): Uint8Array[] {
    if (this.#rows.length > 0) this.#write();
    this.#writer.finish();
    return this.#sink.take();
  }

  #kind(index: number): Kind {
    return this.#kinds[index] ?? textKind;
  }

  #write(): void {
    const rows = this.#rows;
    const children = this.#schema.fields.map(({ name }, i) =>
      this.#kind(i).data(rows.map((row) => row[i] ?? null), name)
    );
    const data = makeData({
      type: new Struct(this.#schema.fields),
      length: rows.length,
      nullCount: 0,
      children,
    });
    this.#writer.write(new RecordBatch(this.#schema, data) as RecordBatch<TypeMap>);
    [this.#rows, this.#characters] = [[], 0];
  }
}

/** Where the library writes to. */
class Gathered extends AsyncByteQueue {
  #parts: Uint8Array[] = [];

  override write(value: Uint8Array): void {
    if (value.byteLength > 0) this.#parts.push(value);
  }

  take(): Uint8Array[] {
    const parts = this.#parts;
    this.#parts = [];
    return parts;
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** How the values of a type become Arrow's. */
interface Kind {
  readonly type: Field["type"];
  data(values: readonly Value[], name: string): Data;
}

/** A kind whose values have all the same size. */
function fixed(
  type: Field["type"],
  arrayOf: (length: number) => { [index: number]: number | bigint },
  read: (text: string) => number | bigint | undefined,
): Kind {
  return {
    type,
    data: (values, name) => {
      const data = arrayOf(values.length);
      values.forEach((value, i) => {
        if (value === null) return;
        const parsed = read(value);
        if (parsed === undefined) throw noRoom(name, value);
        data[i] = parsed;
      });
      return makeData({ type, length: values.length, data, ...validity(values) } as never);
    },
  };
}

/** Which values are there, a bit each. */
function validity(values: readonly Value[]): { nullCount: number; nullBitmap?: Uint8Array } {
  let nullCount = 0;
  const nullBitmap = new Uint8Array((values.length + 7) >> 3);
  values.forEach((value, i) => {
    if (value === null) nullCount++;
    else nullBitmap[i >> 3] = (nullBitmap[i >> 3] ?? 0) | 1 << (i & 7);
  });
  return nullCount === 0 ? { nullCount } : { nullCount, nullBitmap };
}

function noRoom(name: string, value: string): SluiceError {
  const detail = `column ${name} holds ${value}, for which Arrow has no value; cast it to text`;
  return new SluiceError("write Arrow", "permanent", detail);
}

/**
 * A kind whose values have sizes of their own.
 *
 * @param bytesMost how many bytes a text becomes at most.
 * @param write writes them; gives how many there are, or undefined when the text is none of its kind.
 */
function variable(
  type: Field["type"],
  bytesMost: (text: string) => number,
  write: (text: string, into: Uint8Array) => number | undefined,
): Kind {
  return {
    type,
    data: (values, name) => {
      const valueOffsets = new Int32Array(values.length + 1);
      const most = values.reduce((sum, one) => sum + (one === null ? 0 : bytesMost(one)), 0);
      // One for all: millions of small ones are what the collector is slowest with.
      const bytes = new Uint8Array(most);
      let at = 0;
      values.forEach((value, i) => {
        if (value !== null) {
          const written = write(value, bytes.subarray(at));
          if (written === undefined) throw noRoom(name, value);
          at += written;
        }
        valueOffsets[i + 1] = at;
      });
      const data = bytes.subarray(0, at);
      return makeData(
        { type, length: values.length, valueOffsets, data, ...validity(values) } as never,
      );
    },
  };
}

// A character of UTF-16 is three bytes at most.
const textKind = variable(
  new Utf8(),
  (text) => 3 * text.length,
  (text, into) => encoder.encodeInto(text, into).written,
);

const kinds: Readonly<Record<string, Kind>> = {
  bool: {
    type: new Bool(),
    data: (values) => {
      const data = validity(values.map((value) => value === "t" ? value : null)).nullBitmap ??
        new Uint8Array((values.length + 7) >> 3).fill(255);
      return makeData({ type: new Bool(), length: values.length, data, ...validity(values) });
    },
  },
  int2: fixed(new Int16(), (length) => new Int16Array(length), Number),
  int4: fixed(new Int32(), (length) => new Int32Array(length), Number),
  int8: fixed(new Int64(), (length) => new BigInt64Array(length), BigInt),
  oid: fixed(new Uint32(), (length) => new Uint32Array(length), Number),
  float4: fixed(new Float32(), (length) => new Float32Array(length), Number),
  float8: fixed(new Float64(), (length) => new Float64Array(length), Number),
  date: fixed(new DateDay(), (length) => new Int32Array(length), daysOf),
  timestamp: fixed(
    new TimestampMicrosecond(),
    (length) => new BigInt64Array(length),
    microsecondsOf,
  ),
  timestamptz: fixed(
    new TimestampMicrosecond("UTC"),
    (length) => new BigInt64Array(length),
    microsecondsOf,
  ),
  bytea: variable(new Binary(), (text) => text.length >> 1, writeHex),
};

function kindOf({ type }: TextColumn): Kind {
  return kinds[type] ?? textKind;
}

/** `\x48656c6c6f` */
function writeHex(text: string, into: Uint8Array): number | undefined {
  if (!/^\\x(?:[0-9a-f]{2})*$/i.test(text)) return undefined;
  const length = text.length / 2 - 1;
  for (let i = 0; i < length; i++) into[i] = parseInt(text.substring(2 * i + 2, 2 * i + 4), 16);
  return length;
}
