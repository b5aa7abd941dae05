import { kafkaClassPath, noPerfData } from "./kafka_artifacts.ts";
import { waitForPort } from "./ports.ts";
import { eventually } from "./waiting.ts";
import { type ServerProcess, startProcess } from "./processes.ts";

/**
 * Starts the ZooKeeper that comes with Kafka 3.9.1 on a port of 127.0.0.1, with its data in `folder`,
 * which the caller made and removes.
 */
export async function startZookeeper(port: number, folder: string): Promise<ServerProcess> {
  const config = `${folder}/zookeeper.properties`;
  await Deno.writeTextFile(
    config,
    [
      `dataDir=${folder}/zookeeper`,
      `clientPort=${port}`,
      "clientPortAddress=127.0.0.1",
      "tickTime=1000",
      "maxClientCnxns=0",
      "admin.enableServer=false",
      "4lw.commands.whitelist=dump",
      "",
    ].join("\n"),
  );
  const main = "org.apache.zookeeper.server.quorum.QuorumPeerMain";
  const server = await startProcess({
    name: "zookeeper",
    command: "java",
    args: ["-Xmx128m", noPerfData, "-cp", await kafkaClassPath("3.9.1"), main, config],
    folder,
  });
  try {
    await Promise.race([
      waitForPort(port),
      server.ended.then(() => {
        throw new Error("ZooKeeper has ended");
      }),
    ]);
  } catch (thrown) {
    await server.stop(1_000);
    throw new Error(`Cannot start ZooKeeper on port ${port}\n${await server.tail()}`, {
      cause: thrown,
    });
  }
  return server;
}

/**
 * Waits until no broker is registered any more: one that was killed stays so until its session has
 * ended, and no second one may take its place before.
 */
export async function waitForNoBroker(port: number): Promise<void> {
  await eventually(
    "the end of the broker's session in ZooKeeper",
    async () => !(await dumpOf(port)).includes("/brokers/ids/"),
  );
}

/** Its sessions and the nodes that end with them, as its command `dump` tells. */
async function dumpOf(port: number): Promise<string> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  await conn.write(new TextEncoder().encode("dump"));
  const dump = await new Response(conn.readable).text();
  if (!dump.includes("phemeral")) throw new Error(`ZooKeeper does not tell its sessions: ${dump}`);
  return dump;
}
