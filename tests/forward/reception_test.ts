import assert from "node:assert/strict";
import { ReadBuffers } from "../../lib/forward/read_buffers.ts";
import { Reception } from "../../lib/forward/reception.ts";
import type { Session } from "../../lib/forward/session.ts";
import { within } from "../support/waiting.ts";
import { MemoryListener, MemoryPeer } from "./memory_peer.ts";
import { listenUrl, Rig, turn, type Wanted } from "./rig.ts";

const line = (n: number) => `<13>Nov 23 20:30:00 host app: line ${n}`;

/** A reception with one listener. */
async function open(wanted: Wanted = {}, protocol: "syslog" | "relp" = "syslog") {
  const rig = await Rig.ready(wanted);
  const reception = new Reception(rig.settings, {
    pipeline: rig.pipeline,
    buffers: new ReadBuffers(1_000_000),
    log: rig.world.log,
    lineBytesMost: rig.settings.lineBytesMost,
    monotonicMs: rig.world.monotonicMs,
  });
  const url = listenUrl(protocol);
  const listener = new MemoryListener(url);
  const served = reception.serve(listener, url);
  const connect = () => {
    const peer = new MemoryPeer();
    listener.connect(peer);
    return peer;
  };
  return { rig, reception, listener, served, connect };
}

/** The so-many-th look, from now, that a stop takes at a session: a test goes on right behind it. */
function looked(session: Session | undefined, times: number): Promise<void> {
  assert.ok(session);
  const look = session.look.bind(session);
  return new Promise((resolve) => {
    session.look = () => {
      const found = look();
      if (--times === 0) resolve();
      return found;
    };
  });
}

Deno.test("a connection above the limit is taken when another has left, and that is said once", async () => {
  const { rig, reception, connect } = await open({ connectionsMost: 2 });
  const [first, , third, fourth] = [connect(), connect(), connect(), connect()];
  await turn();
  assert.equal(reception.sessions.size, 2);
  assert.equal(third.reads, 0);
  assert.deepEqual(rig.world.said("warn"), [
    "As many connections as allowed are open; others have to wait",
  ]);
  third.give(`${line(3)}\n`);
  first.end();
  await turn();
  assert.equal(reception.sessions.size, 2);
  await rig.settle();
  assert.deepEqual(rig.outlet.delivered.map(({ value }) => value), [line(3)]);
  third.end();
  await turn();
  assert.ok(fourth.reads > 0);
  assert.equal(reception.counts.accepted, 4);
  assert.equal(rig.world.said("warn").length, 1);
});

Deno.test("ends of connections are counted by their kind", async () => {
  const { reception, connect } = await open({}, "relp");
  const [closed, reset, refused] = [connect(), connect(), connect()];
  await turn();
  closed.end();
  reset.reset();
  refused.give("this is no RELP at all\n");
  await turn();
  await turn();
  const { accepted, reset: resets, refused: refusals } = reception.counts;
  assert.deepEqual([accepted, resets, refusals, reception.sessions.size], [3, 1, 1, 0]);
});

Deno.test("a stop takes nobody new, lets senders finish and waits for them", async () => {
  const { rig, reception, listener, served, connect } = await open();
  const [busy, idle] = [connect(), connect()];
  await turn();
  const stopped = reception.stop(60_000);
  assert.equal(await within(stopped, 150), false);
  assert.ok(listener.isStopped);
  await served;
  assert.deepEqual([busy.isHalfClosed, idle.isHalfClosed], [true, true]);
  busy.give(`${line(1)}\n`);
  await turn();
  busy.end();
  idle.end();
  assert.deepEqual(await stopped, { cut: 0 });
  await rig.settle();
  assert.deepEqual(rig.outlet.delivered.map(({ value }) => value), [line(1)]);
});

Deno.test("senders that do not leave in time are cut off and counted", async () => {
  const { reception, connect } = await open();
  const peers = [connect(), connect(), connect()];
  await turn();
  const stopped = reception.stop(100);
  while (!peers.every(({ isHalfClosed }) => isHalfClosed)) await null; // no timer has its turn
  peers[0]?.end();
  assert.deepEqual(await stopped, { cut: 2 });
  assert.ok(peers.every(({ isClosed }) => isClosed));
});

Deno.test("senders that say nothing after they were asked to leave are not waited for", async () => {
  const { reception, connect } = await open();
  const [silent, talking] = [connect(), connect()];
  await turn();
  const [, second] = reception.sessions;
  const stopped = reception.stop(60_000);
  // Eight looks that find nothing are too many.
  await looked(second, 7);
  assert.deepEqual([silent.isClosed, talking.isClosed], [false, false]);
  talking.give(`${line(1)}\n`);
  await looked(second, 4);
  assert.deepEqual([silent.isClosed, talking.isClosed], [true, false]);
  talking.end();
  assert.deepEqual(await stopped, { cut: 0 });
});

Deno.test("after a standstill of ours what has come meanwhile is read, not cut off as silent", async () => {
  const { rig, reception, connect } = await open();
  const peer = connect();
  await turn();
  const [session] = reception.sessions;
  const stopped = reception.stop(60_000);
  await looked(session, 1);
  // The process is not run for a minute; then the timer is due before the socket has been looked at.
  rig.world.clockMs += 60_000;
  await looked(session, 1);
  assert.equal(peer.isClosed, false);
  peer.give(`${line(1)}\n`);
  peer.end();
  assert.deepEqual(await stopped, { cut: 0 });
  await rig.settle();
  assert.deepEqual(rig.outlet.delivered.map(({ value }) => value), [line(1)]);
});

