import { Chain } from "../../lib/archive/chain.ts";
import { Commits } from "../../lib/archive/commits.ts";
import { Counts } from "../../lib/archive/counts.ts";
import { Fetching } from "../../lib/archive/fetching.ts";
import { Intake } from "../../lib/archive/intake.ts";
import { Memory } from "../../lib/archive/memory.ts";
import { ObjectBody } from "../../lib/archive/object_body.ts";
import { Partition } from "../../lib/archive/partition.ts";
import { Pressure } from "../../lib/archive/pressure.ts";
import { Puts } from "../../lib/archive/puts.ts";
import { Starts } from "../../lib/archive/starts.ts";
import { SluiceError } from "../../lib/core/errors.ts";
import { Gate } from "../../lib/core/gate.ts";
import { Permits } from "../../lib/core/permits.ts";
import { type Log, ModelCluster } from "./model_log.ts";
import { type Ledger, storeOver } from "./model_servers.ts";
import { type Weather, Wire } from "./model_wire.ts";
import { MemoryFile, type Owner, StoringDeflater, type VirtualTime, VirtualWorld } from "./rig.ts";

export const sessionMs = 3_000;

/** What all processes of a run share. */
export interface Surroundings {
  readonly time: VirtualTime;
  readonly random: () => number;
  readonly weather: Weather;
  readonly logs: readonly Log[];
  readonly ledger: Ledger;
  /** How often workers die, disks fill and files get lost. */
  readonly faults: { rate: number };
}

/** One process that archives: the parts of the daemon around a group that is the model's. */
export class ModelProcess implements Owner {
  isDead = false;
  isFrozen = false;
  readonly held = new Map<number, { partition: Partition; puts: Puts }>();
  readonly memory = new Memory(100_000);
  readonly counts = new Counts();
  readonly world: VirtualWorld;
  readonly wire: Wire;
  readonly pressure: Pressure;
  readonly #grants = new Map<number, number>();
  readonly #stop = new AbortController();
  readonly #changed = new Gate();
  readonly #deflater = new StoringDeflater();
  readonly #cluster: ModelCluster;
  readonly #permits = new Permits(2);
  readonly #commits: Commits;
  readonly #starts: Starts;
  readonly #intake: Intake;
  readonly #fetching: Fetching;
  /** Last time at which a heartbeat was sent that was answered. */
  provenMs = -Infinity;

