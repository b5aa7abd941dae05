import { serveStatus } from "../lib/clients/http.ts";
import type { Cluster } from "../lib/clients/kafka/kafka.ts";
import { onSignalOf } from "../lib/clients/signals.ts";
import { listenDatagrams, listenStream, type TlsFiles } from "../lib/clients/listen/listen.ts";
import { reasonOf, usageError } from "../lib/core/errors.ts";
import { Exit, type ExitCode } from "../lib/core/exit.ts";
import {
  choice,
  duration,
  list,
  number,
  size,
  text,
  toggle,
  type ValuesOf,
} from "../lib/core/options.ts";
import type { World } from "../lib/core/world.ts";
import { parseListenUrl } from "../lib/formats/listen_url.ts";
import { TimeZone } from "../lib/formats/time_zone.ts";
import { ForwardDaemon } from "../lib/forward/daemon.ts";
import { registerForwardMetrics } from "../lib/forward/forward_metrics.ts";
import { forwardView } from "../lib/forward/forward_view.ts";
import type { ForwardSettings, Oversize } from "../lib/forward/settings.ts";
import { parseTopicTemplate } from "../lib/forward/topic_template.ts";
import { type CommandContext, defineCommand } from "./command.ts";
import { daemonOptions } from "./daemon_options.ts";
import { clusterOf } from "./kafka_cluster.ts";
import { kafkaOptions } from "./kafka_options.ts";
import { checkReporting } from "./reporting.ts";
import { Watching } from "./watching.ts";

const options = {
  "listen": list({
    placeholder: "URL,...",
    fallback: ["tcp://0.0.0.0:1514"],
    help:
      "where to take syslog: tcp://, tls://, relp://, relp+tls://, udp://HOST:PORT, unix:///PATH",
  }),
  "tls-cert": text({ placeholder: "FILE", help: "certificate chain (PEM) of tls and relp+tls" }),
  "tls-key": text({ placeholder: "FILE", help: "private key (PEM) of --tls-cert" }),
  "tls-client-ca": text({
    placeholder: "FILE",
    help: "turn away clients without a certificate that one of these (PEM) signed",
  }),
  ...kafkaOptions,
  "topic": text({
    placeholder: "NAME",
    fallback: "syslog",
    help: "topic, fixed or with fields: {hostname}, {tag}, {facility}, {severity}",
  }),
  "topic-limit": number({
    fallback: 100,
    least: 1,
    most: 10_000,
    help: "how many topics a template may name; what is beyond goes to the one with `other`",
  }),
  "key": choice(["none", "hostname", "tag"], {
    fallback: "none",
    help: "record key; without one all lines of a connection go to one partition, in order",
  }),
  "format": choice(["json", "raw"], {
    fallback: "json",
    help: "record value: an object of the message's parts, or the message's bytes as they came",
  }),
  "record-time": choice(["receive", "message"], {
    fallback: "receive",
    help: "record timestamp: when the line came, or what it says",
  }),
  "timezone": text({
    placeholder: "ZONE",
    fallback: "UTC",
    help: "zone of stamps that name none: Europe/London, +02:00",
  }),
  "headers": toggle({ help: "add the sender's address and the listener to every record" }),
  "compression": choice(["none", "gzip", "snappy", "lz4", "zstd"], {
    fallback: "none",
    help: "codec of the record batches",
  }),
  "memory": size({
    fallback: 64 * 1024 * 1024,
    least: 4 * 1024 * 1024,
    most: 8 * 1024 * 1024 * 1024,
    help: "bytes of records that may await Kafka's acknowledgement; beyond that nothing is read",
  }),
  "max-connections": number({
    fallback: 10_000,
    least: 1,
    most: 1_000_000,
    help: "connections open at once; others wait to be accepted",
  }),
  "max-line": size({
    fallback: 64 * 1024,
    least: 480,
    most: 512 * 1024,
    help: "longest message; what is longer is handled as --oversize says",
  }),
  "oversize": choice(["split", "truncate", "dead-letter"], {
    help:
      "what is too long: several records with a header, one without its end, or the dead-letter " +
      "topic (default: dead-letter when there is one, else split)",
  }),
  "dead-letter-topic": text({
    placeholder: "NAME",
    help: "topic for messages that are too long and records that the broker refuses",
  }),
  "idle-timeout": duration({
    fallback: 0,
    help: "close connections that say nothing for so long; 0 never",
  }),
  "drain-timeout": duration({
    fallback: 10_000,
    most: 3_600_000,
    help: "at a stop, how long senders have to notice that we close",
  }),
  ...daemonOptions,
} as const;

