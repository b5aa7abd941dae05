import assert from "node:assert/strict";
import { ReadBuffers } from "../../lib/forward/read_buffers.ts";
import { RelpSession } from "../../lib/forward/relp_session.ts";
import { MemoryPeer } from "./memory_peer.ts";
import { Rig, turn, type Wanted } from "./rig.ts";

const frame = (txnr: number, command: string, data = "") =>
  `${txnr} ${command} ${data.length}${data === "" ? "" : ` ${data}`}\n`;
const line = (n: number) => `<13>Nov 23 20:30:00 host app: line ${n}`;
const ok = (txnr: number) => `${txnr} rsp 6 200 OK\n`;
const serverClose = "0 serverclose 0\n";

/** A running session that has been opened; what was answered to that is forgotten. */
async function begin(wanted: Wanted = {}, batchBytes?: number, isOpen = true) {
  const rig = await Rig.ready(wanted, batchBytes === undefined ? {} : { batchBytes });
  const peer = new MemoryPeer();
  const session = new RelpSession(peer, [], {
    pipeline: rig.pipeline,
    buffers: new ReadBuffers(1_000_000),
    log: rig.world.log,
    lineBytesMost: rig.settings.lineBytesMost,
    monotonicMs: rig.world.monotonicMs,
  });
  const ended = session.run();
  if (isOpen) {
    peer.give(frame(1, "open", "relp_version=0\ncommands=syslog"));
    await turn();
    assert.match(peer.written, /^1 rsp \d+ 200 OK\nrelp_version=0\n/);
    peer.written = "";
  }
  return { rig, peer, session, ended };
}

Deno.test("a line is answered when Kafka has it and not before", async () => {
  const { rig, peer, ended } = await begin();
  peer.give(frame(2, "syslog", line(1)));
  await turn();
  assert.equal(rig.outlet.sent.length, 1);
  await turn();
  assert.equal(peer.written, "");
  rig.ack();
  await turn();
  assert.equal(peer.written, ok(2));
  peer.end();
  assert.equal(await ended, "closed");
  assert.deepEqual(rig.outlet.delivered.map(({ value }) => value), [line(1)]);
});

Deno.test("answers keep the order of the lines although their partitions are safe in another", async () => {
  const { rig, peer } = await begin({ topic: "t-{hostname}" });
  rig.outlet.create("t-a");
  rig.outlet.create("t-b");
  const to = (host: string) => `<13>Nov 23 20:30:00 ${host} app: x`;
  peer.give(frame(2, "syslog", to("a")));
  await turn();
  peer.give(frame(3, "syslog", to("b")) + frame(4, "syslog", to("a")));
  await turn();
  const of = (topic: string) => rig.outlet.sent.find((sent) => sent.topic === topic);
  rig.ack(of("t-b"));
  await turn();
  assert.equal(peer.written, "");
  rig.ack(of("t-a"));
  await turn();
  assert.equal(peer.written, ok(2) + ok(3));
  rig.ack(of("t-a"));
  await turn();
  assert.equal(peer.written, ok(2) + ok(3) + ok(4));
});

Deno.test("a line whose topic is not there yet is answered when it is there and safe", async () => {
  const { rig, peer } = await begin({ topic: "{hostname}" });
  peer.give(frame(2, "syslog", line(1)) + frame(3, "syslog", line(2)));
  await turn();
  rig.outlet.create("host");
  await turn();
  assert.equal(peer.written, "");
  rig.ack();
  await turn();
  assert.equal(peer.written, ok(2) + ok(3));
});

Deno.test("a long line is answered once, when all its parts are safe", async () => {
  for (const oversize of ["split", "truncate"] as const) {
    const { rig, peer } = await begin({ lineBytesMost: 100, oversize }, 400);
    peer.give(frame(2, "syslog", line(1) + "x".repeat(400)) + frame(3, "syslog", line(2)));
    await turn();
    while (rig.outlet.sent.length > 1) {
      assert.doesNotMatch(peer.written, /^3 /m);
      rig.ack();
      await turn();
    }
    rig.ack();
    await turn();
    assert.equal(peer.written, ok(2) + ok(3));
  }
});

