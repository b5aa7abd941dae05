import { Rsyslog } from "../tests/support/rsyslog.ts";

/**
 * The peer of `forward-syslog`: rsyslog's imtcp and omkafka with a JSON template of the same fields,
 * acks=all and no compression. It is the fastest of fourteen configurations tried: a string template
 * (a list template costs a third of the rate), a queue of its own as a fixed array with large
 * batches, and the library's own linger; `partitions.auto` and more workers gained nothing.
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
template(name="json" type="string" string="${template}")
ruleset(name="kafka" queue.type="FixedArray" queue.size="200000" queue.dequeueBatchSize="4096"
  queue.timeoutEnqueue="60000") {
  action(type="omkafka" broker=["${bootstrap}"] topic="${topic}" template="json"
    confParam=["acks=all", "compression.codec=none", "queue.buffering.max.messages=1000000"]
    closeTimeout="60000" resubmitOnFailure="on")
}
input(type="imtcp" address="127.0.0.1" port="${port}" ruleset="kafka")
`;
}

const fields = {
  timestamp: '"%timereported:::date-rfc3339%"',
  hostname: '"%hostname%"',
  tag: '"%programname%"',
  pid: '"%procid%"',
  content: '"%msg:::json%"',
  priority: "%pri%",
  facility: "%syslogfacility%",
  severity: "%syslogseverity%",
};

/** The value of a record; inside rsyslog's quotes, so its own quotes are escaped. */
const template = `{${
  Object.entries(fields).map(([name, value]) => `"${name}":${value}`).join(",")
}}`.replaceAll('"', '\\"');

/** Starts it; it listens on `port`. */
export function startRsyslogPeer(
  port: number,
  bootstrap: string,
  topic: string,
): Promise<Rsyslog> {
  return Rsyslog.run(port, (folder) => rsyslogConfig(port, bootstrap, topic, folder));
}
