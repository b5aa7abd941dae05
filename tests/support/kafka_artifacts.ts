import { runCommand, serversFolder } from "./processes.ts";

/** The Kafka releases that tests run against: the newest line, and the last one with ZooKeeper. */
export type KafkaVersion = "4.1.0" | "3.9.1";

/** Java's flag for not laying files about the process into /tmp, where a killed one leaves them. */
export const noPerfData = "-XX:-UsePerfData";

/**
 * The folder with Kafka's jars, downloaded by Maven when they are not there yet. Two processes that
 * ask at once download once; a download that was cut short is begun again.
 *
 * @returns a class path for `java -cp`.
 */
export async function kafkaClassPath(version: KafkaVersion): Promise<string> {
  const folder = `${serversFolder}/kafka-${version}`;
  await Deno.mkdir(serversFolder, { recursive: true });
  using lock = await Deno.open(`${folder}.lock`, { create: true, write: true });
  // The kernel drops the lock when its holder dies, so no stale lock can be left behind.
  await lock.lock(true);
  if (!await exists(folder)) await download(version, folder);
  return `${folder}/*`;
}

async function download(version: KafkaVersion, folder: string): Promise<void> {
  const partial = `${folder}.partial`;
  await Deno.remove(partial, { recursive: true }).catch(() => {});
  await Deno.mkdir(`${partial}/jars`, { recursive: true });
  await Deno.writeTextFile(`${partial}/pom.xml`, pom(version));
  const { success, text } = await runCommand(
    ["mvn", "-B", "-q", "dependency:copy-dependencies", "-DoutputDirectory=jars"],
    { cwd: partial },
  ).catch((thrown) => {
    throw new Error(
      `Cannot download Kafka ${version}: mvn does not run (Debian: apt-get install maven)`,
      { cause: thrown },
    );
  });
  if (!success) {
    const said = text.trimEnd().split("\n").slice(-15).join("\n");
    throw new Error(`Cannot download Kafka ${version}: Maven failed:\n${said}`);
  }
  // A folder of this name is whole: it gets its name only now.
  await Deno.rename(`${partial}/jars`, folder);
  await Deno.remove(partial, { recursive: true });
}

function pom(version: KafkaVersion): string {
  const dependency = (group: string, artifact: string, wanted: string) =>
    `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId>` +
    `<version>${wanted}</version></dependency>`;
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
<modelVersion>4.0.0</modelVersion>
<groupId>sluice.servers</groupId><artifactId>kafka</artifactId><version>1</version>
<dependencies>
${dependency("org.apache.kafka", "kafka_2.13", version)}
${dependency("org.apache.kafka", "kafka-tools", version)}
${dependency("org.slf4j", "slf4j-simple", "1.7.36")}
</dependencies>
</project>
`;
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
