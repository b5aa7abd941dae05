import { startBigQuery } from "../tests/support/bigquery_server.ts";
import { makeCertificates } from "../tests/support/certificates.ts";
import type { KafkaOptions } from "../tests/support/kafka_properties.ts";
import { startKafka } from "../tests/support/kafka_server.ts";
import { makeServerFolder } from "../tests/support/processes.ts";
import { startPostgres } from "../tests/support/postgres_server.ts";
import { Rsyslog, type RsyslogPlan } from "../tests/support/rsyslog.ts";
import { startS3 } from "../tests/support/s3_server.ts";

/** A server that runs. */
export interface Running extends AsyncDisposable {
  /** What a person needs to use it: `["bootstrap", "127.0.0.1:9092"]`. */
  readonly addresses: readonly (readonly [string, string])[];
  /** A command line to try. */
  readonly example?: string;
}

/** How servers are wanted. */
export interface Wishes {
  /** The port to listen on; a free one without it. */
  readonly port?: number;
  /** Topics to make in a Kafka. */
  readonly topics: readonly string[];
  /** Buckets to make in an S3. */
  readonly buckets: readonly string[];
}

/** One kind of server that can be started for use by hand. */
export interface ServerKind {
  readonly name: string;
  readonly summary: string;
  start(wishes: Wishes): Promise<Running>;
}

/** Every kind, in the order of the help; each is built on what the tests start. */
export const serverKinds: readonly ServerKind[] = [
  {
    name: "kafka",
    summary: "Kafka 4.1.0 (KRaft), one broker",
    start: (wishes) => kafka(wishes, {}),
  },
  {
    name: "kafka-zookeeper",
    summary: "Kafka 3.9.1 with its ZooKeeper, the last line that has one",
    start: (wishes) => kafka(wishes, { version: "3.9.1", chroot: "/logs" }),
  },
  {
    name: "kafka-secure",
    summary: "Kafka 4.1.0 that also listens with TLS (client certificates) and with SASL over TLS",
    start: secureKafka,
  },
  {
    name: "rsyslog",
    summary: "rsyslogd that sends on to tcp://127.0.0.1:1514 by omfwd",
    start: (wishes) => rsyslog(wishes, { protocol: "tcp", port: 1514 }),
  },
  {
    name: "rsyslog-relp",
    summary: "rsyslogd that sends on to relp://127.0.0.1:2514 by omrelp",
    start: (wishes) => rsyslog(wishes, { protocol: "relp", port: 2514 }),
  },
  {
    name: "s3",
    summary: "versitygw, which speaks S3 over a folder",
    start: s3,
  },
  {
    name: "postgres",
    summary: "PostgreSQL with an empty database",
    start: postgres,
  },
  {
    name: "bigquery",
    summary: "an emulator of BigQuery and Cloud Storage, with a table to replicate from US to EU",
    start: bigQuery,
  },
];

async function kafka({ port, topics }: Wishes, options: KafkaOptions): Promise<Running> {
  const server = await startKafka({ ...options, ...(port === undefined ? {} : { port }) });
  for (const topic of topics) await server.createTopic(topic, { partitions: 3 });
  const where = options.version === "3.9.1" ? `--zookeeper ${server.zookeeper}` : "";
  return {
    addresses: [
      ["bootstrap", server.bootstrap],
      ...(where ? [["zookeeper", server.zookeeper] as const] : []),
      ["topics", topics.join(", ")],
      ["log", `${server.folder}/kafka.log`],
    ],
    example: `sluice forward-syslog ${where || `--kafka ${server.bootstrap}`}`,
    [Symbol.asyncDispose]: () => server.stop(),
  };
}

const user = "alice";
const password = "wonderland";

