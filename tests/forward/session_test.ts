import assert from "node:assert/strict";
import { ReadBuffers } from "../../lib/forward/read_buffers.ts";
import { SyslogSession } from "../../lib/forward/session.ts";
import { MemoryPeer } from "./memory_peer.ts";
import { Rig, turn, type Wanted } from "./rig.ts";

const line = (n: number) => `<13>Nov 23 20:30:00 host app: line ${n}`;

/** A running session. */
async function begin(wanted: Wanted = {}, batchBytes?: number) {
  const rig = await Rig.ready(wanted, batchBytes === undefined ? {} : { batchBytes });
  const peer = new MemoryPeer();
  const buffers = new ReadBuffers(1_000_000);
  const session = new SyslogSession(peer, [], {
    pipeline: rig.pipeline,
    buffers,
    log: rig.world.log,
    lineBytesMost: rig.settings.lineBytesMost,
    monotonicMs: rig.world.monotonicMs,
  });
  const ended = session.run();
  return { rig, peer, session, buffers, ended };
}

Deno.test("the lines of a connection arrive whole wherever its bytes are cut", async () => {
  const lines = [
    line(1),
    "<34>1 2026-11-23T20:30:00Z h a - - - x",
    "no priority \xff\xfe",
    line(2),
  ];
  const stream = `${lines[0]}\n${lines[1]?.length} ${lines[1]}${lines[2]}\r\n${lines[3]}\0`;
  for (let cut = 1; cut < stream.length; cut++) {
    const { rig, peer, ended } = await begin();
    peer.give(stream.slice(0, cut));
    await turn();
    peer.give(stream.slice(cut));
    peer.end();
    assert.equal(await ended, "closed");
    const seen = await rig.settle();
    assert.deepEqual(seen.map(({ value }) => value), lines, `cut at ${cut}`);
    assert.ok(peer.isClosed);
  }
});

Deno.test("the lines of a connection arrive when its bytes come one by one", async () => {
  const { rig, peer, ended } = await begin();
  const text = `${line(1)}\n${line(2)}\n`;
  for (const byte of text) {
    peer.give(byte);
    await turn();
  }
  peer.end();
  await ended;
  assert.deepEqual((await rig.settle()).map(({ value }) => value), [line(1), line(2)]);
});

Deno.test("a last line without its end is a line when the sender closes and when it breaks off", async () => {
  for (const [leave, end] of [["end", "closed"], ["reset", "reset"]] as const) {
    const { rig, peer, ended } = await begin();
    peer.give(`${line(1)}\n${line(2)}`);
    await turn();
    peer[leave]();
    assert.equal(await ended, end);
    assert.deepEqual((await rig.settle()).map(({ value }) => value), [line(1), line(2)]);
    assert.equal(rig.missing, 0);
  }
});

Deno.test("a connection is not read while its partition is full, and goes on where it was", async () => {
  const { rig, peer, ended } = await begin({}, 4_000);
  const lines = Array.from({ length: 500 }, (_, n) => line(n));
  for (const one of lines) peer.give(`${one}\n`);
  peer.end();
  for (let n = 0; n < 20; n++) await turn();
  const { reads, unread } = peer;
  assert.ok(unread > 10_000, `${unread} bytes are unread`);
  for (let n = 0; n < 20; n++) await turn();
  assert.equal(peer.reads, reads);
  const seen = await rig.settle();
  await ended;
  assert.deepEqual((await rig.settle()).length, 500);
  assert.deepEqual(seen.map(({ value }) => value), lines);
});

Deno.test("what was read before the room was gone is not taken before there is room again", async () => {
  const { rig, peer, session, ended } = await begin({ memoryBytes: 1_000 });
  await turn();
  assert.ok(session.isReading);
  // While it waits for bytes another fills all the memory there is.
  const other = rig.source();
  while (rig.pipeline.hasRoom(other)) rig.accept(other, "x".repeat(100));
  const before = rig.ledger.messages;
  peer.give(`${line(1)}\n`);
  await turn();
  assert.equal(rig.ledger.messages, before);
  await rig.settle();
  await turn();
  assert.equal(rig.ledger.messages, before + 1);
  peer.end();
  await ended;
  await rig.settle();
});

