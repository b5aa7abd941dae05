import type { Cluster, ListedTopic, TopicPartition } from "../clients/kafka/kafka.ts";
import { reasonOf } from "../core/errors.ts";
import type { World } from "../core/world.ts";
import type { ArchiveSettings } from "./settings.ts";

const noTopicId = /^[0-]*$/;
/** Not more often than so, however many partitions have moved. */
const refreshMs = 500;

/** The topics that are to be archived, as the cluster has them just now. */
export class Catalogue {
  #topics: readonly ListedTopic[] = [];
  #ids = new Map<string, string>();
  #trouble: string | null = null;
  #refreshing: Promise<boolean> | null = null;
  #refreshedMs = -Infinity;

  constructor(
    private readonly cluster: Cluster,
    private readonly settings: Pick<ArchiveSettings, "wants" | "discoverMs">,
    private readonly world: World,
  ) {}

  /** Why the topics cannot be listed; null when they can. */
  get trouble(): string | null {
    return this.#trouble;
  }

  get topics(): readonly string[] {
    return this.#topics.map(({ name }) => name);
  }

  get partitions(): readonly TopicPartition[] {
    return this.#topics.flatMap(({ name, partitions }) =>
      Array.from({ length: partitions }, (_, partition) => ({ topic: name, partition }))
    );
  }

  /** What tells a topic from another one of its name; empty when the cluster gives no ids. */
  idOf(topic: string): string {
    return this.#ids.get(topic) ?? "";
  }

  /** Looks at the cluster. @returns whether topics or partitions have come or gone. */
  refresh(): Promise<boolean> {
    this.#refreshing ??= this.#list().finally(() => this.#refreshing = null);
    return this.#refreshing;
  }

  /** Looks at the cluster again and again; who leads what is known afterwards, too. */
  async watch(stop: AbortSignal, changed: () => void, refreshed: () => void): Promise<void> {
    while (!stop.aborted) {
      await this.world.sleep(this.settings.discoverMs, stop);
      if (stop.aborted) return;
      if (await this.refresh()) changed();
      refreshed();
    }
  }

  /** Somebody else leads a partition: looks soon. */
  async refreshSoon(): Promise<boolean> {
    const sinceMs = this.world.monotonicMs() - this.#refreshedMs;
    if (sinceMs < refreshMs) await this.world.sleep(refreshMs - sinceMs);
    return await this.refresh();
  }

  async #list(): Promise<boolean> {
    try {
      const all = await this.cluster.listTopics();
      const wanted = all.filter(({ name, isInternal }) => this.settings.wants(name, isInternal));
      const before = describe(this.#topics);
      this.#topics = wanted;
      this.#ids = new Map(wanted.map(({ name, id }) => [name, noTopicId.test(id) ? "" : id]));
      if (this.#trouble !== null) this.world.log("info", "Topics can be listed again");
      this.#trouble = null;
      const now = describe(wanted);
      if (now !== before) this.#tell();
      return now !== before;
    } catch (thrown) {
      const reason = reasonOf(thrown);
      if (reason !== this.#trouble) {
        this.world.log("warn", "Cannot list the topics, trying on", { reason });
      }
      this.#trouble = reason;
      return false;
    } finally {
      this.#refreshedMs = this.world.monotonicMs();
    }
  }

  #tell(): void {
    const topics = this.#topics.length;
    this.world.log("info", "Topics to archive", { topics, partitions: this.partitions.length });
  }
}

function describe(topics: readonly ListedTopic[]): string {
  return topics.map(({ name, id, partitions }) => `${name}/${id}/${partitions}`).sort().join();
}
