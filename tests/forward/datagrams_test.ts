import assert from "node:assert/strict";
import type { Datagrams } from "../../lib/clients/listen/listen.ts";
import { receiveDatagrams } from "../../lib/forward/datagrams.ts";
import { bytesOf } from "../support/syslog_reading.ts";
import { joinParts } from "./parts_joined.ts";
import { listenUrl, Rig, turn, type Wanted } from "./rig.ts";

/** A datagram socket whose senders are the test; a kernel's buffer of any size. */
class MemoryDatagrams implements Datagrams {
  readonly url = listenUrl();
  readonly #queue: { bytes: Uint8Array; address: string }[] = [];
  #isStopped = false;
  #wake: (() => void) | null = null;
  received = 0;

  send(text: string, address = "192.0.2.7"): void {
    this.#queue.push({ bytes: bytesOf(text), address });
    this.#wake?.();
  }

  async receive(into: Uint8Array): Promise<{ length: number; address: string } | null> {
    for (;;) {
      if (this.#isStopped) return null;
      const next = this.#queue.shift();
      if (next !== undefined) {
        this.received++;
        into.set(next.bytes);
        return { length: next.bytes.length, address: next.address };
      }
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  stop(): void {
    this.#isStopped = true;
    this.#wake?.();
  }
}

/** A socket whose datagrams are taken. */
async function begin(wanted: Wanted = {}, topics: Record<string, number> = {}) {
  const rig = await Rig.ready(wanted, { topics });
  const socket = new MemoryDatagrams();
  const ended = receiveDatagrams(socket, socket.url, rig.pipeline, {
    home: 0,
    withHeaders: rig.settings.headers,
    lineBytesMost: rig.settings.lineBytesMost,
  });
  return { rig, socket, ended };
}

const line = (n: number | string) => `<13>Nov 23 20:30:00 host app: line ${n}`;

const endings: [name: string, sent: string, taken: string][] = [
  ["nothing behind it", line(1), line(1)],
  ["an LF", `${line(1)}\n`, line(1)],
  ["a NUL", `${line(1)}\0`, line(1)],
  ["a CRLF", `${line(1)}\r\n`, line(1)],
  ["an LF and a NUL", `${line(1)}\n\0`, line(1)],
  ["a CR that is its own", `${line(1)}\r`, `${line(1)}\r`],
  ["line feeds within", `${line(1)}\nand\n\nmore\n`, `${line(1)}\nand\n\nmore`],
  ["a digit that is no octet count", "12 <13>x", "12 <13>x"],
];

for (const [name, sent, taken] of endings) {
  Deno.test(`a datagram is one message: with ${name}`, async () => {
    const { rig, socket, ended } = await begin();
    socket.send(sent);
    await turn();
    socket.stop();
    await ended;
    assert.deepEqual((await rig.settle()).map(({ value }) => value), [taken]);
    assert.equal(rig.ledger.messages, 1);
  });
}

Deno.test("empty datagrams make no message", async () => {
  const { rig, socket, ended } = await begin();
  for (const empty of ["", "\n", "\0", "\r\n", "\n\0\n"]) socket.send(empty);
  socket.send(line(1));
  await turn();
  socket.stop();
  await ended;
  assert.deepEqual((await rig.settle()).map(({ value }) => value), [line(1)]);
});

Deno.test("a long datagram goes on in parts that tear no character", async () => {
  const { rig, socket, ended } = await begin({ lineBytesMost: 100, format: "json" });
  const text = "é".repeat(300);
  socket.send(line(String.fromCharCode(...new TextEncoder().encode(text))));
  await turn();
  socket.stop();
  await ended;
  const seen = await rig.settle();
  const joined = joinParts(seen, ({ value }) => {
    const parsed = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytesOf(value)));
    assert.equal(parsed.charset, undefined);
    return parsed.content;
  });
  assert.equal(joined, `line ${text}`);
});

Deno.test("each datagram has its sender's address, in headers and for lack of a host", async () => {
  const { rig, socket, ended } = await begin({ headers: true, format: "json" });
  socket.send("<13>one", "192.0.2.1");
  socket.send("<13>two", "192.0.2.2");
  socket.send("<13>three", "192.0.2.1");
  await turn();
  socket.stop();
  await ended;
  const seen = await rig.settle();
  assert.deepEqual(seen.map(({ value }) => JSON.parse(value).hostname), [
    "192.0.2.1",
    "192.0.2.2",
    "192.0.2.1",
  ]);
  assert.deepEqual(seen.map(({ headers }) => headers["sluice-peer"]), [
    "192.0.2.1",
    "192.0.2.2",
    "192.0.2.1",
  ]);
});

Deno.test("any number of senders is met without remembering them all", async () => {
  const { rig, socket, ended } = await begin({ format: "raw" });
  for (let n = 0; n < 3_000; n++) socket.send(line(n), `10.0.${n >> 8}.${n & 255}`);
  for (let n = 0; n < 500 && rig.ledger.messages < 3_000; n++) await rig.settle();
  socket.stop();
  await ended;
  assert.equal((await rig.settle()).length, 3_000);
});

Deno.test("while there is no room nothing is received, and then what the kernel has kept", async () => {
  const { rig, socket, ended } = await begin({ memoryBytes: 2_000 });
  for (let n = 0; n < 100; n++) socket.send(line(n));
  await turn();
  const { received } = socket;
  assert.ok(received < 60, `${received} were received`);
  await turn();
  assert.equal(socket.received, received);
  for (let n = 0; n < 100 && rig.ledger.messages < 100; n++) await rig.settle();
  socket.stop();
  await ended;
  assert.deepEqual(
    (await rig.settle()).map(({ value }) => value),
    Array.from({ length: 100 }, (_, n) => line(n)),
  );
});

Deno.test("a socket that is stopped while it waits for room ends with what it had taken", async () => {
  const { rig, socket, ended } = await begin({ topic: "{hostname}" });
  socket.send(line(1));
  socket.send(line(2));
  await turn();
  socket.stop();
  rig.outlet.create("host");
  await ended;
  assert.equal((await rig.settle()).length, 1);
  assert.equal(rig.missing, 0);
});
