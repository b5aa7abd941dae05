// deno-lint-ignore-file no-console -- a script speaks to a person
/**
 * Brings everything into `.servers/` that the tests start, so that they need not wait for it one
 * after the other. What is there already stays; two who fetch the same wait for each other.
 */
import { bigQueryEmulator } from "../tests/support/bigquery_artifacts.ts";
import { gcsServerPath } from "../tests/support/gcs_artifacts.ts";
import { kafkaClassPath } from "../tests/support/kafka_artifacts.ts";
import { versitygwPath } from "../tests/support/s3_artifacts.ts";

/** In the order in which the tests need them; compilers and downloads go side by side. */
const chains: readonly (readonly (() => Promise<unknown>)[])[] = [
  [() => kafkaClassPath("4.1.0"), () => kafkaClassPath("3.9.1"), bigQueryEmulator],
  [versitygwPath, gcsServerPath],
];

const results = await Promise.allSettled(chains.map(async (chain) => {
  for (const fetchOne of chain) await fetchOne();
}));
for (const result of results) {
  if (result.status === "fulfilled") continue;
  console.error(result.reason instanceof Error ? result.reason.message : String(result.reason));
  Deno.exitCode = 1;
}
