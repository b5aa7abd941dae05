import type { Context } from "../../lib/replicate/configurations.ts";
import { CopyQuota } from "../../lib/replicate/copy_quota.ts";
import type { Outcome } from "../../lib/replicate/report.ts";
import { Round } from "../../lib/replicate/round.ts";
import type { ReplicateSettings } from "../../lib/replicate/settings.ts";
import type { Stage } from "../../lib/replicate/states.ts";
import { VirtualWorld } from "../core/virtual_world.ts";
import { FakeCloud } from "./fake_cloud.ts";

export const from = { projectId: "p1", datasetId: "web" };
export const to = { projectId: "p2", datasetId: "web_eu" };

/** Settings for tests. */
export function settingsOf(wanted: Partial<ReplicateSettings> = {}): ReplicateSettings {
  return {
    source: from,
    destination: to,
    filter: /^.*$/,
    number: 1_000,
    choice: "missing",
    via: "auto",
    bucket: { bucket: "stage", prefix: "" },
    destinationBucket: null,
    format: "auto",
    isLossy: false,
    includeViews: false,
    verify: "rows",
    kmsMap: new Map(),
    policyTagMap: new Map(),
    rowPolicyMap: new Map(),
    agents: 4,
    patienceMs: 600_000,
    ...wanted,
  };
}

/** Settings of a run that differ, and whether `--clean` is among them. */
export type Wanted = Partial<ReplicateSettings> & { readonly cleansAll?: boolean };

/** Two datasets, the second one elsewhere, and runs between them. */
export class Rig {
  readonly world = new VirtualWorld(() => 0);
  readonly cloud = new FakeCloud(this.world);
  readonly source;
  readonly destination;
  /** Of the last run. */
  outcomes: Outcome[] = [];
  stages: [string, Stage][] = [];
  failures: [string, unknown][] = [];

  constructor(readonly locations: readonly [string, string] = ["US", "EU"]) {
    this.source = this.cloud.dataset("p1.web", locations[0]);
    this.destination = this.cloud.dataset("p2.web_eu", locations[1]);
    this.cloud.bucket("stage");
  }

  contextOf(wanted: Partial<ReplicateSettings> = {}): Context {
    const settings = settingsOf(wanted);
    return {
      settings,
      source: { ...settings.source, location: this.locations[0] },
      destination: { ...settings.destination, location: this.locations[1] },
      isExpiring: false,
      quota: new CopyQuota(() => this.world.nowMs()),
    };
  }

  /**
   * One run over everything.
   *
   * @param gate asked around each call; when it never answers, the run is as good as killed.
   */
  async run(
    wanted: Wanted = {},
    gate?: (when: "before" | "after", call: string) => Promise<void>,
    stop: AbortSignal = new AbortController().signal,
  ): Promise<Record<string, string>> {
    this.outcomes = [];
    this.stages = [];
    this.failures = [];
    await this.world.until(this.begin(wanted, gate, stop), this.world.clockMs + 1e8);
    return Object.fromEntries(this.outcomes.map(({ name, is }) => [name, is]));
  }

  /** As {@linkcode run}, but time has to be driven from outside. */
  async begin(
    wanted: Wanted = {},
    gate?: (when: "before" | "after", call: string) => Promise<void>,
    stop: AbortSignal = new AbortController().signal,
  ): Promise<void> {
    const { bigQuery: client, store } = this.cloud.client(gate);
    const { cleansAll = false, ...settings } = wanted;
    const context = this.contextOf(settings);
    const tools = { client, store, world: this.world, context };
    const round = new Round(tools, {
      reached: (name, stage) => void this.stages.push([name, stage]),
      failing: (name, _stage, error) => void this.failures.push([name, error]),
      partitionEnded: () => {},
      ended: (outcome) => void this.outcomes.push(outcome),
    });
    const chosen = await round.choose(stop);
    await round.clean(chosen, cleansAll, stop);
    await round.run(chosen, stop);
    if (cleansAll) await round.clean(chosen, cleansAll, stop);
  }

  /** Why a table did not come out well. */
  reason(name: string): string {
    const outcome = this.outcomes.find((one) => one.name === name);
    return outcome && "reason" in outcome ? outcome.reason : "";
  }

  /** Rows of a copy, sorted; null without a table. */
  rows(tableId: string): string[] | null {
    return this.destination.tables.get(tableId)?.rows.sort() ?? null;
  }

  callsOf(kind: string): string[] {
    return this.cloud.calls.filter((call) => call.startsWith(kind));
  }
}
