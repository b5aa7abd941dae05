import { readAllText } from "../lib/clients/file.ts";
import { Cluster, type ClusterOptions } from "../lib/clients/kafka/kafka.ts";
import { discoverBrokers } from "../lib/clients/zookeeper.ts";
import { usageError } from "../lib/core/errors.ts";
import type { ValuesOf } from "../lib/core/options.ts";
import type { World } from "../lib/core/world.ts";
import type { kafkaOptions } from "./kafka_options.ts";

type KafkaValues = ValuesOf<typeof kafkaOptions>;

/** How long ZooKeeper may take to name the brokers. */
const zookeeperMs = 10_000;

/**
 * The cluster that the options name. Opens no connection, but reads the certificates.
 *
 * @throws {SluiceError} `usage` for contradictions and for files that cannot be read.
 */
export async function clusterOf(
  values: KafkaValues,
  world: World,
  clientId: string,
): Promise<Cluster> {
  const sasl = saslOf(values);
  const tls = await tlsOf(values);
  if (sasl?.mechanism === "PLAIN" && tls === undefined && !values["sasl-plain-without-tls"]) {
    throw usageError(
      "use --sasl-mechanism PLAIN without TLS",
      "everybody on the way could read the password; give --kafka-tls, or --sasl-plain-without-tls if that is meant",
    );
  }
  return new Cluster({
    bootstrap: bootstrapOf(values, tls !== undefined, sasl !== undefined),
    clientId,
    world,
    ...(tls ? { tls } : {}),
    ...(sasl ? { sasl } : {}),
  });
}

function bootstrapOf(
  values: KafkaValues,
  tls: boolean,
  sasl: boolean,
): () => Promise<readonly string[]> {
  const { kafka, zookeeper } = values;
  if (kafka.length > 0 && zookeeper !== undefined) {
    throw usageError("use --kafka and --zookeeper together", "give one of them");
  }
  for (const broker of kafka) {
    if (!/^(\[[0-9a-fA-F:.]+\]|[^:\s\/]+):\d{1,5}$/.test(broker)) {
      throw usageError(`use --kafka "${broker}"`, "write HOST:PORT, for example kafka-1:9092");
    }
  }
  if (kafka.length > 0) return () => Promise.resolve(kafka);
  if (zookeeper === undefined) {
    throw usageError(
      "find Kafka",
      "give --kafka HOST:PORT,... or --zookeeper HOST:PORT,.../CHROOT",
    );
  }
  if (!/^[^:\s\/,]+:\d{1,5}(,[^:\s\/,]+:\d{1,5})*(\/\S*)?$/.test(zookeeper)) {
    throw usageError(`use --zookeeper "${zookeeper}"`, "write HOST:PORT,HOST:PORT/CHROOT");
  }
  return () => discoverBrokers(zookeeper, { timeoutMs: zookeeperMs, tls, sasl });
}

async function tlsOf(values: KafkaValues): Promise<ClusterOptions["tls"]> {
  const { "kafka-ca": ca, "kafka-cert": cert, "kafka-key": key } = values;
  if ((cert === undefined) !== (key === undefined)) {
    throw usageError("use a client certificate", "give both --kafka-cert and --kafka-key");
  }
  if (!values["kafka-tls"] && ca === undefined && cert === undefined) return undefined;
  return {
    ...(ca === undefined ? {} : { ca: await readAllText(ca, "certificates to trust") }),
    ...(cert === undefined ? {} : { cert: await readAllText(cert, "client certificate") }),
    ...(key === undefined ? {} : { key: await readAllText(key, "client key") }),
  };
}

function saslOf(values: KafkaValues): ClusterOptions["sasl"] {
  const { "sasl-mechanism": mechanism, "sasl-username": username } = values;
  const { "sasl-password": password, "sasl-token": token } = values;
  if (mechanism === undefined) {
    if (username === undefined && password === undefined && token === undefined) return undefined;
    throw usageError("log in to Kafka", "give --sasl-mechanism");
  }
  if (mechanism === "OAUTHBEARER") {
    if (token === undefined) throw usageError("use OAUTHBEARER", "give --sasl-token-file");
    return { mechanism, token: () => Promise.resolve(token) };
  }
  if (username === undefined || password === undefined) {
    throw usageError(`use ${mechanism}`, "give --sasl-username and --sasl-password-file");
  }
  return { mechanism, username, password };
}