type Values = ValuesOf<typeof options>;

/** `sluice forward-syslog` */
export const forwardSyslog = defineCommand({
  name: "forward-syslog",
  summary: "Take syslog over TCP, TLS, RELP, UDP or a Unix socket into Kafka",
  description:
    "Takes syslog lines (RFC 3164, RFC 5424; LF, NUL, octet counting) and writes each as " +
    "one record to Kafka (acks=all, idempotent). When Kafka is slow or away it stops reading and " +
    "tries on for ever, so that senders keep what cannot be taken. A RELP sender gets its answer " +
    "only after Kafka's acknowledgement.\n\nSIGTERM or SIGINT: finish what was taken and stop; a " +
    "second one stops at once. SIGUSR1: look at the Kafka cluster anew. SIGHUP: reload certificates.",
  daemon: true,
  options,
  exits: {
    ok: "stopped, and everything taken was acknowledged",
    failed: "could not start, or the counts at the end did not agree",
    usage: "an option is wrong",
    unreachable: "--check: Kafka or ZooKeeper cannot be reached",
    denied: "Kafka refuses the user or the password, or a port may not be listened on",
    interrupted: "stopped by a second signal",
  },
  examples: [
    "sluice forward-syslog --kafka kafka-1:9092,kafka-2:9092 --topic syslog",
    "sluice forward-syslog --listen relp://0.0.0.0:2514 --zookeeper zk-1:2181/kafka",
    "sluice forward-syslog --config /etc/sluice/forward-syslog.yaml --check",
  ],
  run,
});

/** How long Kafka's answers may take in a `--check`: a person waits for it. */
const checkRequestMs = 5_000;

async function run(values: Values, context: CommandContext): Promise<ExitCode> {
  const { drain, abort } = context;
  const settings = settingsOf(values);
  const watching = new Watching(values, context.world);
  const { metrics, world } = watching;
  const tls = tlsFilesOf(values, settings);
  const cluster = await clusterOf(values, world, {
    clientId: "sluice-forward-syslog",
    ...(values.check ? { requestTimeoutMs: checkRequestMs } : {}),
  });
  if (values.check) return await check(values, settings, { tls, cluster, world });
  // Before the daemon is made, which asks Kafka at once: an address that cannot be is refused first.
  watching.serve({
    ...{ command: forwardSyslog.name, options },
    view: forwardView(() => daemon),
    notReady: () => daemon.notReady(),
  });
  const daemon = new ForwardDaemon(settings, {
    world,
    cluster,
    codec: values.compression,
    ...(tls ? { tls } : {}),
    timeSend: metrics.timer(
      "forward_send_seconds",
      "Time from sending a batch to its acknowledgement",
    ),
  });
  const { ledger, pipeline, reception, buffers } = daemon;
  const failed = (thrown: unknown) => world.log("error", reasonOf(thrown));
  const signals = [
    onSignalOf("SIGUSR1", () => daemon.refresh().catch(failed)),
    onSignalOf("SIGHUP", () => daemon.reload().catch(failed)),
  ];
  abort.addEventListener("abort", () => daemon.abandon());
  try {
    await daemon.listen();
    registerForwardMetrics(metrics, {
      ledger,
      pipeline,
      reception,
      buffers,
      isReady: () => daemon.notReady().length === 0,
    });
    await watching.begin(drain);
    return await daemon.run(drain);
  } finally {
    // What was opened before a listener failed must not outlive us: a socket's file would.
    daemon.close();
    signals.forEach((release) => release());
    await watching.stop();
  }
}

