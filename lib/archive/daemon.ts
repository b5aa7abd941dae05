import { type Cluster, GroupMember, type TopicPartition } from "../clients/kafka/kafka.ts";
import type { Deflater } from "../clients/deflate/deflate.ts";
import type { Spool } from "../clients/spool.ts";
import type { Store } from "../clients/store/store.ts";
import { Exit, type ExitCode } from "../core/exit.ts";
import { Gate } from "../core/gate.ts";
import { Permits } from "../core/permits.ts";
import type { World } from "../core/world.ts";
import type { ObjectNotes } from "../formats/object_notes.ts";
import { Catalogue } from "./catalogue.ts";
import { Chain } from "./chain.ts";
import { Commits, topicIdOf } from "./commits.ts";
import { Counts } from "./counts.ts";
import { Fetching } from "./fetching.ts";
import type { Held } from "./held.ts";
import { Intake } from "./intake.ts";
import { Memory } from "./memory.ts";
import { noticeOf, Notices } from "./notices.ts";
import { ObjectBody } from "./object_body.ts";
import { OnceWatch } from "./once.ts";
import { Partition } from "./partition.ts";
import { Pressure } from "./pressure.ts";
import { Puts } from "./puts.ts";
import { Retention } from "./retention.ts";
import type { ArchiveSettings } from "./settings.ts";
import { storeReady } from "./store_ready.ts";
import { Watermarks } from "./watermarks.ts";
import { type Committed, Starts } from "./starts.ts";

/** What the daemon is given by its command. */
export interface ArchiveTools {
  readonly world: World;
  readonly cluster: Cluster;
  readonly store: Store;
  readonly spool: Spool;
  readonly deflater: Deflater;
  readonly version: string;
  /** Which process this is, for the notes of objects. */
  readonly writer: string;
  /** Takes the time of each put, seconds. */
  readonly timePut: (seconds: number) => void;
}

/** How long the group waits for a member that has to finish its objects first: twice this. */
const handOverMs = 30_000;
/** How many partitions look for their beginning at once. */
const startsAtOnce = 16;
const rotateCheckMs = 500;

/** The parts of a running archive. */
export class ArchiveDaemon {
  readonly counts = new Counts();
  readonly memory: Memory;
  readonly pressure: Pressure;
  readonly permits: Permits;
  readonly group: GroupMember;
  readonly #catalogue: Catalogue;
  readonly #commits: Commits;
  readonly #starts: Starts;
  readonly #intake: Intake;
  readonly #fetching: Fetching;
  readonly #notices: Notices | null;
  readonly #retention: Retention;
  readonly #held = new Map<string, Held>();
  /** Those that go to another member, or are ended by a stop. */
  readonly #going = new WeakSet<Partition>();
  readonly #stopFetching = new AbortController();
  readonly #changed = new Gate();
  #storeTrouble: string | null = "it has not answered yet";
  #spoolTrouble: string | null = null;
  #isStopping = false;