async function secureKafka({ port, topics }: Wishes): Promise<Running> {
  const folder = await makeServerFolder("certificates");
  const ssl = await makeCertificates(folder);
  const server = await startKafka({
    ssl,
    clientAuth: true,
    sasl: {
      mechanism: ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"],
      users: { [user]: password },
      overTls: true,
    },
    ...(port === undefined ? {} : { port }),
  });
  for (const topic of topics) await server.createTopic(topic, { partitions: 3 });
  return {
    addresses: [
      ["plaintext", server.bootstrap],
      ["tls", server.sslBootstrap],
      ["sasl over tls", `${server.saslBootstrap} as ${user}, password ${password}`],
      ["authority", ssl.ca],
      ["client", `${ssl.clientCert} with ${ssl.clientKey}`],
      ["topics", topics.join(", ")],
      ["log", `${server.folder}/kafka.log`],
    ],
    example: `sluice forward-syslog --kafka ${server.sslBootstrap} --kafka-ca ${ssl.ca} ` +
      `--kafka-cert ${ssl.clientCert} --kafka-key ${ssl.clientKey}`,
    [Symbol.asyncDispose]: async () => {
      await server.stop();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

async function rsyslog({ port }: Wishes, plan: RsyslogPlan): Promise<Running> {
  const server = await Rsyslog.start(plan, port);
  return {
    addresses: [
      ["takes lines on", `tcp 127.0.0.1:${server.port}`],
      ["sends them to", `${plan.protocol} 127.0.0.1:${plan.port}`],
    ],
    example: `logger --server 127.0.0.1 --port ${server.port} --tcp "hello"`,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

async function s3({ port, buckets }: Wishes): Promise<Running> {
  const server = await startS3(port === undefined ? {} : { port });
  for (const bucket of buckets) await server.createBucket(bucket);
  return {
    addresses: [
      ["endpoint", server.endpoint],
      ["credentials", `export AWS_ACCESS_KEY_ID=${server.accessKey}`],
      ["", `export AWS_SECRET_ACCESS_KEY=${server.secretKey}`],
      ["buckets", buckets.join(", ")],
      ["objects", `${server.folder}/data`],
    ],
    [Symbol.asyncDispose]: () => server.stop(),
  };
}

async function postgres({ port }: Wishes): Promise<Running> {
  const server = await startPostgres(port === undefined ? {} : { port });
  return {
    addresses: [
      ["url", server.url],
      ["database", `${server.database}, user ${server.user}`],
      ["log", `${server.folder}/postgres.log`],
    ],
    example: `psql ${server.url}`,
    [Symbol.asyncDispose]: () => server.stop(),
  };
}

async function bigQuery({ port, buckets }: Wishes): Promise<Running> {
  const server = await startBigQuery(port === undefined ? {} : { port });
  await server.createDataset("sluice", "source", "US");
  await server.createDataset("sluice", "target", "EU");
  for (const bucket of buckets) await server.createBucket(bucket, "EU");
  const greetings = { projectId: "sluice", datasetId: "source", tableId: "greetings" };
  const fields = [{ name: "id", type: "INTEGER" }, { name: "text", type: "STRING" }];
  await server.createTable(greetings, { schema: { fields } });
  await server.insert(greetings, [{ id: 1, text: "hello" }, { id: 2, text: "hej" }]);
  return {
    addresses: [
      ["endpoint", `export BIGQUERY_EMULATOR_HOST=${server.endpoint}`],
      ["", `export STORAGE_EMULATOR_HOST=${server.endpoint}`],
      ["datasets", "sluice.source in US with the table greetings, sluice.target in EU"],
      ["buckets", `${buckets.join(", ")} in EU`],
      ["log", `${server.folder}/bigquery.log`],
    ],
    example: "sluice replicate --source-project sluice --source-dataset source " +
      "--destination-project sluice --destination-dataset target --table-filter '.*' " +
      `--google-cloud-bucket gs://${buckets[0] ?? "BUCKET"}`,
    [Symbol.asyncDispose]: () => server.stop(),
  };
}