Deno.test("a long line that comes in pieces is answered although its first part is safe before its last came", async () => {
  for (const oversize of ["split", "truncate"] as const) {
    const { rig, peer } = await begin({ lineBytesMost: 100, oversize });
    const whole = frame(2, "syslog", line(1) + "x".repeat(200));
    peer.give(whole.slice(0, 150));
    await turn();
    rig.ack();
    await turn();
    assert.equal(peer.written, "");
    peer.give(whole.slice(150));
    await rig.settle();
    assert.equal(peer.written, ok(2));
  }
});

Deno.test("an empty line makes no record and is answered in its turn", async () => {
  const { rig, peer } = await begin();
  peer.give(frame(2, "syslog", line(1)) + frame(3, "syslog") + frame(4, "syslog"));
  await turn();
  assert.equal(peer.written, "");
  rig.ack();
  await turn();
  assert.equal(peer.written, ok(2) + ok(3) + ok(4));
  assert.equal(rig.ledger.received, 1);
});

Deno.test("the frames of a session are understood wherever they are cut", async () => {
  const stream = frame(1, "open", "x") + frame(2, "syslog", line(1)) + frame(3, "syslog", "a\nb") +
    frame(4, "close");
  for (let cut = 1; cut < stream.length; cut++) {
    const { rig, peer, ended } = await begin({}, undefined, false);
    peer.give(stream.slice(0, cut));
    await turn();
    peer.give(stream.slice(cut));
    await rig.settle();
    peer.end();
    assert.equal(await ended, "closed");
    assert.deepEqual(rig.outlet.delivered.map(({ value }) => value), [line(1), "a\nb"]);
    assert.match(
      peer.written,
      /^1 rsp [^]*2 rsp 6 200 OK\n3 rsp 6 200 OK\n4 rsp 6 200 OK\n0 serverclose 0\n$/,
    );
  }
});

Deno.test("a frame that was cut off makes no record: it was not answered and will come again", async () => {
  const { rig, peer, ended } = await begin();
  peer.give(frame(2, "syslog", line(1)) + frame(3, "syslog", line(2)).slice(0, -8));
  await turn();
  peer.end();
  await rig.settle();
  assert.equal(await ended, "closed");
  assert.deepEqual(rig.outlet.delivered.map(({ value }) => value), [line(1)]);
});

Deno.test("close is answered after the lines before it, and then the server leaves", async () => {
  const { rig, peer, ended } = await begin();
  peer.give(frame(2, "syslog", line(1)) + frame(3, "close"));
  await turn();
  assert.equal(peer.written, "");
  assert.equal(peer.isHalfClosed, false);
  rig.ack();
  await turn();
  assert.equal(peer.written, ok(2) + ok(3) + serverClose);
  assert.ok(peer.isHalfClosed, "the sender could wait for ever");
  peer.end();
  assert.equal(await ended, "closed");
});

const refused = [
  [
    "a command that is not known",
    frame(2, "starttls"),
    /^2 rsp \d+ 500 the command starttls is not known/,
  ],
  ["a line before the session is open", frame(1, "syslog", "x"), /^1 rsp \d+ 500 open the session/],
] as const;

for (const [name, bytes, answer] of refused) {
  Deno.test(`${name} is refused, and the connection ends`, async () => {
    const { rig, peer, ended } = await begin({}, undefined, name.startsWith("a command"));
    peer.give(bytes + frame(9, "syslog", line(9)));
    await ended;
    assert.match(peer.written, answer);
    assert.ok(peer.isClosed);
    await rig.settle();
    assert.equal(rig.outlet.delivered.length, 0);
  });
}