  constructor(private readonly settings: ArchiveSettings, private readonly tools: ArchiveTools) {
    const { world, cluster } = tools;
    const { counts } = this;
    const { notifyTopic } = settings;
    this.memory = new Memory(settings.memoryBytes);
    this.pressure = new Pressure(settings, this.memory, () => this.partitions);
    this.permits = new Permits(settings.uploaders);
    this.#catalogue = new Catalogue(cluster, settings, world);
    this.#notices = notifyTopic === undefined ? null : new Notices(cluster, notifyTopic, world);
    this.#retention = new Retention(cluster, world);
    this.group = this.#newMember();
    this.#commits = new Commits((commits) => this.group.commit(commits), world, counts);
    this.#starts = new Starts({
      ...{ world, cluster, settings, counts, commits: this.#commits },
      permits: new Permits(startsAtOnce),
      committed: (partition) => this.#committed(partition),
      topicIdOf: (topic) => this.#catalogue.idOf(topic),
      notify: (partition, notes) => this.#notify(partition, notes, null),
      started: (partition) => this.#started(partition),
    });
    this.#intake = new Intake({
      ...{ world, settings, counts, memory: this.memory },
      relieve: () => this.pressure.relieve(),
      onCut: (partition) => this.#held.get(partition.name)?.puts.wake(),
    });
    this.#fetching = new Fetching({
      ...{ world, cluster, settings, memory: this.memory },
      partitions: () => this.partitions,
      takeIn: (partition, offset, fetched) => this.#intake.take(partition, offset, fetched),
      outOfRange: (partition) => this.#outOfRange(partition),
      moved: () => this.#lookAgain(),
      isSpoolFull: () => this.pressure.isSpoolFull,
    }, this.#stopFetching.signal);
  }

  /** The partitions that are ours. */
  get partitions(): Partition[] {
    return Array.from(this.#held.values(), ({ partition }) => partition);
  }

  get fetchedBytes(): number {
    return this.#fetching.fetchedBytes;
  }

  /** Hours until Kafka deletes what is not archived of a partition; null when that is not known. */
  retentionHours(partition: Partition): number | null {
    return this.#retention.hoursLeft(partition);
  }

  /** Why a partition is not archived; empty when all is well. */
  troublesOf({ name, trouble, fetchTrouble }: Partition): string[] {
    const putTrouble = this.#held.get(name)?.puts.trouble ?? null;
    return [trouble, fetchTrouble, putTrouble].filter((one) => one !== null);
  }

  /** Why something is not archived; empty when all is well. */
  notReady(): string[] {
    if (this.#isStopping) return ["stopping"];
    const { phase, trouble } = this.group.state;
    const general = [
      this.#storeTrouble,
      this.#catalogue.trouble,
      this.#fetching.trouble,
      this.#commits.trouble,
      trouble?.reason ?? (this.group.rebalances === 0 && phase === "joining" ? "joining" : null),
      this.#spoolTrouble,
      this.#notices?.trouble ?? null,
    ];
    const ofPartitions = this.partitions.flatMap((partition) =>
      this.troublesOf(partition).map((one) => `${partition.name}: ${one}`)
    );
    return [...general.filter((one) => one !== null), ...ofPartitions.slice(0, 20)];
  }

  /** Archives until `drain` is aborted, or with `--once` up to where the topics end now. */
  async run(drain: AbortSignal): Promise<ExitCode> {
    const { world } = this.tools;
    const stop = new AbortController();
    drain.addEventListener("abort", () => stop.abort());
    if (drain.aborted) stop.abort();
    stop.signal.addEventListener("abort", () => this.#onStop());
    await storeReady(
      this.tools,
      this.settings,
      stop.signal,
      (reason) => this.#storeTrouble = reason,
    );
    while (!stop.signal.aborted && !await this.#listed()) await world.sleep(1_000, stop.signal);
    const endCommits = new AbortController();
    const committing = this.#commits.run(endCommits.signal);
    const watching = this.#catalogue.watch(
      stop.signal,
      () => this.#topicsChanged(),
      () => this.#fetching.changed(),
    );
    const retaining = this.#retention.watch(() => this.#catalogue.topics, stop.signal);
    const watermarks = new Watermarks(this.tools.cluster, world, () => this.partitions);
    const ends = watermarks.watch(stop.signal);
    const rotating = setInterval(() => this.#rotate(), this.#rotateCheckMs);
    const once = this.settings.once ? this.#watchOnce(stop) : null;
    try {
      if (!stop.signal.aborted) world.log("info", "Archiving", { group: this.settings.group });
      await this.group.run(stop.signal);
    } finally {
      stop.abort();
      clearInterval(rotating);
      endCommits.abort();
      await Promise.all([committing, watching, retaining, ends, this.#fetching.ended()]);
      await this.#notices?.close();
    }
    return this.#conclude(await once ?? Exit.ok);
  }

  /** Says what is given up when the process leaves now. */
  abandon(): void {
    const open = this.partitions.filter(({ open, waiting }) => open !== null || waiting.length > 0);
    this.tools.world.log("warn", "Stopped before everything that was read was put", {
      partitions: open.length,
      hint: "nothing is lost: it is read from Kafka again",
    });
  }

  #newMember(): GroupMember {
    const { settings } = this;
    return new GroupMember(this.tools.cluster, {
      group: settings.group,
      rebalance: settings.rebalance,
      sessionTimeoutMs: settings.sessionMs,
      rebalanceTimeoutMs: 2 * handOverMs,
      world: this.tools.world,
      partitions: () => this.#catalogue.partitions,
      topics: () => this.#catalogue.topics,
      assigned: (partitions) => this.#assigned(partitions),
      revoking: (partitions) => this.#revoking(partitions),
      lost: (partitions) => this.#lost(partitions),
    });
  }

  #assigned(partitions: readonly TopicPartition[]): void {
    const { store, spool, deflater, world, version, writer } = this.tools;
    const { settings, memory, pressure } = this;
    for (const { topic, partition: number } of partitions) {
      const chain = new Chain(store, settings.group, topic, number, settings.format);
      const partition = new Partition(topic, number, chain, {
        ...{ world, settings, memory, deflater, version, writer },
        newBody: () => new ObjectBody(memory, pressure.spoolUse, spool.file()),
        spoolTrouble: (reason) => this.#tellSpool(reason),
      });
      const puts = new Puts(partition, {
        ...{ world, permits: this.permits, counts: this.counts, commits: this.#commits },
        holds: (one) => this.group.holds(one),
        notify: (one, notes, fileBytes) => this.#notify(one, notes, fileBytes),
        timePut: this.tools.timePut,
        changed: () => this.#somethingChanged(),
      });
      this.#held.set(partition.name, { partition, puts });
      this.#starts.start(partition);
    }
  }

  /** Finishes what was read of these partitions before others get them. */
  async #revoking(partitions: readonly TopicPartition[]): Promise<void> {
    const going = partitions.flatMap((one) => this.#held.get(nameOf(one)) ?? []);
    for (const { partition, puts } of going) {
      this.#going.add(partition);
      partition.finish();
      puts.wake();
    }
    const isFinished = () => going.every(({ partition, puts }) => partition.isGone || puts.isIdle);
    while (!isFinished()) await this.#changed.wait();
    await this.#letGo(going);
  }

  #lost(partitions: readonly TopicPartition[]): void {
    const gone = partitions.flatMap((one) => this.#held.get(nameOf(one)) ?? []);
    if (gone.length > 0) {
      this.tools.world.log("warn", "Lost partitions; what was read of them is thrown away", {
        partitions: gone.length,
      });
    }
    this.#letGo(gone);
  }

  async #letGo(going: readonly Held[]): Promise<void> {
    for (const { partition } of going) {
      if (this.#held.get(partition.name)?.partition === partition) {
        this.#held.delete(partition.name);
      }
    }
    await Promise.all(going.map(({ partition }) => partition.leave()));
    this.#somethingChanged();
  }

  #started(partition: Partition): void {
    this.#held.get(partition.name)?.puts.wake();
    this.#somethingChanged();
  }

  #somethingChanged(): void {
    this.#changed.wake();
    this.#fetching.changed();
  }

  async #committed({ topic, partition }: Partition): Promise<Committed | null> {
    const all = await this.group.committed([{ topic, partition }]);
    const found = all.get(`${topic}/${partition}`) ?? null;
    return found && { offset: found.offset, topicId: topicIdOf(found.metadata) };
  }

  async #notify(partition: Partition, notes: ObjectNotes, fileBytes: number | null): Promise<void> {
    if (this.#notices === null) return;
    const notice = noticeOf(this.tools.store.url, partition, notes, fileBytes);
    await this.#notices.tell(partition, notice, this.tools.world.nowMs());
  }

  /** Retention was faster than we, or the topic is another one now: the beginning is looked for anew. */
  #outOfRange(partition: Partition): void {
    this.#restart(partition);
  }

  /** Puts what was read, then begins with the partition as if it had just been assigned. */
  async #restart(partition: Partition): Promise<void> {
    const held = this.#held.get(partition.name);
    if (held === undefined || partition.state !== "reading") return;
    partition.finish();
    held.puts.wake();
    while (!partition.isGone && !held.puts.isIdle) await this.#changed.wait();
    // Taken from us meanwhile: whoever does that lets it go as soon as nothing waits any more.
    if (partition.isGone || this.#going.has(partition)) return;
    partition.state = "starting";
    await this.#starts.start(partition);
  }

  #topicsChanged(): void {
    for (const partition of this.partitions) {
      const id = this.#catalogue.idOf(partition.topic);
      if (id !== "" && partition.topicId !== "" && id !== partition.topicId) {
        this.#restart(partition);
      }
    }
    this.group.topicsChanged();
  }

  async #lookAgain(): Promise<void> {
    if (await this.#catalogue.refreshSoon()) this.#topicsChanged();
    this.#fetching.changed();
  }

  async #listed(): Promise<boolean> {
    await this.#catalogue.refresh();
    return this.#catalogue.trouble === null;
  }

  #rotate(): void {
    this.pressure.cutEarly();
    // The objects that could not be spooled may have been put out of memory, and the disk be full yet.
    if (!this.partitions.some(({ open }) => open?.wantsDisk)) this.#tellSpool(null);
    for (const { partition, puts } of this.#held.values()) {
      if (partition.isDue) partition.cut();
      puts.wake();
    }
  }

  get #rotateCheckMs(): number {
    return Math.max(20, Math.min(rotateCheckMs, this.settings.rotateMs / 4));
  }

  #tellSpool(reason: string | null): void {
    if (reason === this.#spoolTrouble) return;
    this.#spoolTrouble = reason;
    const { log } = this.tools.world;
    if (reason === null) log("info", "Nothing waits for the spool any more");
    else log("error", "Cannot write to the spool, trying on", { reason });
  }

  async #watchOnce(stop: AbortController): Promise<ExitCode> {
    const watch = new OnceWatch(this.tools.world, {
      isMember: () => this.group.rebalances > 0 && this.group.state.phase === "member",
      held: () => this.#held.values(),
      cut: ({ partition, puts }) => {
        partition.finish();
        puts.wake();
      },
    });
    const exit = await watch.run(stop.signal, this.#changed);
    stop.abort();
    return exit;
  }

  #onStop(): void {
    if (this.#isStopping) return;
    this.#isStopping = true;
    this.tools.world.log("info", "Stopping: putting what was read", {
      partitions: this.#held.size,
    });
    this.#stopFetching.abort();
    this.#changed.wake();
  }

  #conclude(exit: ExitCode): ExitCode {
    const { counts } = this;
    this.tools.world.log("info", "Stopped", {
      records: counts.records,
      objects: counts.objects,
      bytes: counts.rawBytes,
      fileBytes: counts.fileBytes,
      adopted: counts.adopted,
      gaps: counts.gaps,
    });
    return exit;
  }
}

function nameOf({ topic, partition }: TopicPartition): string {
  return `${topic}-${partition}`;
}
