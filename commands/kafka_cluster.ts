import { readAllText } from "../lib/clients/file.ts";
import { Cluster, type ClusterOptions } from "../lib/clients/kafka/kafka.ts";
import { discoverBrokers } from "../lib/clients/zookeeper.ts";
import { usageError } from "../lib/core/errors.ts";
import type { ValuesOf } from "../lib/core/options.ts";
import { redactUrl } from "../lib/core/secret.ts";
import type { World } from "../lib/core/world.ts";
import { troubleWithAuthorities, troubleWithChain, troubleWithKey } from "../lib/formats/pem.ts";
import type { kafkaOptions } from "./kafka_options.ts";

type KafkaValues = ValuesOf<typeof kafkaOptions>;

/** How long ZooKeeper may take to name the brokers. */
const zookeeperMs = 10_000;

/**
 * The cluster that the options name. Opens no connection, but reads the certificates.
 *
 * @param options.requestTimeoutMs how long an answer may take; the client's own limit without it.
 * @throws {SluiceError} `usage` for contradictions and for files that cannot be read or used.
 */
export async function clusterOf(
  values: KafkaValues,
  world: World,
  options: { readonly clientId: string; readonly requestTimeoutMs?: number },
): Promise<Cluster> {
  const sasl = saslOf(values);
  const tls = await tlsOf(values);
  const isOpen = sasl?.mechanism === "PLAIN" || sasl?.mechanism === "OAUTHBEARER";
  if (isOpen && tls === undefined && !values["sasl-plain-without-tls"]) {
    throw usageError(
      `use --sasl-mechanism ${sasl.mechanism} without TLS`,
      "everybody on the way could read the secret; give --kafka-tls, or --sasl-plain-without-tls if that is meant",
    );
  }
  return new Cluster({
    bootstrap: bootstrapOf(values, tls !== undefined, sasl !== undefined),
    world,
    ...options,
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
    if (isAddress(broker)) continue;
    throw usageError(
      `use --kafka "${redactUrl(broker)}"`,
      "write HOST:PORT, for example kafka-1:9092",
    );
  }
  if (kafka.length > 0) return () => Promise.resolve(kafka);
  if (zookeeper === undefined) {
    throw usageError(
      "find Kafka",
      "give --kafka HOST:PORT,... or --zookeeper HOST:PORT,.../CHROOT",
    );
  }
  const [, servers = "", chroot = ""] = /^([^/]*)(.*)$/s.exec(zookeeper) ?? [];
  if (!servers.split(",").every(isAddress) || servers.includes("[") || !/^(\/\S*)?$/.test(chroot)) {
    throw usageError(
      `use --zookeeper "${redactUrl(zookeeper)}"`,
      "write HOST:PORT,HOST:PORT/CHROOT",
    );
  }
  return () => discoverBrokers(zookeeper, { timeoutMs: zookeeperMs, tls, sasl });
}

/** Whether the text is HOST:PORT, an IPv6 address in brackets. */
function isAddress(text: string): boolean {
  const [, port] = /^(?:\[[0-9a-fA-F:.]+\]|[^:@\s\/\[\]]+):(\d{1,5})$/.exec(text) ?? [];
  return port !== undefined && Number(port) >= 1 && Number(port) <= 65_535;
}

async function tlsOf(values: KafkaValues): Promise<ClusterOptions["tls"]> {
  const { "kafka-ca": ca, "kafka-cert": cert, "kafka-key": key } = values;
  if ((cert === undefined) !== (key === undefined)) {
    throw usageError("use a client certificate", "give both --kafka-cert and --kafka-key");
  }
  if (!values["kafka-tls"] && ca === undefined && cert === undefined) return undefined;
  return {
    ...(ca === undefined ? {} : { ca: await pemOf("--kafka-ca", ca, troubleWithAuthorities) }),
    ...(cert === undefined || key === undefined ? {} : await identityOf(cert, key)),
  };
}

async function identityOf(certPath: string, keyPath: string) {
  const cert = await pemOf("--kafka-cert", certPath, troubleWithChain);
  const key = await pemOf("--kafka-key", keyPath, (text) => troubleWithKey(text, cert));
  return { cert, key };
}

/** A file of certificates or keys, proven: the TLS library would leave out what it cannot read. */
async function pemOf(
  flag: string,
  path: string,
  troubleWith: (text: string) => string | undefined,
): Promise<string> {
  const text = await readAllText(path, flag);
  const trouble = troubleWith(text);
  if (trouble === undefined) return text;
  throw usageError(`use ${flag} ${path}`, `it ${trouble}`);
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
    return { mechanism, token: () => token.fresh() };
  }
  if (username === undefined || password === undefined) {
    throw usageError(`use ${mechanism}`, "give --sasl-username and --sasl-password-file");
  }
  return { mechanism, username, password };
}
