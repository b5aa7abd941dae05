import type { StatusView } from "../core/status_view.ts";
import type { ForwardDaemon } from "./daemon.ts";

/** What the status page shows of forward-syslog; the daemon is asked each second. */
export function forwardView(
  daemon: () => Pick<ForwardDaemon, "ledger" | "pipeline" | "reception" | "buffers">,
): StatusView {
  const ledger = () => daemon().ledger;
  const pipeline = () => daemon().pipeline;
  const reception = () => daemon().reception;
  return {
    plots: [
      {
        ...{ title: "Records", kind: "rate", unit: "count" },
        lines: [
          { label: "acknowledged by Kafka", read: () => ledger().acknowledged },
          { label: "received", read: () => ledger().received },
        ],
      },
      {
        ...{ title: "Bytes of messages", kind: "rate", unit: "bytes" },
        lines: [{ label: "received", read: () => ledger().bytes }],
      },
      {
        ...{ title: "In flight", kind: "level", unit: "bytes" },
        lines: [{ label: "not acknowledged", read: () => pipeline().heldBytes }],
      },
    ],
    figures: [
      { label: "messages received", unit: "count", read: () => ledger().messages },
      { label: "records in flight", unit: "count", read: () => pipeline().heldRecords },
      { label: "connections", unit: "count", read: () => reception().sessions.size },
      { label: "read buffers", unit: "bytes", read: () => daemon().buffers.totalBytes },
      { label: "unparsed messages", unit: "count", read: () => ledger().unparsed },
      { label: "truncated messages", unit: "count", read: () => ledger().truncated },
      { label: "records refused by Kafka", unit: "count", read: () => ledger().refused },
      { label: "dead-lettered records", unit: "count", read: () => ledger().deadLettered },
      {
        ...{ label: "missing records", unit: "count", isBadUnlessZero: true },
        read: () => ledger().missing(pipeline().heldRecords),
      },
    ],
    tables: [{
      title: "Topics",
      none: "None is known yet.",
      columns: [
        { label: "topic", unit: "text" },
        { label: "partitions", unit: "count" },
      ],
      rows: () =>
        [...pipeline().topics.all].sort((a, b) => Number(a.isKnown) - Number(b.isKnown))
          .map(({ name, lanes, isKnown }) => [name, isKnown ? lanes.length : null]),
    }],
  };
}
