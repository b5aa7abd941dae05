/** What was done since the start; plain numbers, read by the metrics. */
export class Counts {
  records = 0;
  nullValues = 0;
  rawBytes = 0;
  fileBytes = 0;
  objects = 0;
  /** Objects over which a partition went on without having put them since it was assigned. */
  adopted = 0;
  gaps = 0;
  gapOffsets = 0n;
  aborted = 0;
  putErrors = 0;
  commits = 0;
  /** By topic: records, bytes. */
  readonly topics = new Map<string, { records: number; rawBytes: number; fileBytes: number }>();

  ofTopic(topic: string): { records: number; rawBytes: number; fileBytes: number } {
    let one = this.topics.get(topic);
    if (one === undefined) this.topics.set(topic, one = { records: 0, rawBytes: 0, fileBytes: 0 });
    return one;
  }
}
