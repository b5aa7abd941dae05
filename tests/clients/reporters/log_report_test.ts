import assert from "node:assert/strict";
import { logReport } from "../../../lib/clients/reporters/log_report.ts";
import { VirtualWorld } from "../../core/virtual_world.ts";
import { entry, recent, report } from "./reports.ts";

Deno.test("the log gets one line, short however many labels there are", async () => {
  const world = new VirtualWorld();
  const partitions = Array.from({ length: 10_000 }, (_, i) => String(i));
  await logReport(
    report([
      entry({ kind: "counter", name: "lines_total", value: 10, rate: 1 / 3 }),
      entry({ name: "held", value: 4 }),
      ...partitions.map((partition) =>
        entry({ name: "lag", labels: { partition }, value: Number(partition) + 5 })
      ),
      ...["a", "b"].map((topic) =>
        entry({ kind: "counter", name: "records_total", labels: { topic }, value: 5, rate: 2 })
      ),
      entry({ kind: "timer", name: "put_seconds", value: 3, recent }),
      entry({ kind: "timer", name: "quiet_seconds", value: 3 }),
      entry({ name: "nodejs_version_info", value: 1 }),
      entry({ name: "build_info", labels: { version: "1" }, value: 1 }),
    ]),
    world.log,
  );
  const { mean, p50, p75, p95, p99, max } = recent;
  assert.deepEqual(world.lines, [{
    level: "info",
    message: "Metrics",
    fields: {
      counters: {
        lines_total: { count: 10, rate: 0.333333 },
        records_total: { count: 10, rate: 4 },
      },
      gauges: { held: 4, lag: { min: 5, max: 10_004 } },
      timers: {
        put_seconds: { count: 3, mean, p50, p75, p95, p99, max },
        quiet_seconds: { count: 3 },
      },
    },
  }]);
});
