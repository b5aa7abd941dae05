import assert from "node:assert/strict";
import fc from "fast-check";
import { programRights } from "../../scripts/rights.ts";
import { Metrics } from "../../lib/clients/metrics.ts";

const build = { version: "1.2.3", commit: "abcdef0" };

interface PageLine {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A page of Prometheus text format 0.0.4, read strictly: every line has to be understood. */
function read(page: string): { samples: PageLine[]; types: Map<string, string> } {
  const types = new Map<string, string>();
  const samples: PageLine[] = [];
  assert.ok(page.endsWith("\n"), "the last line ends");
  for (const line of page.split("\n")) {
    if (line === "") continue;
    const about = /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)$/.exec(line);
    if (about !== null) {
      if (about[1] === "TYPE") types.set(about[2] ?? "", about[3] ?? "");
      continue;
    }
    const sample = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/.exec(line);
    assert.ok(sample, `not a line of the format: ${line}`);
    const [, name = "", labels = "", value = ""] = sample;
    const pairs = [...labels.matchAll(/([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)",?/g)];
    assert.equal(pairs.map(([whole]) => whole).join(""), labels, `labels of ${line}`);
    samples.push({
      name,
      labels: Object.fromEntries(pairs.map(([, key, text]) => [key, text])),
      value: value === "+Inf" ? Infinity : Number(value),
    });
  }
  return { samples, types };
}

async function pageOf(metrics: Metrics) {
  const { text } = await metrics.page();
  const { samples, types } = read(text);
  const valueOf = (name: string, labels: Record<string, string> = {}) =>
    samples.find((one) =>
      one.name === name && Object.entries(labels).every(([key, value]) => one.labels[key] === value)
    )?.value;
  return { samples, types, valueOf };
}

Deno.test("the page is text format 0.0.4 and tells the version that is running", async () => {
  const metrics = new Metrics(build);
  assert.match((await metrics.page()).contentType, /^text\/plain; version=0\.0\.4/);
  const { valueOf, types } = await pageOf(metrics);
  assert.equal(valueOf("sluice_build_info", build), 1);
  assert.equal(types.get("sluice_build_info"), "gauge");
});

Deno.test("the process's own numbers are there: CPU, memory, start", async () => {
  const { valueOf } = await pageOf(new Metrics(build));
  const names = ["process_cpu_seconds_total", "process_resident_memory_bytes"];
  for (const name of names) assert.ok((valueOf(name) ?? 0) > 0, name);
  const start = valueOf("process_start_time_seconds") ?? 0;
  // It is rounded to seconds.
  assert.ok(start > 1.7e9 && start <= Date.now() / 1_000 + 1);
});

Deno.test("the memory is told with the rights of the compiled program too, and nothing is told wrongly", async () => {
  const script = `
    import { Metrics } from "${new URL("../../lib/clients/metrics.ts", import.meta.url)}";
    console.log((await new Metrics({ version: "1", commit: "c" }).page()).text);
    Deno.exit(0);`;
  const path = await Deno.makeTempFile({ suffix: ".ts" });
  await Deno.writeTextFile(path, script);
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--config=deno.json", ...programRights, path],
    cwd: new URL("../..", import.meta.url),
  }).output();
  await Deno.remove(path);
  const text = new TextDecoder().decode(stdout);
  const memory = Number(/^process_resident_memory_bytes (\d+)$/m.exec(text)?.[1]);
  assert.ok(memory > 10e6 && memory < 1e9, text);
  assert.doesNotMatch(text, /process_(open_fds|max_fds|virtual_memory_bytes|heap_bytes)/);
});

Deno.test("counters and gauges are read at the moment of asking", async () => {
  const metrics = new Metrics(build);
  const now = { lines: 0, held: 0 };
  metrics.counterOf("lines_total", "Lines", () => now.lines);
  metrics.gaugeOf("held_bytes", "Held", () => now.held);
  for (const [lines, held] of [[0, 0], [5, 9], [5, 4], [1e15 + 1, -1]] as const) {
    Object.assign(now, { lines, held });
    const { valueOf, types } = await pageOf(metrics);
    assert.deepEqual([valueOf("sluice_lines_total"), valueOf("sluice_held_bytes")], [lines, held]);
    assert.equal(types.get("sluice_lines_total"), "counter");
    assert.equal(types.get("sluice_held_bytes"), "gauge");
  }
});

Deno.test("a counter never goes down, whatever it reads", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat({ max: 1_000 }), { maxLength: 12 }), async (readings) => {
      const metrics = new Metrics(build);
      let reading = 0;
      metrics.counterOf("lines_total", "Lines", () => reading);
      let before = 0;
      let grown = 0;
      let last = 0;
      for (reading of readings) {
        grown += Math.max(0, reading - last);
        last = reading;
        const shown = (await pageOf(metrics)).valueOf("sluice_lines_total") ?? -1;
        assert.ok(shown >= before);
        assert.equal(shown, grown, "all growth is counted, and once");
        before = shown;
      }
    }),
    { numRuns: 15 },
  );
});

