import assert from "node:assert/strict";
import { daemonOptions } from "../../commands/daemon_options.ts";
import { type DaemonValues, reporterSettingsOf } from "../../commands/reporting.ts";
import { programRights } from "../../scripts/rights.ts";

/** The options' values as when nothing is given but these. */
function values(given: Partial<DaemonValues>): DaemonValues {
  const usual = Object.entries(daemonOptions).map(([name, { fallback }]) => [name, fallback]);
  return { ...Object.fromEntries(usual), ...given };
}

Deno.test("without an option nothing is reported", () => {
  const { riemann, statsd, toLog, intervalMs, prefix } = reporterSettingsOf(values({}));
  assert.deepEqual([riemann, statsd, toLog, intervalMs, prefix], [
    ...[null, null, false, 10_000, "sluice."],
  ]);
});

Deno.test("places, tags and names are taken as given", () => {
  const settings = reporterSettingsOf(values({
    ...{ riemann: "tcp://r", statsd: "udp://s:1", "statsd-format": "dogstatsd" },
    ...{ "metrics-tags": ["production", "team=data"], "metrics-host": "web-1" },
    ...{ "metrics-prefix": "data.", "report-interval": 5_000, "report-log": true },
  }));
  assert.deepEqual(settings, {
    riemann: { transport: "tcp", host: "r", port: 5555, text: "tcp://r:5555" },
    statsd: { transport: "udp", host: "s", port: 1, text: "udp://s:1" },
    ...{ statsdForm: "dogstatsd", toLog: true, prefix: "data.", intervalMs: 5_000 },
    ...{ tags: ["production", "team=data"], host: "web-1" },
  });
});

const wrong: [given: Partial<DaemonValues>, message: RegExp][] = [
  [{ riemann: "r:5555" }, /^Cannot report to --riemann "r:5555": write tcp:\/\/ or udp:\/\/HOST/],
  [{ statsd: "tcp://s" }, /^Cannot report to --statsd "tcp:\/\/s": write udp:\/\/HOST:PORT/],
  [{ "metrics-prefix": "a b" }, /^Cannot use --metrics-prefix "a b": give at most 100 letters/],
  [{ "metrics-prefix": "x".repeat(101) }, /give at most 100 letters, digits and/],
  [
    { riemann: "tcp://r", "metrics-tags": ["a|b"] },
    /^Cannot use --metrics-tags "a\|b": give words/,
  ],
  [{ riemann: "tcp://r", "metrics-tags": ["=b"] }, /^Cannot use --metrics-tags "=b": give words/],
  [{ "statsd-format": "dogstatsd" }, /^Cannot use --statsd-format dogstatsd: give --statsd too/],
  [
    { statsd: "udp://s", "metrics-tags": ["a"] },
    /^Cannot use --metrics-tags "a": plain statsd knows no tags: give --statsd-format dogstatsd/,
  ],
];

for (const [given, message] of wrong) {
  Deno.test(`${JSON.stringify(given).slice(0, 80)} is refused before anything is opened`, () => {
    assert.throws(() => reporterSettingsOf(values(given)), { fault: "usage", message });
  });
}

Deno.test("the compiled program's rights are enough: the host's name, protobuf, pages", async () => {
  const url = (path: string) => JSON.stringify(new URL(`../../${path}`, import.meta.url).href);
  const script = `
    import { hostName } from ${url("lib/clients/host_name.ts")};
    import { pageDocument } from ${url("lib/clients/status_page/document.ts")};
    import { encodeEvents } from ${url("lib/clients/reporters/riemann_schema.ts")};
    const event = { time: 1, timeMicros: 1, state: "ok", service: "s", host: hostName(), tags: [],
      ttl: 1, attributes: [], metricD: 1 };
    console.log(JSON.stringify([hostName(), encodeEvents([event]).length > 20,
      pageDocument().html.length > 10_000]));`;
  const path = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(path, script);
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--config=deno.json", ...programRights, path],
      cwd: new URL("../..", import.meta.url),
    }).output();
    const decoder = new TextDecoder();
    const said = decoder.decode(stdout);
    assert.deepEqual(
      said && JSON.parse(said),
      [Deno.hostname(), true, true],
      decoder.decode(stderr),
    );
  } finally {
    await Deno.remove(path);
  }
});
