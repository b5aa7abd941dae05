import { type Admin, Kafka, logLevel } from "kafkajs";
import { kafkaClassPath, noPerfData } from "./kafka_artifacts.ts";
import {
  brokerProperties,
  isKraft,
  type KafkaOptions,
  type KafkaPorts,
  mechanismsOf,
} from "./kafka_properties.ts";
import { freePort } from "./ports.ts";
import { makeServerFolder, runCommand, type ServerProcess, startProcess } from "./processes.ts";
import { delay, eventually } from "./waiting.ts";
import { startZookeeper, waitForNoBroker } from "./zookeeper_server.ts";

/** How a topic is wanted. */
export interface TopicOptions {
  /** @default 1 */
  readonly partitions?: number;
  /** Topic properties such as "max.message.bytes". */
  readonly config?: Readonly<Record<string, string>>;
}

/** A real Kafka of one broker, as ordinary processes on 127.0.0.1. Ends with `await using`. */
export class KafkaServer implements AsyncDisposable {
  #broker: ServerProcess | undefined;
  #zookeeper: ServerProcess | undefined;

  private constructor(
    readonly options: KafkaOptions,
    public ports: KafkaPorts,
    readonly folder: string,
  ) {}

  /** Starts a broker and waits until it answers. */
  static async start(options: KafkaOptions): Promise<KafkaServer> {
    const ports = {
      plaintext: options.port ?? freePort(),
      ssl: freePort(),
      sasl: freePort(),
      controller: freePort(),
      zookeeper: freePort(),
    };
    const server = new KafkaServer(options, ports, await makeServerFolder("kafka"));
    try {
      await server.#prepare();
      await server.#startBroker();
      await server.#addScramUsers();
    } catch (thrown) {
      await server.stop();
      throw thrown;
    }
    return server;
  }

  /** HOST:PORT of the plaintext listener. */
  get bootstrap(): string {
    return `127.0.0.1:${this.ports.plaintext}`;
  }

  /** HOST:PORT of the TLS listener; asking for one that was not ordered is a mistake in the test. */
  get sslBootstrap(): string {
    if (!this.options.ssl) throw new Error("This Kafka was started without `ssl`");
    return `127.0.0.1:${this.ports.ssl}`;
  }

  /** HOST:PORT of the SASL listener. */
  get saslBootstrap(): string {
    if (!this.options.sasl) throw new Error("This Kafka was started without `sasl`");
    return `127.0.0.1:${this.ports.sasl}`;
  }

  /** HOST:PORT/CHROOT of its ZooKeeper. */
  get zookeeper(): string {
    if (isKraft(this.options)) throw new Error("This Kafka has no ZooKeeper: ask for 3.9.1");
    return `127.0.0.1:${this.ports.zookeeper}${this.options.chroot ?? ""}`;
  }

  /** The broker's process. */
  get pid(): number {
    return this.#running().pid;
  }

