/** Everything that archive was told, checked and in its own units. */
export interface ArchiveSettings {
  readonly group: string;
  readonly format: "value" | "record";
  readonly isolation: "read-committed" | "read-uncommitted";
  /** Whether a topic is to be archived. */
  readonly wants: (topic: string, isInternal: boolean) => boolean;
  /** An object is cut when it is so old, counted from its first record, milliseconds. */
  readonly rotateMs: number;
  /** An object is cut when its file has so many bytes. */
  readonly rotateBytes: number;
  /** An object is cut when it has so many records; 0 is no limit. */
  readonly rotateRecords: number;
  /** What blocks and compressed bytes in memory may take together. */
  readonly memoryBytes: number;
  /** What unfinished objects may take on disk. */
  readonly spoolBytes: number;
  /** How many objects are put at once. */
  readonly uploaders: number;
  readonly rebalance: "cooperative" | "eager";
  readonly sessionMs: number;
  /** How often new topics and partitions are looked for, milliseconds. */
  readonly discoverMs: number;
  /** Where a partition goes on: at the group's committed offset, or after the newest object. */
  readonly resume: "group" | "store";
  /** Archive up to the present end and stop. */
  readonly once: boolean;
  readonly notifyTopic?: string;
}
