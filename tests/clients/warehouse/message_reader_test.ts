import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { MessageReader } from "../../../lib/clients/warehouse/message_reader.ts";
import { affectedOf, errorOf, fieldsOf } from "../../../lib/clients/warehouse/messages.ts";
import type { Row } from "../../../lib/clients/warehouse/warehouse.ts";

function message(type: string, body: Buffer): Buffer {
  const header = Buffer.alloc(5);
  header.write(type);
  header.writeUInt32BE(4 + body.length, 1);
  return Buffer.concat([header, body]);
}

function dataRow(row: Row): Buffer {
  const count = Buffer.alloc(2);
  count.writeUInt16BE(row.length);
  const fields = row.map((value) => {
    const bytes = Buffer.from(value ?? "");
    const length = Buffer.alloc(4);
    length.writeInt32BE(value === null ? -1 : bytes.length);
    return Buffer.concat([length, bytes]);
  });
  return message("D", Buffer.concat([count, ...fields]));
}

/** Reads all of these bytes, cut into chunks; the sorts of messages with their contents. */
async function readAll(chunks: readonly Buffer[]): Promise<unknown[]> {
  const left = [...chunks];
  const reader = new MessageReader(() => {
    const next = left.shift();
    return next ? Promise.resolve(Buffer.from(next)) : Promise.reject(new Error("end"));
  });
  const all: unknown[] = [];
  try {
    while (true) {
      const got = await reader.next();
      if (got.type === "rows") all.push(...got.rows);
      else if (got.type === "copyData") all.push(...[...got.bytes]);
      else all.push([String.fromCharCode(got.code), got.body.toString("latin1")]);
    }
  } catch (thrown) {
    assert.equal((thrown as Error).message, "end");
    return all;
  }
}

const rows: readonly Row[] = [
  ["1", null, ""],
  ["é€😀", "a", "b".repeat(200)],
  [],
  ["\u0000\u007f\u0080", "x".repeat(130), null],
];
const bytes = Buffer.concat([
  message("T", Buffer.from("fields")),
  ...rows.map(dataRow),
  message("C", Buffer.from("SELECT 4\0")),
  message("d", Buffer.from([1, 2, 3])),
  message("d", Buffer.alloc(0)),
  message("d", Buffer.from([4])),
  message("Z", Buffer.from("I")),
]);
const expected = [["T", "fields"], ...rows, ["C", "SELECT 4\0"], 1, 2, 3, 4, ["Z", "I"]];

Deno.test("MessageReader gives the same wherever the bytes are cut", async () => {
  for (let at = 0; at <= bytes.length; at++) {
    const parts = [bytes.subarray(0, at), bytes.subarray(at)].filter((part) => part.length > 0);
    assert.deepEqual(await readAll(parts), expected, `cut at ${at}`);
  }
  const singles = Array.from(bytes, (_, i) => bytes.subarray(i, i + 1));
  assert.deepEqual(await readAll(singles), expected);
});

Deno.test("MessageReader gathers the rows and the data that come together", async () => {
  const reader = new MessageReader(() => Promise.resolve(Buffer.from(bytes)));
  const types = [];
  for (let i = 0; i < 5; i++) types.push((await reader.next()).type);
  assert.deepEqual(types, ["message", "rows", "message", "copyData", "message"]);
});

Deno.test("The bodies of messages are taken apart", () => {
  const field = (name: string, oid: number) => {
    const rest = Buffer.alloc(18);
    rest.writeUInt32BE(oid, 6);
    return Buffer.concat([Buffer.from(`${name}\0`), rest]);
  };
  const body = Buffer.concat([Buffer.from([0, 2]), field("id", 23), field("é, x", 4_000_000_000)]);
  assert.deepEqual(fieldsOf(body), [
    { name: "id", typeOid: 23 },
    { name: "é, x", typeOid: 4_000_000_000 },
  ]);
  const said = Buffer.from("SFEHLER\0VERROR\0C22P02\0Mnot good\0WCOPY t, line 1\0Ffile.c\0\0");
  assert.deepEqual(errorOf(said), {
    severity: "ERROR",
    plainSeverity: "ERROR",
    code: "22P02",
    message: "not good",
    where: "COPY t, line 1",
  });
  const tags = ["INSERT 0 5", "COPY 12", "SELECT 0", "UPDATE 3", "CREATE TABLE", "BEGIN", ""];
  assert.deepEqual(tags.map(affectedOf), [5, 12, 0, 3, 0, 0, 0]);
});

Deno.test("COPY's data is given as it comes, however long a message is", async () => {
  const long = message("d", Buffer.alloc(1_000, 7));
  const chunks = [long.subarray(0, 300), long.subarray(300, 900)];
  const reader = new MessageReader(() => {
    const next = chunks.shift();
    return next ? Promise.resolve(Buffer.from(next)) : Promise.reject(new Error("end"));
  });
  for (const length of [295, 600]) {
    const got = await reader.next();
    assert.deepEqual([got.type, got.type === "copyData" && got.bytes.length], ["copyData", length]);
  }
});
