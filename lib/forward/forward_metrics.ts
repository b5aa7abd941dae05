import type { Metrics } from "../clients/metrics.ts";
import type { Ledger } from "./ledger.ts";
import type { Pipeline } from "./pipeline.ts";
import type { ReadBuffers } from "./read_buffers.ts";
import type { Reception } from "./reception.ts";

/** What the metrics of forward-syslog are read from. */
export interface Measured {
  readonly ledger: Ledger;
  readonly pipeline: Pipeline;
  readonly reception: Reception;
  readonly buffers: ReadBuffers;
  readonly isReady: () => boolean;
}

/** Registers the metrics. All but the send time are plain numbers, read when the page is asked for. */
export function registerForwardMetrics(metrics: Metrics, measured: Measured): void {
  const { ledger, pipeline, reception, buffers } = measured;
  const counters: (readonly [string, string, () => number])[] = [
    ["messages_received", "Messages taken from senders", () => ledger.messages],
    ["bytes_received", "Bytes of messages taken from senders", () => ledger.bytes],
    ["records_received", "Records made of messages", () => ledger.received],
    ["records_sent", "Records that Kafka acknowledged", () => ledger.acknowledged],
    ["records_dead_lettered", "Records in the dead-letter topic", () => ledger.deadLettered],
    ["messages_unparsed", "Messages sent as they came: no syslog", () => ledger.unparsed],
    ["messages_truncated", "Messages that lost their end", () => ledger.truncated],
    ["truncated_bytes", "Bytes that truncated messages lost", () => ledger.truncatedBytes],
    ["errors", "Records that Kafka refused in their first form", () => ledger.refused],
    ["records_restamped", "Records sent again with the receive time", () => ledger.restamped],
    ["connections_accepted", "Connections taken", () => reception.counts.accepted],
    ["connections_reset", "Connections broken by the sender", () => reception.counts.reset],
    [
      "connections_refused",
      "Connections closed for what they brought",
      () => reception.counts.refused,
    ],
    ["connections_idle_closed", "Connections closed for silence", () => reception.counts.idle],
  ];
  for (const [name, help, read] of counters) metrics.counterOf(`forward_${name}_total`, help, read);
  const gauges: readonly (readonly [string, string, () => number])[] = [
    ["connections", "Open connections", () => reception.sessions.size],
    ["in_flight_bytes", "Bytes of records not acknowledged", () => pipeline.heldBytes],
    ["in_flight_records", "Records not acknowledged", () => pipeline.heldRecords],
    ["read_buffer_bytes", "Bytes of read buffers", () => buffers.totalBytes],
    [
      "missing_records",
      "Records nobody can account for: a defect unless 0",
      () => ledger.missing(pipeline.heldRecords),
    ],
    ["ready", "1 when lines are being taken", () => measured.isReady() ? 1 : 0],
  ];
  for (const [name, help, read] of gauges) metrics.gaugeOf(`forward_${name}`, help, read);
}