Deno.test("gauges with labels show what is read now, and nothing of what was before", async () => {
  const metrics = new Metrics(build);
  let now: [Record<string, string>, number][] = [[{ topic: "a" }, 1], [{ topic: "b" }, -2]];
  metrics.gaugesOf("lag", "Lag", ["topic"], () => now);
  const lags = async () => {
    const { samples } = await pageOf(metrics);
    return samples.filter(({ name }) => name === "sluice_lag")
      .map(({ labels, value }) => [labels["topic"], value]);
  };
  assert.deepEqual(await lags(), [["a", 1], ["b", -2]]);
  now = [[{ topic: "b" }, 3], [{ topic: 'c"\n' }, 4]];
  assert.deepEqual(await lags(), [["b", 3], ['c\\"\\n', 4]]);
  now = [];
  assert.deepEqual(await lags(), []);
});

Deno.test("counters with labels grow each for itself, and stay when they are read no more", async () => {
  const metrics = new Metrics(build);
  let now: [Record<string, string>, number][] = [];
  metrics.countersOf("lines_total", "Lines", ["topic", "host"], () => now);
  const lines = async () => {
    const { valueOf } = await pageOf(metrics);
    return [["a", "x"], ["a", "y"]].map(([topic = "", host = ""]) =>
      valueOf("sluice_lines_total", { topic, host })
    );
  };
  assert.deepEqual(await lines(), [undefined, undefined]);
  now = [[{ topic: "a", host: "x" }, 5], [{ topic: "a", host: "y" }, 7]];
  assert.deepEqual(await lines(), [5, 7]);
  assert.deepEqual(await lines(), [5, 7], "once");
  now = [[{ topic: "a", host: "y" }, 9]];
  assert.deepEqual(await lines(), [5, 9]);
  now = [[{ topic: "a", host: "x" }, 6], [{ topic: "a", host: "y" }, 9]];
  assert.deepEqual(await lines(), [6, 9]);
});

Deno.test("a timer fills buckets in seconds", async () => {
  const metrics = new Metrics(build);
  const observe = metrics.timer("send_seconds", "Time");
  for (const seconds of [0.0005, 0.004, 0.004, 2, 100]) observe(seconds);
  const { valueOf, types, samples } = await pageOf(metrics);
  assert.equal(types.get("sluice_send_seconds"), "histogram");
  const bucket = (le: string) => valueOf("sluice_send_seconds_bucket", { le });
  assert.deepEqual(["0.001", "0.005", "2.5", "30", "+Inf"].map(bucket), [1, 3, 4, 4, 5]);
  assert.equal(valueOf("sluice_send_seconds_count"), 5);
  assert.ok(Math.abs((valueOf("sluice_send_seconds_sum") ?? 0) - 102.0085) < 1e-9);
  const buckets = samples.filter(({ name }) => name === "sluice_send_seconds_bucket");
  buckets.reduce((below, { value }) => (assert.ok(value >= below), value), 0);
});

