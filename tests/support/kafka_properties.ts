import type { CertificateSet } from "./certificates.ts";
import type { KafkaVersion } from "./kafka_artifacts.ts";

/** The SASL mechanisms that Kafka offers without an outside service. */
export type SaslMechanism = "PLAIN" | "SCRAM-SHA-256" | "SCRAM-SHA-512" | "OAUTHBEARER";

/** How a broker is wanted; everything may be left out. */
export interface KafkaOptions {
  /** 4.1.0 is KRaft, 3.9.1 runs with ZooKeeper. @default "4.1.0" */
  readonly version?: KafkaVersion;
  /** The port of the plaintext listener; a free one by default. */
  readonly port?: number;
  /** Opens a TLS listener with this server certificate. */
  readonly ssl?: CertificateSet;
  /** The TLS listener wants a client certificate of the same authority. */
  readonly clientAuth?: boolean;
  /** Opens a SASL listener: all of these mechanisms, for all of these users with their passwords. */
  readonly sasl?: {
    readonly mechanism: SaslMechanism | readonly SaslMechanism[];
    readonly users: Readonly<Record<string, string>>;
    /** SASL over TLS; needs `ssl`. */
    readonly overTls?: boolean;
  };
  /** Rights are checked: the plaintext listener may do everything, SASL users nothing until allowed. */
  readonly acl?: boolean;
  /** Where in ZooKeeper the cluster lives, such as "/logs/eu"; 3.9.1 only. */
  readonly chroot?: string;
  /** Broker properties on top of ours. */
  readonly properties?: Readonly<Record<string, string>>;
  /** The broker's Java heap. @default "512m" */
  readonly heap?: string;
}

/** The ports of one broker; those of listeners that were not asked for stay unused. */
export interface KafkaPorts {
  readonly plaintext: number;
  readonly ssl: number;
  readonly sasl: number;
  readonly controller: number;
  readonly zookeeper: number;
}

/** How long ZooKeeper remembers a broker that is gone, ms: a restarted one must wait that long. */
const zookeeperSessionMs = 6_000;

/** The broker's configuration as a properties file. */
export function brokerProperties(
  options: KafkaOptions,
  ports: KafkaPorts,
  folder: string,
): string {
  const properties: Record<string, string> = {
    "log.dirs": `${folder}/data`,
    ...listenerProperties(options, ports),
    ...(isKraft(options) ? kraftProperties(ports) : zookeeperProperties(options, ports)),
    ...tlsProperties(options, folder),
    ...saslProperties(options),
    ...aclProperties(options),
    "num.partitions": "1",
    "auto.create.topics.enable": "false",
    "offsets.topic.num.partitions": "1",
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.num.partitions": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "group.initial.rebalance.delay.ms": "0",
    ...options.properties,
  };
  return Object.entries(properties).map(([key, value]) => `${key}=${value}\n`).join("");
}

/** Whether the broker is its own controller. */
export function isKraft(options: KafkaOptions): boolean {
  return (options.version ?? "4.1.0") !== "3.9.1";
}

/** The SASL mechanisms that are asked for. */
export function mechanismsOf(options: KafkaOptions): readonly SaslMechanism[] {
  const wanted = options.sasl?.mechanism ?? [];
  return typeof wanted === "string" ? [wanted] : wanted;
}

function listenerProperties(options: KafkaOptions, ports: KafkaPorts): Record<string, string> {
  const listeners = [["PLAINTEXT", "PLAINTEXT", ports.plaintext]];
  if (options.ssl) listeners.push(["SSL", "SSL", ports.ssl]);
  if (options.sasl) {
    listeners.push(["SASL", options.sasl.overTls ? "SASL_SSL" : "SASL_PLAINTEXT", ports.sasl]);
  }
  const advertised = listeners.map(([name, , port]) => `${name}://127.0.0.1:${port}`);
  if (isKraft(options)) listeners.push(["CONTROLLER", "PLAINTEXT", ports.controller]);
  return {
    "listeners": listeners.map(([name, , port]) => `${name}://127.0.0.1:${port}`).join(","),
    "advertised.listeners": advertised.join(","),
    "listener.security.protocol.map": listeners.map(([name, kind]) => `${name}:${kind}`).join(","),
    "inter.broker.listener.name": "PLAINTEXT",
  };
}

function kraftProperties(ports: KafkaPorts): Record<string, string> {
  return {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.quorum.voters": `1@127.0.0.1:${ports.controller}`,
    "controller.listener.names": "CONTROLLER",
    // A killed broker may register again only when its session has ended: 9 s by default.
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
  };
}

function zookeeperProperties(options: KafkaOptions, ports: KafkaPorts): Record<string, string> {
  return {
    "broker.id": "1",
    "zookeeper.connect": `127.0.0.1:${ports.zookeeper}${options.chroot ?? ""}`,
    "zookeeper.session.timeout.ms": String(zookeeperSessionMs),
  };
}

function tlsProperties(options: KafkaOptions, folder: string): Record<string, string> {
  if (!options.ssl) return {};
  return {
    "ssl.keystore.type": "PEM",
    "ssl.keystore.location": `${folder}/server.pem`,
    "ssl.truststore.type": "PEM",
    "ssl.truststore.location": options.ssl.ca,
    "ssl.client.auth": options.clientAuth ? "required" : "none",
  };
}

function saslProperties(options: KafkaOptions): Record<string, string> {
  if (!options.sasl) return {};
  const mechanisms = mechanismsOf(options);
  const properties: Record<string, string> = {
    "sasl.enabled.mechanisms": mechanisms.join(","),
  };
  for (const mechanism of mechanisms) {
    properties[`listener.name.sasl.${mechanism.toLowerCase()}.sasl.jaas.config`] = jaas(
      mechanism,
      options.sasl.users,
    );
  }
  return properties;
}

function jaas(mechanism: SaslMechanism, users: Readonly<Record<string, string>>): string {
  const security = "org.apache.kafka.common.security";
  if (mechanism === "OAUTHBEARER") {
    return `${security}.oauthbearer.OAuthBearerLoginModule required ` +
      `unsecuredLoginStringClaim_sub="broker";`;
  }
  if (mechanism !== "PLAIN") return `${security}.scram.ScramLoginModule required;`;
  const entries = Object.entries(users).map(([name, password]) => `user_${name}="${password}"`);
  return `${security}.plain.PlainLoginModule required ${entries.join(" ")};`;
}

function aclProperties(options: KafkaOptions): Record<string, string> {
  if (!options.acl) return {};
  return {
    "authorizer.class.name": isKraft(options)
      ? "org.apache.kafka.metadata.authorizer.StandardAuthorizer"
      : "kafka.security.authorizer.AclAuthorizer",
    "super.users": "User:ANONYMOUS",
  };
}
