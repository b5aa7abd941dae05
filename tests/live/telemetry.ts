import assert from "node:assert/strict";
import { programRights } from "../../scripts/rights.ts";
import { sendLines } from "../support/line_sender.ts";
import { numberedLines } from "../support/numbered_lines.ts";
import { OtlpServer } from "../support/otlp_server.ts";
import { SluiceProcess } from "../support/sluice_process.ts";
import { TempFiles } from "../support/temp_files.ts";
import { eventually } from "../support/waiting.ts";
import { finish } from "./forwarding.ts";

const lineCount = 10_000;

/** Starts forward-syslog with no more rights than the compiled program has. */
async function start(
  kafka: string,
  env: Record<string, string>,
  more: readonly string[] = [],
): Promise<SluiceProcess> {
  const args = ["--listen=tcp://127.0.0.1:0", "--http=127.0.0.1:0", "--topic=t"];
  return await SluiceProcess.start(
    ["forward-syslog", `--kafka=${kafka}`, ...args],
    env,
    [...programRights, ...more],
  );
}

/** What arrives at a collector is what Prometheus reads. */
export async function exportsAll(kafka: string): Promise<void> {
  await using otlp = await OtlpServer.start();
  await using sluice = await start(kafka, otlp.env(200));
  await sluice.said(`"Exporting metrics by OpenTelemetry"`);
  await sendLines(await sluice.port("tcp"), numberedLines(lineCount));
  await eventually(
    "the collector knows of the last line and that nothing is in flight",
    () =>
      otlp.newest("sluice.forward_records_sent_total") === lineCount &&
      otlp.newest("sluice.forward_in_flight_records") === 0,
  );
  // What is still going on behind the last line may be a step further on one of the two.
  await eventually("it knows what Prometheus reads", async () => {
    const page = await (await fetch(`${await sluice.statusUrl()}/metrics`)).text();
    const ours = [...page.matchAll(/^sluice_(\w+?)(_seconds_count)? (\S+)$/gm)]
      .filter(([, name = ""]) => !name.endsWith("_seconds_sum"));
    assert.ok(ours.length > 20, page);
    return ours.every(([, name, count, value]) =>
      otlp.newest(`sluice.${name}${count ? "_seconds.count" : ""}`) === Number(value)
    );
  });
  // Times are told of for a minute after they were taken, so the very last export may have none.
  const metrics = otlp.newestWith("sluice.forward_send_seconds.p50")
    .filter(({ scope }) => scope === "sluice 0.1.0");
  const find = (name: string) => metrics.find((one) => one.name === `sluice.${name}`);
  assert.deepEqual(new Set(metrics.map(({ service }) => service)), new Set(["sluice"]));
  assert.equal(find("forward_records_sent_total")?.kind, "counter");
  assert.equal(find("forward_records_sent_total")?.description, "Records that Kafka acknowledged");
  assert.deepEqual([find("forward_ready")?.kind, find("forward_ready")?.points[0]?.value], [
    "gauge",
    1,
  ]);
  const { version = "", commit = "" } = find("build_info")?.points[0]?.labels ?? {};
  assert.deepEqual([version, commit === ""], ["0.1.0", false]);
  const [p50 = 0, p99 = 0, max = 0] = ["p50", "p99", "max"].map((aspect) =>
    find(`forward_send_seconds.${aspect}`)?.points[0]?.value
  );
  assert.ok(0 < p50 && p50 <= p99 && p99 <= max && max < 60, `${p50} ${p99} ${max}`);
  await finish(sluice);
  // Neither what people read of the status page nor what is logged goes there.
  assert.deepEqual([...otlp.paths], ["/v1/metrics"]);
}

/** Between the last export and the end of the process nothing that was counted is lost. */
export async function exportsAtItsEnd(kafka: string): Promise<void> {
  await using otlp = await OtlpServer.start();
  await using sluice = await start(kafka, otlp.env(3_600_000));
  await sluice.said(`"Forwarding"`);
  await sendLines(await sluice.port("tcp"), numberedLines(lineCount));
  await finish(sluice);
  await eventually("the export of its end", () => otlp.exports.length > 0);
  assert.equal(otlp.exports.length, 1);
  assert.equal(otlp.newest("sluice.forward_records_sent_total"), lineCount);
}

/** As in a program that was compiled without it: the variable comes too late. */
export async function saysThatItCannot(): Promise<void> {
  await using files = await TempFiles.of({ "late.ts": `Deno.env.set("OTEL_DENO", "true");` });
  const late = ["--preload", `${files.folder}/late.ts`];
  await using sluice = await start("127.0.0.1:1", {}, late);
  await sluice.said(`"warn"`, "Cannot export metrics by OpenTelemetry", "compiled without it");
}