Deno.test("a sender that is asked to leave sees the end and all it wrote before is taken", async () => {
  const { rig, peer, session, ended } = await begin();
  peer.give(`${line(1)}\n`);
  await turn();
  session.leave();
  session.leave();
  assert.ok(peer.isHalfClosed);
  assert.equal(peer.isClosed, false);
  peer.give(`${line(2)}\n${line(3)}`);
  await turn();
  peer.end();
  assert.equal(await ended, "closed");
  assert.deepEqual((await rig.settle()).map(({ value }) => value), [line(1), line(2), line(3)]);
});

Deno.test("a connection that is cut off ends, and what had come is kept", async () => {
  const { rig, peer, session, ended } = await begin();
  peer.give(`${line(1)}\nhalf a`);
  await turn();
  session.cut();
  assert.equal(await ended, "closed");
  assert.deepEqual((await rig.settle()).map(({ value }) => value), [line(1), "half a"]);
});

Deno.test("read buffers are given back at the end, grown ones too", async () => {
  const { rig, peer, buffers, ended } = await begin({}, 200_000);
  for (let n = 0; n < 20; n++) peer.give(`${"x".repeat(999)}\n`.repeat(20));
  await turn();
  assert.ok(buffers.totalBytes > 4_096, `${buffers.totalBytes}`);
  peer.end();
  await rig.settle();
  await ended;
  assert.equal(buffers.totalBytes, 0);
});

Deno.test("a thousand senders of a byte at a time hold no more than their lines", async () => {
  const rig = await Rig.ready({ lineBytesMost: 1_000 }, { batchBytes: 900_000 });
  const buffers = new ReadBuffers(8 * 1024 * 1024);
  const peers = Array.from({ length: 1_000 }, () => new MemoryPeer());
  const tools = {
    pipeline: rig.pipeline,
    buffers,
    log: rig.world.log,
    lineBytesMost: 1_000,
    monotonicMs: rig.world.monotonicMs,
  };
  const ended = peers.map((peer) => new SyslogSession(peer, [], tools).run());
  const heap = () => Deno.memoryUsage().heapUsed + Deno.memoryUsage().external;
  const before = heap();
  // The least of many looks: what is alive, with as little garbage as may be.
  let least = Infinity;
  for (let n = 0; n < 300; n++) {
    for (const peer of peers) peer.give("x");
    await turn();
    if (n >= 200) least = Math.min(least, heap());
  }
  assert.equal(rig.ledger.messages, 0);
  // 4 KiB to read into and some 600 bytes of the line each.
  assert.equal(buffers.totalBytes, 1_000 * 4_096);
  const grown = least - before;
  assert.ok(grown < 40_000_000, `${grown} bytes more`);
  for (const peer of peers) {
    peer.give("\n");
    peer.end();
  }
  await Promise.all(ended);
  const seen = await rig.settle();
  assert.equal(seen.length, 1_000);
  assert.ok(seen.every(({ value }) => value === "x".repeat(300)));
  assert.equal(buffers.totalBytes, 0);
});

Deno.test("a line that never ends is taken in parts, and only one part of it is held", async () => {
  const { rig, peer, ended } = await begin({ lineBytesMost: 1_000 });
  for (let n = 0; n < 100; n++) {
    peer.give("x".repeat(500));
    await turn();
    while (rig.outlet.sent.length > 0) rig.ack();
    assert.ok(rig.ledger.bytes >= (n + 1) * 500 - 1_001, "more than a part is held back");
  }
  peer.end();
  await ended;
  const seen = await rig.settle();
  assert.equal(seen.map(({ value }) => value).join("").length, 50_000);
  assert.equal(rig.ledger.messages, 1);
});
