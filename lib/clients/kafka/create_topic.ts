import { createTopicsV7 } from "@platformatic/kafka";
import { type Fault, SluiceError } from "../../core/errors.ts";
import type { Cluster } from "./cluster.ts";
import { nameOf } from "./failures.ts";

const code = {
  none: 0,
  clusterDenied: 31,
  topicDenied: 29,
  alreadyExists: 36,
  notController: 41,
} as const;

/** The cluster's own default (KIP-464). */
const defaultReplicas = -1;
const timeoutMs = 30_000;

/**
 * Makes a topic with the cluster's default replication; one that is there already is left as it is.
 * Without ZooKeeper any broker passes the request on to the controller, with it the controller is
 * looked for.
 *
 * @throws {SluiceError} `denied` without the right to, `permanent` when the cluster will not have it.
 */
export async function createTopic(
  cluster: Cluster,
  name: string,
  partitions: number,
): Promise<void> {
  const { brokers } = await cluster.check([]);
  let errorCode: number = code.notController;
  let message = "no broker is the controller now";
  for (const address of brokers) {
    const [, host = "", port = ""] = /^(.*):(\d+)$/.exec(address) ?? [];
    const link = cluster.connection(host, Number(port));
    try {
      const { topics: [made] } = await link.request(
        createTopicsV7,
        [{
          name,
          numPartitions: partitions,
          replicationFactor: defaultReplicas,
          assignments: [],
          configs: [],
        }],
        timeoutMs,
        false,
      );
      errorCode = made?.errorCode ?? code.none;
      message = made?.errorMessage ?? nameOf(errorCode);
    } finally {
      await link.close();
    }
    if (errorCode !== code.notController) break;
  }
  if (errorCode === code.none || errorCode === code.alreadyExists) return;
  throw new SluiceError(`create topic ${name}`, faultOf(errorCode), message);
}

function faultOf(errorCode: number): Fault {
  if (errorCode === code.clusterDenied || errorCode === code.topicDenied) return "denied";
  return errorCode === code.notController ? "transient" : "permanent";
}
