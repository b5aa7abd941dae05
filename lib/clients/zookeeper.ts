import { type Client, createClient, type Exception } from "node-zookeeper-client";
import { SluiceError } from "../core/errors.ts";

/** Which of a broker's listeners is wanted. */
export interface DiscoveryOptions {
  /** How long all of it may take, milliseconds. */
  readonly timeoutMs: number;
  readonly tls: boolean;
  readonly sasl: boolean;
}

/** What a broker writes under /brokers/ids (kafka.zk.BrokerIdZNode). */
interface BrokerNode {
  readonly host?: string | null;
  readonly port?: number;
  /** `NAME://HOST:PORT` of each listener. */
  readonly endpoints?: readonly string[];
  readonly listener_security_protocol_map?: Readonly<Record<string, string>>;
}

/**
 * The brokers that are registered in ZooKeeper now, as `HOST:PORT`. `connect` is as Kafka's own
 * zookeeper.connect: `HOST:PORT,HOST:PORT/CHROOT`. Leaves no connection behind.
 *
 * @throws {SluiceError} `transient` when ZooKeeper does not answer in time, or no broker is in it (yet).
 */
export async function discoverBrokers(
  connect: string,
  options: DiscoveryOptions,
): Promise<string[]> {
  const [, hosts = connect, chroot = ""] = /^([^/]*)(\/.*)?$/.exec(connect) ?? [];
  const client = createClient(hosts, {
    sessionTimeout: options.timeoutMs,
    spinDelay: spinDelayMs,
    retries: 0,
  });
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const detail =
        `no answer within ${options.timeoutMs} ms; check the addresses, or give --kafka ` +
        "if the cluster does without ZooKeeper (KRaft)";
      reject(new SluiceError(`reach ZooKeeper at ${connect}`, "transient", detail));
    }, options.timeoutMs);
  });
  try {
    // The library waits for ever for answers of a server that has fallen silent.
    return await Promise.race([late, ask(client, chroot.replace(/\/$/, ""), connect, options)]);
  } finally {
    clearTimeout(timer);
    leave(client);
  }
}

/** How long the library may wait before it connects again, milliseconds: its own default. */
const spinDelayMs = 1_000;

/** Ends the session; and the connection, which the library keeps as long as a server is silent. */
function leave(client: Client): void {
  client.close();
  const { connectionManager } = client as unknown as {
    readonly connectionManager: { readonly socket?: { destroy(): void } };
  };
  Deno.unrefTimer(setTimeout(() => connectionManager.socket?.destroy(), spinDelayMs + 200));
}

async function ask(
  client: Client,
  chroot: string,
  connect: string,
  options: DiscoveryOptions,
): Promise<string[]> {
  const folder = `${chroot}/brokers/ids`;
  await connected(client);
  const ids = await childrenOf(client, folder, connect);
  const nodes = await Promise.all(ids.map((id) => dataOf(client, `${folder}/${id}`)));
  const brokers = nodes.map((node) => addressIn(node, options)).filter((one) => one !== undefined);
  if (brokers.length > 0) return brokers;
  const detail = ids.length === 0
    ? "no broker is registered; a cluster without ZooKeeper (KRaft) never is: give --kafka"
    : `none of the ${ids.length} brokers has a listener for ${wanted(options)}`;
  throw new SluiceError(`find Kafka in ZooKeeper at ${connect}`, "transient", detail);
}

/** The address of the listener that speaks the protocol wanted; undefined when there is none. */
export function addressIn(text: string, options: DiscoveryOptions): string | undefined {
  const node = JSON.parse(text) as BrokerNode;
  const protocol = wanted(options);
  for (const endpoint of node.endpoints ?? []) {
    const [, name = "", host = "", port = ""] = /^([^:]+):\/\/(.*):(\d+)$/.exec(endpoint) ?? [];
    if ((node.listener_security_protocol_map?.[name] ?? name) === protocol) {
      return `${host}:${port}`;
    }
  }
  return protocol === "PLAINTEXT" && node.host ? `${node.host}:${node.port}` : undefined;
}

function wanted({ tls, sasl }: DiscoveryOptions): string {
  if (sasl) return tls ? "SASL_SSL" : "SASL_PLAINTEXT";
  return tls ? "SSL" : "PLAINTEXT";
}

function connected(client: Client): Promise<void> {
  return new Promise((resolve) => {
    client.once("connected", () => resolve());
    client.connect();
  });
}

function childrenOf(client: Client, path: string, connect: string): Promise<string[]> {
  return new Promise((resolve, reject) => {
    client.getChildren(path, (failure: Error | Exception, children: string[]) => {
      if (!failure) return resolve(children);
      const isMissing = "getName" in failure && failure.getName() === "NO_NODE";
      const detail = isMissing
        ? `there is no ${path}: the chroot is wrong, or the cluster does without ZooKeeper (KRaft): give --kafka`
        : failure.message;
      reject(new SluiceError(`find Kafka in ZooKeeper at ${connect}`, "transient", detail));
    });
  });
}

function dataOf(client: Client, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    client.getData(path, (failure: Error | Exception, data: Uint8Array) => {
      if (!failure) return resolve(new TextDecoder().decode(data));
      reject(new SluiceError(`read ${path} in ZooKeeper`, "transient", failure.message));
    });
  });
}