/** The settings, free of contradictions. */
function settingsOf(values: Values): ForwardSettings {
  const deadLetterTopic = values["dead-letter-topic"];
  const oversize: Oversize = values.oversize ??
    (deadLetterTopic === undefined ? "split" : "dead-letter");
  if (oversize === "dead-letter" && deadLetterTopic === undefined) {
    throw usageError("use --oversize dead-letter", "give --dead-letter-topic too");
  }
  if (deadLetterTopic !== undefined && parseTopicTemplate(deadLetterTopic).fields.length > 0) {
    throw usageError(`use --dead-letter-topic "${deadLetterTopic}"`, "it must be one fixed topic");
  }
  if (deadLetterTopic === values.topic) {
    throw usageError(`use --dead-letter-topic "${deadLetterTopic}"`, "it is the --topic itself");
  }
  // Refuses a zone that does not exist before anything is opened.
  new TimeZone(values.timezone);
  return {
    listen: values.listen.map(parseListenUrl),
    topic: parseTopicTemplate(values.topic),
    topicsMost: values["topic-limit"],
    key: values.key,
    format: values.format,
    recordTime: values["record-time"],
    timeZone: values.timezone,
    headers: values.headers,
    oversize,
    ...(deadLetterTopic === undefined ? {} : { deadLetterTopic }),
    lineBytesMost: values["max-line"],
    memoryBytes: values.memory,
    connectionsMost: values["max-connections"],
    idleMs: values["idle-timeout"],
    drainMs: values["drain-timeout"],
  };
}

function tlsFilesOf(values: Values, { listen }: ForwardSettings): TlsFiles | undefined {
  const { "tls-cert": certPath, "tls-key": keyPath, "tls-client-ca": clientCaPath } = values;
  const url = listen.find(({ transport }) => transport === "tls");
  if (url === undefined) {
    if (certPath ?? keyPath ?? clientCaPath) {
      throw usageError(
        "use --tls-cert, --tls-key or --tls-client-ca",
        "no --listen URL is tls:// or relp+tls://",
      );
    }
    return undefined;
  }
  if (certPath === undefined || keyPath === undefined) {
    throw usageError(`listen on ${url.text}`, "give --tls-cert and --tls-key");
  }
  return { certPath, keyPath, ...(clientCaPath === undefined ? {} : { clientCaPath }) };
}

/**
 * `--check`: opens what would be listened on, asks Kafka once, and closes all of it. No daemon is
 * made, as that asks Kafka by itself and would have missing topics made.
 */
async function check(
  values: Values,
  { listen, topic, deadLetterTopic }: ForwardSettings,
  { tls, cluster, world }: {
    readonly tls: TlsFiles | undefined;
    readonly cluster: Cluster;
    readonly world: World;
  },
): Promise<ExitCode> {
  const opened: { stop(): unknown }[] = [];
  try {
    const notServed = { page: () => Promise.reject(new Error("--check")), notReady: () => [] };
    if (values.http !== undefined) opened.push(serveStatus(values.http, notServed));
    for (const url of listen) {
      const options = { handshakeMs: 0, ...(tls ? { tls } : {}) };
      opened.push(
        url.transport === "udp" ? listenDatagrams(url) : await listenStream(url, options),
      );
    }
    const topics = [...(topic.fields.length === 0 ? [topic.text] : []), deadLetterTopic ?? []];
    await checkReporting(values);
    const seen = await cluster.check(topics.flat());
    world.log("info", "All is well", { brokers: seen.brokers, topics: seen.topics });
    return Exit.ok;
  } finally {
    for (const one of opened) await one.stop();
    await cluster.close();
  }
}