  async createTopic(name: string, options: TopicOptions = {}): Promise<void> {
    const { partitions = 1, config = {} } = options;
    const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }));
    await this.#administer(async (admin) => {
      const topics = [{ topic: name, numPartitions: partitions, configEntries }];
      // kafkajs waits by itself, too, but gives up when a busy broker does not know the topic yet.
      await admin.createTopics({ topics, waitForLeaders: false, timeout: busyMs });
      await leadersKnown(admin, name, partitions);
    });
  }

  /** Deletes a topic; afterwards the broker takes no records for it any more. */
  async deleteTopic(name: string): Promise<void> {
    await this.#administer((admin) => admin.deleteTopics({ topics: [name], timeout: busyMs }));
    // It is known to be gone before the broker has let go of its log, and what that takes is lost.
    await eventually(
      `the end of the logs of ${name}`,
      async () => (await this.#logsOf(name)).length === 0,
    );
  }

  /** Adds partitions until the topic has `count`; afterwards the broker tells of all of them. */
  async addPartitions(topic: string, count: number): Promise<void> {
    await this.#administer(async (admin) => {
      await admin.createPartitions({ topicPartitions: [{ topic, count }], timeout: busyMs });
      await leadersKnown(admin, topic, count);
    });
  }

  /** Changes properties of a topic. */
  async configureTopic(name: string, config: Readonly<Record<string, string>>): Promise<void> {
    const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }));
    await this.#administer((admin) =>
      admin.alterConfigs({ validateOnly: false, resources: [{ type: 2, name, configEntries }] })
    );
  }

  /** Bytes of the topic's log files. */
  async storedBytes(topic: string): Promise<number> {
    let bytes = 0;
    for (const log of await this.#logsOf(topic)) {
      for await (const file of Deno.readDir(log)) {
        if (!file.name.endsWith(".log")) continue;
        bytes += (await Deno.stat(`${log}/${file.name}`)).size;
      }
    }
    return bytes;
  }

  /** The folders of the topic's partitions. */
  async #logsOf(topic: string): Promise<string[]> {
    const data = `${this.folder}/data`;
    return (await Array.fromAsync(Deno.readDir(data))).map(({ name }) => name)
      .filter((name) => /-\d+$/.test(name) && name.replace(/-\d+$/, "") === topic)
      .map((name) => `${data}/${name}`);
  }

  /** Runs something with kafkajs's admin client on the plaintext listener. */
  async #administer<T>(act: (admin: Admin) => Promise<T>): Promise<T> {
    const admin = kafkajsOf(this.bootstrap).admin();
    await admin.connect();
    try {
      return await act(admin);
    } finally {
      await admin.disconnect();
    }
  }

  /** Gives a user of the SASL listener a right on a topic ("*" for all); needs `acl`. */
  async allow(user: string, topic: string, operation: AclOperation): Promise<void> {
    await this.#administer((admin) => admin.createAcls({ acl: [aclOf(user, topic, operation)] }));
  }

  /** Takes a right away again; afterwards the broker knows. */
  async disallow(user: string, topic: string, operation: AclOperation): Promise<void> {
    const acl = aclOf(user, topic, operation);
    await this.#administer(async (admin) => {
      await admin.deleteAcls({ filters: [acl] });
      await eventually(
        `the end of the right to ${operation} ${topic}`,
        async () => (await admin.describeAcls(acl)).resources.length === 0,
      );
    });
  }

  /** Sends the broker a signal; after SIGKILL and SIGTERM waits for its end. */
  async kill(signal: Deno.Signal = "SIGKILL"): Promise<void> {
    const broker = this.#running();
    broker.signal(signal);
    if (signal !== "SIGKILL" && signal !== "SIGTERM") return;
    await broker.ended;
    this.#broker = undefined;
  }

  /** Freezes the broker: connections stay open and nothing is answered. */
  async pause(): Promise<void> {
    await this.#running().freeze();
  }

  resume(): void {
    this.#running().signal("SIGCONT");
  }

  /** Starts the broker again on the same ports and data, ending it first if it runs. */
  async restart(): Promise<void> {
    if (this.#broker) await this.kill("SIGTERM");
    if (!isKraft(this.options)) await waitForNoBroker(this.ports.zookeeper);
    await this.#startBroker();
  }

  /** Starts the broker again with the same data on another port of its plaintext listener. */
  async move(): Promise<void> {
    await this.kill("SIGTERM");
    this.ports = { ...this.ports, plaintext: freePort() };
    await Deno.writeTextFile(
      this.#config,
      brokerProperties(this.options, this.ports, this.folder),
    );
    await this.restart();
  }

  /** Ends everything and removes the data. */
  async stop(): Promise<void> {
    // The data goes away in the next moment: no need for a clean end.
    for (const one of [this.#broker, this.#zookeeper]) {
      one?.signal("SIGKILL");
      await one?.ended;
    }
    this.#broker = undefined;
    this.#zookeeper = undefined;
    await Deno.remove(this.folder, { recursive: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #running(): ServerProcess {
    if (!this.#broker) throw new Error("This Kafka does not run now");
    return this.#broker;
  }

  /** Writes the configuration, and formats the data folder or starts ZooKeeper. */
  async #prepare(): Promise<void> {
    const { options, ports, folder } = this;
    await Deno.writeTextFile(this.#config, brokerProperties(options, ports, folder));
    if (options.ssl) {
      const key = await Deno.readTextFile(options.ssl.serverKey);
      const cert = await Deno.readTextFile(options.ssl.serverCert);
      await Deno.writeTextFile(`${folder}/server.pem`, key + cert);
    }
    if (!isKraft(options)) {
      this.#zookeeper = await startZookeeper(ports.zookeeper, folder);
      return;
    }
    await this.#java("kafka.tools.StorageTool", "format", "-t", clusterId(), "-c", this.#config);
  }

  get #config(): string {
    return `${this.folder}/kafka.properties`;
  }

  async #startBroker(): Promise<void> {
    const classPath = await kafkaClassPath(this.options.version ?? "4.1.0");
    const heap = `-Xmx${this.options.heap ?? "512m"}`;
    const broker = await startProcess({
      name: "kafka",
      command: "java",
      args: [heap, noPerfData, "-cp", classPath, "kafka.Kafka", this.#config],
      folder: this.folder,
    });
    this.#broker = broker;
    let hasEnded = false;
    broker.ended.then(() => hasEnded = true);
    const deadline = performance.now() + 120_000;
    while (!await this.#answers()) {
      if (!hasEnded && performance.now() < deadline) {
        await delay(100);
        continue;
      }
      const why = hasEnded ? "it has ended" : "no answer for 120 s";
      throw new Error(`Cannot start Kafka on ${this.bootstrap}: ${why}\n${await broker.tail()}`);
    }
  }

  /** Whether the broker answers a request for metadata, with itself in it. */
  async #answers(): Promise<boolean> {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port: this.ports.plaintext })).close();
      const { brokers } = await this.#administer((admin) => admin.describeCluster());
      return brokers.length > 0;
    } catch {
      return false; // not yet: the caller knows how long it may take
    }
  }

  /**
   * SCRAM users live in the cluster itself, so they are added when it runs; one credential at a time,
   * for KRaft refuses two of one user in one request.
   */
  async #addScramUsers(): Promise<void> {
    const scram = mechanismsOf(this.options).filter((name) => name.startsWith("SCRAM"));
    for (const [user, password] of Object.entries(this.options.sasl?.users ?? {})) {
      for (const mechanism of scram) {
        await this.#java(
          "kafka.admin.ConfigCommand",
          ...["--bootstrap-server", this.bootstrap, "--alter", "--entity-type", "users"],
          ...["--entity-name", user, "--add-config", `${mechanism}=[password=${password}]`],
        );
      }
    }
  }

  async #java(main: string, ...args: string[]): Promise<void> {
    const classPath = await kafkaClassPath(this.options.version ?? "4.1.0");
    const { success, text } = await runCommand(
      ["java", "-Xmx256m", noPerfData, "-cp", classPath, main, ...args],
      { cwd: this.folder },
    );
    if (success) return;
    throw new Error(`Cannot run ${main} of Kafka: ${text.trimEnd()}`);
  }
}

