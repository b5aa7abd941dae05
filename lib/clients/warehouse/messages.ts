import { Buffer } from "node:buffer";
import type { Row } from "./warehouse.ts";

/** A field of a RowDescription. */
export interface FieldDescription {
  readonly name: string;
  readonly typeOid: number;
}

/** The types of messages that a server sends, by their first byte. */
export const From = {
  authentication: 0x52, // R
  bindComplete: 0x32, // 2
  commandComplete: 0x43, // C
  copyData: 0x64, // d
  copyDone: 0x63, // c
  copyInResponse: 0x47, // G
  copyOutResponse: 0x48, // H
  dataRow: 0x44, // D
  error: 0x45, // E
  ready: 0x5a, // Z
  rowDescription: 0x54, // T
} as const;

/** A message to the server: its type, its length, its body. */
function message(type: string, ...parts: readonly Uint8Array[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const bytes = Buffer.allocUnsafe(5 + length);
  bytes.writeUInt8(type.charCodeAt(0), 0);
  bytes.writeUInt32BE(4 + length, 1);
  let at = 5;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function int16(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

function int32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeInt32BE(value);
  return bytes;
}

const text = (value: string) => Buffer.from(`${value}\0`);

/** One or more statements as text, by the simple protocol. */
export function queryMessage(sql: string): Buffer {
  return message("Q", text(sql));
}

/** One statement with parameters as texts: parse, bind, describe, execute and sync in one. */
export function boundMessages(sql: string, params: Row): Buffer {
  const values = params.flatMap((value) => {
    if (value === null) return [int32(-1)];
    const bytes = Buffer.from(value);
    return [int32(bytes.length), bytes];
  });
  return Buffer.concat([
    message("P", text(""), text(sql), int16(0)),
    message("B", text(""), text(""), int16(0), int16(params.length), ...values, int16(0)),
    message("D", text("P")),
    message("E", text(""), int32(0)),
    message("S"),
  ]);
}

export const copyDoneMessage: Buffer = message("c");

/** Ends COPY ... FROM STDIN with this reason; the server rejects the statement. */
export function copyFailMessage(reason: string): Buffer {
  return message("f", text(reason.replaceAll("\0", " ")));
}

/** The bytes before the data of a CopyData message. */
export const copyDataHeaderBytes = 5;

/** Writes the header of a CopyData message with so many bytes of data at the beginning of `into`. */
export function putCopyDataHeader(into: Buffer, dataBytes: number): void {
  into.writeUInt8(0x64, 0);
  into.writeUInt32BE(4 + dataBytes, 1);
}

/** Reads the body of a RowDescription. */
export function fieldsOf(body: Buffer): FieldDescription[] {
  const fields: FieldDescription[] = [];
  let at = 2;
  for (let left = body.readUInt16BE(0); left > 0; left--) {
    const end = body.indexOf(0, at);
    // Behind the name: table (4), column (2), type (4), size (2), modifier (4), format (2).
    fields.push({ name: body.toString("utf8", at, end), typeOid: body.readUInt32BE(end + 7) });
    at = end + 19;
  }
  return fields;
}

/** The letters of an ErrorResponse that a report is made of. */
const errorFields: Readonly<Record<string, string>> = {
  C: "code",
  D: "detail",
  H: "hint",
  M: "message",
  P: "position",
  S: "severity",
  // As S, but never translated; not from Redshift.
  V: "plainSeverity",
  W: "where",
};

/** Reads the body of an ErrorResponse as what `reportFrom` takes. */
export function errorOf(body: Buffer): Record<string, string> {
  const said: Record<string, string> = {};
  let at = 0;
  while (at < body.length && body[at] !== 0) {
    const end = body.indexOf(0, at + 1);
    const name = errorFields[String.fromCharCode(body[at] ?? 0)];
    if (name !== undefined) said[name] = body.toString("utf8", at + 1, end);
    at = end + 1;
  }
  const { plainSeverity, severity = "ERROR" } = said;
  return { ...said, severity: plainSeverity ?? severity };
}

/** The rows of a command's tag, "INSERT 0 5"; 0 when it tells none, as CREATE TABLE does. */
export function affectedOf(tag: string): number {
  return Number(/ (\d+)\0?$/.exec(tag)?.[1] ?? 0);
}

/**
 * Reads the body of a DataRow at `at` in `bytes`.
 *
 * @param latin `bytes` as text of one-byte characters from `latinFrom` on: a field of ASCII is a
 *   slice of it, which takes a fraction of the time that decoding each field would.
 */
export function rowAt(bytes: Buffer, at: number, latin: string, latinFrom: number): Row {
  const count = bytes.readUInt16BE(at);
  const row = new Array<string | null>(count);
  at += 2;
  for (let column = 0; column < count; column++) {
    const length = bytes.readInt32BE(at);
    at += 4;
    if (length < 0) {
      row[column] = null;
      continue;
    }
    const end = at + length;
    let isAscii = true;
    for (let i = at; i < end; i++) {
      if ((bytes[i] ?? 0) > 127) {
        isAscii = false;
        break;
      }
    }
    row[column] = isAscii
      ? latin.substring(at - latinFrom, end - latinFrom)
      : bytes.toString("utf8", at, end);
    at = end;
  }
  return row;
}