Deno.test("measure() gives the values of the page, for reporters", async () => {
  const metrics = new Metrics(build);
  metrics.counterOf("lines_total", "Lines", () => 7);
  metrics.gaugeOf("held", "Held", () => -2.5);
  metrics.countersOf("by_topic_total", "Lines", ["topic"], () => [[{ topic: "a" }, 3]]);
  metrics.gaugesOf("lag", "Lag", ["topic"], () => [[{ topic: 'b"' }, 4]]);
  metrics.timer("send_seconds", "Time")(0.2);
  const all = await metrics.measure();
  const ours = all.filter(({ name }) => !/^(process|nodejs)_/.test(name));
  assert.deepEqual(ours.map(({ kind, name, labels, value }) => [kind, name, labels, value]), [
    ["gauge", "build_info", build, 1],
    ["counter", "lines_total", {}, 7],
    ["gauge", "held", {}, -2.5],
    ["counter", "by_topic_total", { topic: "a" }, 3],
    ["gauge", "lag", { topic: 'b"' }, 4],
    ["timer", "send_seconds", {}, 1],
  ]);
  const { valueOf } = await pageOf(metrics);
  for (const { kind, name, labels, value } of ours) {
    if (name === "lag") continue; // its label is written with a backslash on the page
    const onPage = `sluice_${name}${kind === "timer" ? "_count" : ""}`;
    assert.equal(valueOf(onPage, { ...labels }), value, name);
  }
});

Deno.test("measure() tells of the process: CPU as a counter, memory as a gauge", async () => {
  const all = await new Metrics(build).measure();
  const kinds = Object.fromEntries(all.map(({ name, kind, value }) => [name, [kind, value > 0]]));
  assert.deepEqual(kinds["process_cpu_seconds_total"], ["counter", true]);
  assert.deepEqual(kinds["process_resident_memory_bytes"], ["gauge", true]);
  assert.ok("nodejs_eventloop_lag_p99_seconds" in kinds);
});

Deno.test("measure() and the page count the same growth, in whatever order they are asked", async () => {
  const metrics = new Metrics(build);
  let now = 5;
  metrics.counterOf("lines_total", "Lines", () => now);
  metrics.countersOf("by_topic_total", "Lines", ["topic"], () => [[{ topic: "a" }, now]]);
  const measured = async () =>
    (await metrics.measure()).filter(({ name }) => /^(lines|by_topic)_total$/.test(name))
      .map(({ value }) => value);
  const shown = async () => {
    const { valueOf } = await pageOf(metrics);
    return [valueOf("sluice_lines_total"), valueOf("sluice_by_topic_total", { topic: "a" })];
  };
  assert.deepEqual(await measured(), [5, 5]);
  now = 8;
  assert.deepEqual(await shown(), [8, 8]);
  assert.deepEqual(await measured(), [8, 8]);
  now = 1; // whoever counted began anew
  assert.deepEqual(await shown(), [8, 8]);
  now = 3;
  assert.deepEqual(await measured(), [10, 10]);
});

Deno.test("a timer tells mean, quantiles and max of what it took lately", async () => {
  const metrics = new Metrics(build);
  const observe = metrics.timer("send_seconds", "Time");
  const recent = async () =>
    (await metrics.measure()).find(({ name }) => name === "send_seconds")?.recent;
  assert.equal(await recent(), null);
  for (let i = 1; i <= 1_000; i++) observe(i / 1_000);
  const spread = await recent();
  assert.ok(spread);
  const near = (found: number, wanted: number) =>
    assert.ok(Math.abs(found - wanted) <= 0.01 * wanted, `${found}, not ${wanted}`);
  near(spread.p50, 0.5);
  near(spread.p75, 0.75);
  near(spread.p95, 0.95);
  near(spread.p99, 0.99);
  assert.equal(spread.max, 1);
  near(spread.mean, 0.5005);
});

Deno.test("two registries do not know each other", async () => {
  const [one, other] = [new Metrics(build), new Metrics(build)];
  one.gaugeOf("only_here", "x", () => 1);
  assert.equal((await pageOf(other)).valueOf("sluice_only_here"), undefined);
});