/**
 * A new id for a cluster: 16 bytes in base64url. Their first bit is clear, so that none begins with
 * "-" (the sign for 62): on a command line that would be taken for an option.
 *
 * @param bytes sixteen; they are changed.
 */
export function clusterId(bytes: Uint8Array = crypto.getRandomValues(new Uint8Array(16))): string {
  bytes[0] = (bytes[0] ?? 0) & 0x7f;
  return bytes.toBase64({ alphabet: "base64url", omitPadding: true });
}

/** Starts a real Kafka and waits until it answers. */
export function startKafka(options: KafkaOptions = {}): Promise<KafkaServer> {
  return KafkaServer.start(options);
}

/** How long a broker on a busy machine may take over a request; kafkajs gives it a second or five. */
const busyMs = 30_000;

/** kafkajs, silent, with few retries. */
export function kafkajsOf(bootstrap: string): Kafka {
  return new Kafka({
    clientId: "sluice-tests",
    brokers: [bootstrap],
    logLevel: logLevel.NOTHING,
    connectionTimeout: busyMs,
    authenticationTimeout: busyMs,
    requestTimeout: 2 * busyMs,
    retry: { retries: 3, initialRetryTime: 100 },
  });
}

/** Waits until the broker tells of a leader for each of so many partitions of a topic. */
async function leadersKnown(admin: Admin, topic: string, partitions: number): Promise<void> {
  await eventually(`leaders for ${topic}`, async () => {
    const seen = await admin.fetchTopicMetadata({ topics: [topic] }).catch(() => undefined);
    return seen?.topics[0]?.partitions.filter(({ leader }) => leader >= 0).length === partitions;
  });
}

/** What a user may do with a topic. */
export type AclOperation = "read" | "write" | "describe" | "create";

function aclOf(user: string, topic: string, operation: AclOperation) {
  return {
    resourceType: 2, // topic
    resourceName: topic,
    resourcePatternType: 3, // literal
    principal: `User:${user}`,
    host: "*",
    operation: { read: 3, write: 4, create: 5, describe: 8 }[operation],
    permissionType: 3, // allow
  };
}
