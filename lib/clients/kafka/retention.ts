import { describeConfigsV4 } from "@platformatic/kafka";
import type { Link } from "./link.ts";

const topicResource = 2;
const retentionName = "retention.ms";
const policyName = "cleanup.policy";

/**
 * Asks how long topics keep their records, milliseconds: DescribeConfigs, version 4 (Kafka 2.7 and
 * newer). Topics that keep them for ever, or that this user may not ask about, are left out.
 */
export async function askRetention(
  link: Link,
  topics: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const { results } = await link.request(
    describeConfigsV4,
    topics.map((resourceName) => ({
      resourceType: topicResource,
      resourceName,
      configurationKeys: [retentionName, policyName],
    })),
    false,
    false,
  );
  const found = new Map<string, number>();
  for (const { resourceName, errorCode, configs } of results) {
    if (errorCode !== 0) continue;
    const valueOf = (wanted: string) => configs.find(({ name }) => name === wanted)?.value ?? "";
    const ms = Number(valueOf(retentionName));
    if (ms > 0 && valueOf(policyName).includes("delete")) found.set(resourceName, ms);
  }
  return found;
}
