import assert from "node:assert/strict";
import { noticeOf } from "../../lib/archive/notices.ts";
import { Bench, notesOf } from "./makers.ts";

for (const url of ["s3://bucket/a", "s3://bucket/a/"]) {
  Deno.test(`an event names the object below ${url} and tells what is in it`, () => {
    const partition = new Bench().partition();
    const notes = notesOf(2n ** 60n, 2n ** 60n + 3n, { crc32c: 0xab, nullValues: 1 });
    assert.deepEqual(JSON.parse(noticeOf(url, partition, notes, 77)), {
      url: "s3://bucket/a/g/t/partition=0/1152921504606846976.baldr.gz",
      topic: "t",
      partition: 0,
      firstOffset: "1152921504606846976",
      nextOffset: "1152921504606846979",
      records: 3,
      nullValues: 1,
      firstTimestampMs: 5,
      lastTimestampMs: 9,
      fileBytes: 77,
      uncompressedBytes: 0,
      crc32c: "000000ab",
      format: "value",
      gap: null,
    });
  });
}