Deno.test("what is not RELP is refused with a line in the log", async () => {
  const { rig, peer, ended } = await begin({}, undefined, false);
  peer.give("<13>Nov 23 20:30:00 host app: plain syslog\n");
  assert.equal(await ended, "refused");
  assert.equal(rig.world.lines.at(-1)?.level, "warn");
  assert.match(
    String(rig.world.lines.at(-1)?.fields["reason"]),
    /check that the sender speaks RELP/,
  );
  assert.equal(rig.missing, 0);
});

Deno.test("a stop answers what was taken, takes nothing more, and says that it closes", async () => {
  const { rig, peer, session, ended } = await begin();
  peer.give(frame(2, "syslog", line(1)));
  await turn();
  session.leave();
  peer.give(frame(3, "syslog", line(2)));
  await turn();
  assert.equal(peer.written, "");
  assert.equal(peer.isHalfClosed, false);
  rig.ack();
  await turn();
  assert.equal(peer.written, ok(2) + serverClose);
  assert.ok(peer.isHalfClosed);
  peer.end();
  assert.equal(await ended, "closed");
  await rig.settle();
  assert.deepEqual(rig.outlet.delivered.map(({ value }) => value), [line(1)]);
});

Deno.test("bytes that were read while there was no room are not taken after a stop", async () => {
  const { rig, peer, session, ended } = await begin({ memoryBytes: 1_000 });
  const other = rig.source();
  while (rig.pipeline.hasRoom(other)) rig.accept(other, "x".repeat(100));
  peer.give(frame(2, "syslog", line(1)));
  await turn();
  session.leave();
  await rig.settle();
  await turn();
  assert.equal(peer.written, serverClose);
  peer.end();
  await ended;
  assert.ok(rig.outlet.delivered.every(({ value }) => value !== line(1)));
});

Deno.test("a sender that is cut off still gets the answers to what was taken", async () => {
  const { rig, peer, session, ended } = await begin();
  peer.give(frame(2, "syslog", line(1)));
  await turn();
  session.leave();
  session.cut();
  await turn();
  assert.equal(peer.isClosed, false);
  rig.ack();
  await ended;
  assert.ok(peer.written.startsWith(ok(2)), peer.written);
  assert.ok(peer.isClosed);
});

Deno.test("a sender that is cut off with nothing unanswered is closed at once", async () => {
  const { peer, session, ended } = await begin();
  session.cut();
  assert.equal(await ended, "closed");
  assert.ok(peer.isClosed);
});

Deno.test("a sender that goes away unanswered costs nothing, and its lines are kept", async () => {
  const { rig, peer, ended } = await begin();
  peer.give(frame(2, "syslog", line(1)));
  await turn();
  peer.reset();
  assert.equal(await ended, "reset");
  const seen = await rig.settle();
  assert.deepEqual(seen.map(({ value }) => value), [line(1)]);
  assert.equal(rig.missing, 0);
});

Deno.test("a sender that does not take its answers is not read from, and no answer is lost", async () => {
  const { rig, peer, ended } = await begin({}, 200_000);
  peer.isStalled = true;
  const count = 40_000;
  for (let n = 0; n < count; n++) peer.give(frame(2 + n, "syslog", line(n)));
  let before = -1;
  while (rig.ledger.received !== before) {
    before = rig.ledger.received;
    for (let n = 0; n < 30; n++) await rig.settle();
  }
  assert.ok(before < count, "everything was taken from a sender that takes nothing");
  // Those of one read that are being written, 64 KiB more, and those of one more read.
  assert.ok(before < 16_000, `${before} lines were taken`);
  peer.goOn();
  for (let n = 0; n < 500 && rig.ledger.received < count; n++) await rig.settle();
  peer.end();
  await rig.settle();
  await ended;
  assert.equal(peer.written, Array.from({ length: count }, (_, n) => ok(2 + n)).join(""));
});
