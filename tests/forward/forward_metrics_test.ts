import assert from "node:assert/strict";
import { Metrics } from "../../lib/clients/metrics.ts";
import { registerForwardMetrics } from "../../lib/forward/forward_metrics.ts";
import { ReadBuffers } from "../../lib/forward/read_buffers.ts";
import { Reception } from "../../lib/forward/reception.ts";
import { MemoryListener, MemoryPeer } from "./memory_peer.ts";
import { listenUrl, Rig, turn } from "./rig.ts";

Deno.test("the metrics tell what was taken, sent, set aside and is held", async () => {
  const rig = await Rig.ready({
    lineBytesMost: 100,
    oversize: "dead-letter",
    deadLetterTopic: "dead",
  });
  const buffers = new ReadBuffers(1_000_000);
  const reception = new Reception(rig.settings, {
    pipeline: rig.pipeline,
    buffers,
    log: rig.world.log,
    lineBytesMost: 100,
    monotonicMs: rig.world.monotonicMs,
  });
  const metrics = new Metrics({ version: "1", commit: "c" });
  let isReady = false;
  registerForwardMetrics(metrics, {
    ledger: rig.ledger,
    pipeline: rig.pipeline,
    reception,
    buffers,
    isReady: () => isReady,
  });
  const listener = new MemoryListener(listenUrl());
  reception.serve(listener, listener.url);
  const peer = new MemoryPeer();
  listener.connect(peer);
  peer.give(`<13>Nov 23 20:30:00 h a: hi\n<34>1 bad x\n${"x".repeat(150)}\n`);
  await turn();
  const page = async () => {
    const { text } = await metrics.page();
    const lines = text.split("\n").filter((line) => line.startsWith("sluice_forward_"));
    return Object.fromEntries(lines.map((line) => line.replace("sluice_forward_", "").split(" ")));
  };
  const before = await page();
  assert.deepEqual(
    [before["in_flight_records"], before["records_sent_total"], before["ready"]],
    ["4", "0", "0"],
  );
  assert.ok(Number(before["in_flight_bytes"]) > 150);
  isReady = true;
  await rig.settle();
  assert.deepEqual(await page(), {
    messages_received_total: "3",
    bytes_received_total: "188",
    records_received_total: "4",
    records_sent_total: "2",
    records_dead_lettered_total: "2",
    messages_unparsed_total: "1",
    messages_truncated_total: "0",
    truncated_bytes_total: "0",
    errors_total: "0",
    records_restamped_total: "0",
    connections_accepted_total: "1",
    connections_reset_total: "0",
    connections_refused_total: "0",
    connections_idle_closed_total: "0",
    connections: "1",
    in_flight_bytes: "0",
    in_flight_records: "0",
    read_buffer_bytes: "4096",
    missing_records: "0",
    ready: "1",
  });
  peer.end();
  await reception.stop(1_000);
});