Deno.test("a sender that has waited long for room is not silent when its turn comes", async () => {
  const { rig, reception, connect } = await open({ memoryBytes: 500 });
  const peer = connect();
  peer.give(`${line(1)}${"x".repeat(900)}\n`);
  await turn();
  assert.equal(rig.pipeline.hasRoom(rig.source()), false);
  const [session] = reception.sessions;
  const stopped = reception.stop(60_000);
  await looked(session, 2);
  rig.world.clockMs += 60_000;
  await rig.settle();
  // What it wrote meanwhile comes up a little later than the timer.
  await looked(session, 1);
  assert.equal(peer.isClosed, false);
  peer.give(`${line(2)}\n`);
  peer.end();
  assert.deepEqual(await stopped, { cut: 0 });
  await rig.settle();
  assert.ok(rig.outlet.delivered.some(({ value }) => value === line(2)));
});

Deno.test("what those have written that wait to be accepted at a stop is taken, too", async () => {
  const { rig, reception, connect } = await open({ connectionsMost: 1 });
  connect();
  const waiting = [connect(), connect()];
  await turn();
  for (const [n, peer] of waiting.entries()) peer.give(`${line(n)}\n`);
  const stopped = reception.stop(150);
  await within(stopped, 100);
  assert.ok(waiting.every(({ isHalfClosed }) => isHalfClosed));
  await stopped;
  await rig.settle();
  assert.deepEqual(rig.outlet.delivered.map(({ value }) => value).sort(), [line(0), line(1)]);
});

Deno.test("silent connections are asked to leave, and cut off when they do not hear", async () => {
  const { rig, reception, connect } = await open({ idleMs: 1_000 });
  const [silent, polite, talking] = [connect(), connect(), connect()];
  await turn();
  const later = async (ms: number) => {
    rig.world.clockMs += ms;
    talking.give(`${line(1)}\n`);
    await turn();
    reception.closeIdle(rig.world.clockMs);
    await turn();
  };
  await later(900);
  assert.equal(silent.isHalfClosed, false);
  await later(200);
  assert.deepEqual([silent, polite, talking].map(({ isHalfClosed }) => isHalfClosed), [
    true,
    true,
    false,
  ]);
  assert.equal(silent.isClosed, false);
  // What was on its way when we said goodbye is taken.
  polite.give(`${line(2)}\n`);
  await turn();
  polite.end();
  await later(1_000);
  assert.equal(
    silent.isClosed,
    false,
    "the first look after that time may come after a standstill",
  );
  await later(100);
  assert.deepEqual([silent.isClosed, talking.isClosed], [true, false]);
  assert.equal(reception.counts.idle, 2);
  await rig.settle();
  assert.ok(rig.outlet.delivered.some(({ value }) => value === line(2)));
});

Deno.test("what has come to one that was asked to leave during a standstill of ours is taken", async () => {
  const { rig, reception, connect } = await open({ idleMs: 1_000 });
  const peer = connect();
  await turn();
  rig.world.clockMs += 1_100;
  reception.closeIdle(rig.world.clockMs);
  assert.equal(peer.isHalfClosed, true);
  rig.world.clockMs += 60_000;
  reception.closeIdle(rig.world.clockMs);
  assert.equal(peer.isClosed, false);
  peer.give(`${line(1)}\n`);
  await turn();
  reception.closeIdle(rig.world.clockMs);
  assert.equal(peer.isClosed, false);
  peer.end();
  await rig.settle();
  assert.deepEqual(rig.outlet.delivered.map(({ value }) => value), [line(1)]);
});

Deno.test("a connection that waits for Kafka is not idle", async () => {
  const { rig, reception, connect } = await open({ idleMs: 1_000, memoryBytes: 500 });
  const peer = connect();
  peer.give(`${line(1)}${"x".repeat(900)}\n${line(2)}\n`);
  await turn();
  assert.equal(rig.pipeline.hasRoom(rig.source()), false);
  rig.world.clockMs += 5_000;
  reception.closeIdle(rig.world.clockMs);
  await turn();
  assert.equal(peer.isHalfClosed, false);
  await rig.settle();
  peer.end();
  await rig.settle();
});

Deno.test("without --idle-timeout nobody is ever too silent", async () => {
  const { rig, reception, connect } = await open();
  const peer = connect();
  await turn();
  rig.world.clockMs += 1e12;
  reception.closeIdle(rig.world.clockMs);
  await turn();
  assert.deepEqual([peer.isHalfClosed, peer.isClosed], [false, false]);
  peer.end();
});

Deno.test("with headers each record tells its sender and its listener", async () => {
  const { rig, connect } = await open({ headers: true });
  const peer = connect();
  peer.give(`${line(1)}\n`);
  peer.end();
  await turn();
  await rig.settle();
  assert.deepEqual(rig.outlet.delivered.map(({ headers }) => headers), [
    { "sluice-peer": "192.0.2.7", "sluice-listener": "syslog://x:1" },
  ]);
});