  constructor(
    readonly name: string,
    private readonly around: Surroundings,
    resume: "group" | "store",
  ) {
    const { time, random, weather, logs, ledger } = around;
    this.world = new VirtualWorld(time, random, this);
    this.wire = new Wire(time, random, this, weather);
    const { world, counts, memory } = this;
    const cluster = this.#cluster = new ModelCluster(logs, this.wire);
    const settings = { isolation: "read-committed", once: false, format: "value", resume } as const;
    const partitions = () => Array.from(this.held.values(), ({ partition }) => partition);
    this.pressure = new Pressure({ spoolBytes: 4_000 }, memory, partitions);
    this.#deflater.before = () => this.#fail("transient");
    this.#commits = new Commits(
      async (commits) => {
        const strange = commits.find(({ partition }) => !this.held.has(partition));
        if (strange) throw new SluiceError("commit offsets", "permanent", "not ours");
        const grants = new Map(this.#grants);
        await this.wire.ask("commit offsets", () => ledger.commit(this, grants, commits));
      },
      world,
      counts,
    );
    this.#starts = new Starts({
      ...{ world, cluster: cluster.asCluster, settings, counts, commits: this.#commits },
      permits: new Permits(2),
      committed: async ({ partition }) => {
        const offset = await this.wire.ask("read", () => ledger.committed.get(partition));
        return offset === undefined ? null : { offset, topicId: "" };
      },
      topicIdOf: () => "",
      notify: () => Promise.resolve(),
      started: (one) => {
        this.held.get(one.partition)?.puts.wake();
        this.#wake();
      },
    });
    this.#intake = new Intake({
      ...{ world, counts, memory, settings },
      relieve: () => this.pressure.relieve(),
      onCut: ({ partition }) => this.held.get(partition)?.puts.wake(),
    });
    this.#fetching = new Fetching({
      ...{ world, settings, memory, partitions, cluster: cluster.asCluster },
      takeIn: (partition, offset, fetched) => this.#intake.take(partition, offset, fetched),
      outOfRange: (partition) => void this.#restart(partition),
      moved: () => this.#lookAgain(),
      isSpoolFull: () => this.pressure.isSpoolFull,
    }, this.#stop.signal);
    this.#commits.run(this.#stop.signal);
  }

  /** Whether the partition is ours and cannot have been given to another, by our clock. */
  holds(partition: number): boolean {
    return this.held.has(partition) && this.world.monotonicMs() - this.provenMs < sessionMs;
  }

  /** @param grant what proves to the coordinator that the partition is ours. */
  assigned(number: number, grant: number): void {
    this.#grants.set(number, grant);
    const { ledger } = this.around;
    const { world, memory, counts, pressure } = this;
    const chain = new Chain(storeOver(ledger, this.wire), "g", "t", number, "value");
    const partition = new Partition("t", number, chain, {
      ...{ world, memory, deflater: this.#deflater.asDeflater, version: "1", writer: this.name },
      settings: { format: "value", rotateMs: 2_000, rotateBytes: 400, rotateRecords: 30 },
      newBody: () => new ObjectBody(memory, pressure.spoolUse, this.#newFile()),
      spoolTrouble: () => {},
    });
    const puts = new Puts(partition, {
      ...{ world, counts, permits: this.#permits, commits: this.#commits },
      holds: (one) => this.holds(one.partition),
      notify: () => Promise.resolve(),
      timePut: () => {},
      changed: () => this.#wake(),
    });
    this.held.set(number, { partition, puts });
    void this.#starts.start(partition);
  }

  /** Finishes what was read of a partition before another gets it. */
  async revoking(number: number): Promise<void> {
    const held = this.held.get(number);
    if (held === undefined) return;
    held.partition.finish();
    held.puts.wake();
    while (!held.partition.isGone && !held.puts.isIdle) await this.#changed.wait();
    if (this.held.get(number) === held) await this.lost(number);
  }

  async lost(number: number): Promise<void> {
    const held = this.held.get(number);
    this.held.delete(number);
    await held?.partition.leave();
    this.#wake();
  }

  /** What the daemon does twice a second. */
  tick(): void {
    this.pressure.cutEarly();
    for (const { partition, puts } of this.held.values()) {
      if (partition.isDue) partition.cut();
      puts.wake();
    }
    this.#lookAgain();
  }

  stop(): void {
    this.#stop.abort();
  }

  /** Spools everything that can be, as if memory were short. */
  squeeze(): void {
    for (const { partition: { open } } of this.held.values()) {
      open?.seal();
      open?.spoolNow();
    }
  }

  async #restart(partition: Partition): Promise<void> {
    const held = this.held.get(partition.partition);
    if (held?.partition !== partition || partition.state !== "reading") return;
    partition.finish();
    held.puts.wake();
    while (!partition.isGone && !held.puts.isIdle) await this.#changed.wait();
    if (partition.isGone) return;
    partition.state = "starting";
    await this.#starts.start(partition);
  }

  #lookAgain(): void {
    this.#cluster.refresh();
    this.#fetching.changed();
  }

  #wake(): void {
    this.#changed.wake();
    this.#fetching.changed();
  }

  #newFile(): MemoryFile {
    const file = new MemoryFile();
    file.before = async (act) => {
      await this.world.sleep(5);
      this.#fail(act === "append" ? "transient" : "permanent");
    };
    return file;
  }

  #fail(fault: "transient" | "permanent"): void {
    const { random, faults } = this.around;
    if (random() < faults.rate) throw new SluiceError("go on", fault, "the model wants it so");
  }
}
