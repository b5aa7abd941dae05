import { Rsyslog } from "../tests/support/rsyslog.ts";

/**
 * The peer of `forward-syslog`: rsyslog's imtcp and omkafka with a JSON template of the same fields,
 * acks=all and no compression. The sizes are those that were fastest of the ones tried: a ruleset
 * queue of its own with large batches, the library's default linger.
 */
export function rsyslogConfig(
  port: number,
  bootstrap: string,
  topic: string,
  folder: string,
): string {
  return `
global(workDirectory="${folder}" maxMessageSize="64k")
module(load="imtcp" maxSessions="100")
module(load="omkafka")
template(name="json" type="list" option.jsonf="on") {
  property(outname="timestamp" name="timereported" dateFormat="rfc3339" format="jsonf")
  property(outname="hostname" name="hostname" format="jsonf")
  property(outname="tag" name="programname" format="jsonf")
  property(outname="pid" name="procid" format="jsonf")
  property(outname="content" name="msg" format="jsonf")
  property(outname="priority" name="pri" format="jsonf" datatype="number")
  property(outname="facility" name="syslogfacility" format="jsonf" datatype="number")
  property(outname="severity" name="syslogseverity" format="jsonf" datatype="number")
}
ruleset(name="kafka" queue.type="LinkedList" queue.size="500000" queue.dequeueBatchSize="4096"
  queue.timeoutEnqueue="60000") {
  action(type="omkafka" broker=["${bootstrap}"] topic="${topic}" template="json"
    partitions.auto="on" confParam=["acks=all", "compression.codec=none",
    "queue.buffering.max.messages=1000000"] closeTimeout="60000" resubmitOnFailure="on")
}
input(type="imtcp" address="127.0.0.1" port="${port}" ruleset="kafka")
`;
}

/** Starts it; it listens on `port`. */
export function startRsyslogPeer(
  port: number,
  bootstrap: string,
  topic: string,
): Promise<Rsyslog> {
  return Rsyslog.run(port, (folder) => rsyslogConfig(port, bootstrap, topic, folder));
}
