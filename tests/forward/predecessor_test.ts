import assert from "node:assert/strict";
import { encodeLine, NOW_MS } from "../support/syslog_reading.ts";

/**
 * What Syslogger's parser (the Go package jeromer/syslogparser, rfc3164) makes of lines that it can
 * read: timestamp as encoding/json writes a time.Time, the tag without its pid, the content without
 * the spaces around it. Derived from its source and its own examples.
 */
const lines: [line: string, timestamp: string, host: string, tag: string, content: string][] = [
  [
    "<34>Oct 11 22:14:15 mymachine su: 'su root' failed for lonvick on /dev/pts/8",
    "2026-10-11T22:14:15Z",
    "mymachine",
    "su",
    "'su root' failed for lonvick on /dev/pts/8",
  ],
  ["<13>Nov 23 20:30:00 host app[77]: hi", "2026-11-23T20:30:00Z", "host", "app", "hi"],
  [
    "<13>Dec  1 17:32:18 10.0.0.99 Use the BFG!",
    "2026-12-01T17:32:18Z",
    "10.0.0.99",
    "Use",
    "the BFG!",
  ],
  [
    "<0>Dec  9 01:02:03 host kernel: [ 12.3] usb 1-1: new  device ",
    "2026-12-09T01:02:03Z",
    "host",
    "kernel",
    "[ 12.3] usb 1-1: new  device",
  ],
  ["<191>Nov 23 20:30:00 host app: ", "2026-11-23T20:30:00Z", "host", "app", ""],
];

for (const [line, timestamp, hostname, tag, content] of lines) {
  Deno.test(`the fields of ${JSON.stringify(line)} are the predecessor's`, () => {
    const priority = Number(/^<(\d+)>/.exec(line)?.[1]);
    const value = JSON.parse(encodeLine(line, { nowMs: NOW_MS }));
    assert.deepEqual(
      { ...value, content: value.content.replace(/^ +| +$/g, ""), pid: undefined },
      {
        timestamp: new Date(timestamp).toISOString(),
        hostname,
        tag,
        content,
        priority,
        facility: priority >> 3,
        severity: priority & 7,
        pid: undefined,
      },
    );
    // Fractions of a second apart, it is the same text.
    assert.equal(value.timestamp.replace(".000Z", "Z"), timestamp);
  });
}
