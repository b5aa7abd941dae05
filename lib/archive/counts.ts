/** What was done since the start; plain numbers, read by the metrics. */
export class Counts {
  records = 0;
  nullValues = 0;
  rawBytes = 0;
  fileBytes = 0;
  objects = 0;
  /** Objects of another writer over which a partition went on. */
  adopted = 0;
  gaps = 0;
  gapOffsets = 0n;
  aborted = 0;
  fetchedBytes = 0;
  putErrors = 0;
  commits = 0;
  restarts = 0;
  /** By topic: records, bytes. */
  readonly topics = new Map<string, { records: number; rawBytes: number; fileBytes: number }>();

  ofTopic(topic: string): { records: number; rawBytes: number; fileBytes: number } {
    let one = this.topics.get(topic);
    if (one === undefined) this.topics.set(topic, one = { records: 0, rawBytes: 0, fileBytes: 0 });
    return one;
  }
}
