import { kafkaClassPath, noPerfData } from "./kafka_artifacts.ts";
import { waitForPort } from "./ports.ts";
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
