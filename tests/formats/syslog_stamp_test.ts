import assert from "node:assert/strict";
import fc from "fast-check";
import { StampReader } from "../../lib/formats/syslog_stamp.ts";
import { bytesOf } from "../support/syslog_reading.ts";

const NOW = "2026-11-23T20:31:00Z";

/** Reads `stamp` at `now` in `zone`: the time as text, undefined when it is no stamp. */
function readBsd(stamp: string, now = NOW, zone = "UTC"): string | undefined {
  const reader = new StampReader(zone);
  const end = reader.readBsd(bytesOf(stamp), 0, stamp.length, Date.parse(now));
  return end < 0 ? undefined : new Date(reader.ms).toISOString();
}

function readIso(stamp: string, zone = "UTC"): string | undefined {
  const reader = new StampReader(zone);
  const end = reader.readIso(bytesOf(stamp), 0, stamp.length, Date.parse(NOW));
  return end < 0 ? undefined : new Date(reader.ms).toISOString();
}

const forms: [stamp: string, time: string | undefined][] = [
  ["Nov 23 20:30:00", "2026-11-23T20:30:00.000Z"],
  ["nov 23 20:30:00", "2026-11-23T20:30:00.000Z"],
  ["NOV 23 20:30:00", "2026-11-23T20:30:00.000Z"],
  ["Nov  3 20:30:00", "2026-11-03T20:30:00.000Z"],
  ["Nov 3 20:30:00", "2026-11-03T20:30:00.000Z"],
  ["Nov 03 20:30:00", "2026-11-03T20:30:00.000Z"],
  ["Nov 23 9:30:00", "2026-11-23T09:30:00.000Z"],
  ["Nov 23 20:30:00.1", "2026-11-23T20:30:00.100Z"],
  ["Nov 23 20:30:00.12", "2026-11-23T20:30:00.120Z"],
  ["Nov 23 20:30:00.123", "2026-11-23T20:30:00.123Z"],
  ["Nov 23 20:30:00,123", "2026-11-23T20:30:00.123Z"],
  ["Nov 23 20:30:00.123999999", "2026-11-23T20:30:00.123Z"],
  ["Nov 23 20:30:00.000999", "2026-11-23T20:30:00.000Z"],
  ["Nov 23 20:30:60", "2026-11-23T20:31:00.000Z"],
  ["Nov 23 2025 20:30:00", "2025-11-23T20:30:00.000Z"],
  ["2025 Nov 23 20:30:00", "2025-11-23T20:30:00.000Z"],
  ["Nov 23 20:30:00 2025 ", "2025-11-23T20:30:00.000Z"],
  ["Nov 23 20:30:00 UTC", "2026-11-23T20:30:00.000Z"],
  ["Feb 29 2024 20:30:00", "2024-02-29T20:30:00.000Z"],
  ["Feb 29 2025 20:30:00", undefined],
  ["Nov 31 20:30:00", undefined],
  ["Nov 00 20:30:00", undefined],
  ["Nov 23 24:00:00", undefined],
  ["Nov 23 20:60:00", undefined],
  ["Nov 23 20:30:61", undefined],
  ["Nov 23 20:30", undefined],
  ["Nov 23 20:30:00.", undefined],
  ["Nov   3 20:30:00", undefined],
  ["Nov23 20:30:00", undefined],
  ["Nox 23 20:30:00", undefined],
  ["No", undefined],
  ["", undefined],
];

for (const [stamp, time] of forms) {
  Deno.test(`StampReader reads BSD stamp "${stamp}" as ${time ?? "none"}`, () => {
    assert.equal(readBsd(stamp), time);
    if (time === undefined) assert.equal(readBsd(stamp, NOW, "Europe/London"), time);
  });
}

const years: [stamp: string, now: string, year: string][] = [
  ["Dec 31 23:59:59", "2027-01-01T00:00:01Z", "2026"],
  ["Jan  1 00:00:01", "2026-12-31T23:59:59Z", "2027"],
  ["Jan  1 00:00:01", "2027-01-01T00:00:01Z", "2027"],
  ["Dec 31 23:59:59", "2026-12-31T23:59:59Z", "2026"],
  ["Jul  2 00:00:00", "2026-12-31T00:00:00Z", "2026"],
  ["Jul  4 00:00:00", "2027-01-01T00:00:00Z", "2026"],
  ["Jun 29 00:00:00", "2027-01-01T00:00:00Z", "2027"],
  ["Nov 22 20:31:00", "2026-11-23T20:31:00Z", "2026"],
  ["Feb 29 12:00:00", "2028-02-29T12:00:00Z", "2028"],
  ["Feb 29 12:00:00", "2028-03-01T00:00:00Z", "2028"],
  ["Feb 29 12:00:00", "2026-11-23T00:00:00Z", "2028"],
  ["Feb 29 12:00:00", "2026-01-01T00:00:00Z", "2024"],
  ["Feb 29 12:00:00", "2101-01-01T00:00:00Z", "2104"],
  ["Feb 29 12:00:00", "2099-01-01T00:00:00Z", "2096"],
];

for (const [stamp, now, year] of years) {
  Deno.test(`StampReader takes "${stamp}" read at ${now} for one of ${year}`, () => {
    assert.equal(readBsd(stamp, now)?.slice(0, 4), year);
  });
}

const zones: [zone: string, stamp: string, now: string, time: string][] = [
  ["+02:00", "Nov 23 20:30:00", NOW, "2026-11-23T18:30:00.000Z"],
  ["-0330", "Nov 23 20:30:00", NOW, "2026-11-24T00:00:00.000Z"],
  ["UTC", "Nov 23 20:30:00", NOW, "2026-11-23T20:30:00.000Z"],
  ["Z", "Nov 23 20:30:00", NOW, "2026-11-23T20:30:00.000Z"],
  ["Europe/London", "Nov 23 20:30:00", NOW, "2026-11-23T20:30:00.000Z"],
  ["Europe/London", "Jul 23 20:30:00", NOW, "2026-07-23T19:30:00.000Z"],
  ["Asia/Kathmandu", "Nov 23 20:30:00", NOW, "2026-11-23T14:45:00.000Z"],
  ["America/New_York", "Nov 23 20:30:00", NOW, "2026-11-24T01:30:00.000Z"],
  // A sender in another year than UTC: the year is the one on the sender's wall.
  ["Asia/Tokyo", "Jan  1 08:59:00", "2026-12-31T23:59:30Z", "2026-12-31T23:59:00.000Z"],
  ["America/New_York", "Dec 31 19:01:00", "2027-01-01T00:01:30Z", "2027-01-01T00:01:00.000Z"],
  // Clocks go forward: 2026-03-29 01:00 to 02:00 does not exist in London.
  ["Europe/London", "Mar 29 00:59:59", "2026-03-29T01:00:00Z", "2026-03-29T00:59:59.000Z"],
  ["Europe/London", "Mar 29 01:30:00", "2026-03-29T01:00:00Z", "2026-03-29T01:30:00.000Z"],
  ["Europe/London", "Mar 29 02:00:00", "2026-03-29T01:00:00Z", "2026-03-29T01:00:00.000Z"],
  // Clocks go back: 2026-10-25 01:00 to 02:00 comes twice; the nearer one is meant.
  ["Europe/London", "Oct 25 01:30:00", "2026-10-25T00:30:01Z", "2026-10-25T00:30:00.000Z"],
  ["Europe/London", "Oct 25 01:30:00", "2026-10-25T01:30:01Z", "2026-10-25T01:30:00.000Z"],
  ["Europe/London", "Oct 25 02:00:00", "2026-10-25T01:30:01Z", "2026-10-25T02:00:00.000Z"],
  ["Europe/London", "Oct 25 00:59:59", "2026-10-25T01:30:01Z", "2026-10-24T23:59:59.000Z"],
  // Half an hour of daylight saving.
  ["Australia/Lord_Howe", "Apr  5 01:45:00", "2026-04-04T14:45:00Z", "2026-04-04T14:45:00.000Z"],
  ["Australia/Lord_Howe", "Apr  5 01:45:00", "2026-04-04T15:15:00Z", "2026-04-04T15:15:00.000Z"],
];

for (const [zone, stamp, now, time] of zones) {
  Deno.test(`StampReader reads "${stamp}" of ${zone} at ${now} as ${time}`, () => {
    assert.equal(readBsd(stamp, now, zone), time);
  });
}

const isoForms: [stamp: string, time: string | undefined][] = [
  ["2026-11-23T20:30:00Z", "2026-11-23T20:30:00.000Z"],
  ["2026-11-23t20:30:00z", "2026-11-23T20:30:00.000Z"],
  ["2026-11-23T20:30:00+00:00", "2026-11-23T20:30:00.000Z"],
  ["2026-11-23T20:30:00.5-01:30", "2026-11-23T22:00:00.500Z"],
  ["2026-11-23T20:30:00+0130", "2026-11-23T19:00:00.000Z"],
  ["2026-11-23 20:30:00", "2026-11-23T20:30:00.000Z"],
  ["2026-07-23T20:30:00", "2026-07-23T20:30:00.000Z"],
  ["9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"],
  ["9999-12-31T23:59:59-01:00", undefined],
  ["1969-12-31T23:59:59Z", undefined],
  ["1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z"],
  ["0000-01-01T00:00:00Z", undefined],
  ["2026-11-31T20:30:00Z", undefined],
  ["2026-00-01T20:30:00Z", undefined],
  ["2026-11-00T20:30:00Z", undefined],
  ["2026-11-23X20:30:00Z", undefined],
  ["2026-11-23T20:30:00+24:00", undefined],
  ["2026-11-23T20:30:00+1", undefined],
  ["2026-11-23", undefined],
];

for (const [stamp, time] of isoForms) {
  Deno.test(`StampReader reads ISO stamp "${stamp}" as ${time ?? "none"}`, () => {
    assert.equal(readIso(stamp), time);
    if (time === undefined) assert.equal(readIso(stamp, "Europe/London"), time);
  });
}

Deno.test("StampReader gives ISO stamps without a zone the configured one", () => {
  assert.equal(readIso("2026-07-23T20:30:00", "Europe/London"), "2026-07-23T19:30:00.000Z");
  assert.equal(readIso("2026-07-23T20:30:00Z", "Europe/London"), "2026-07-23T20:30:00.000Z");
});

Deno.test("StampReader remembers no stamp beyond the time that chose its year", () => {
  const reader = new StampReader("Europe/London");
  const read = (stamp: string, now: string) => {
    reader.readBsd(bytesOf(`${stamp} host`), 0, stamp.length + 5, Date.parse(now));
    return new Date(reader.ms).toISOString();
  };
  assert.equal(read("Jan  1 00:00:00", "2026-12-31T23:59:59Z"), "2027-01-01T00:00:00.000Z");
  assert.equal(read("Jan  1 00:00:00", "2028-01-01T00:00:00Z"), "2028-01-01T00:00:00.000Z");
  assert.equal(read("Oct 25 01:30:00", "2026-10-25T00:30:01Z"), "2026-10-25T00:30:00.000Z");
  assert.equal(read("Oct 25 01:30:00", "2026-10-25T01:30:01Z"), "2026-10-25T01:30:00.000Z");
  assert.equal(read("Oct 25 01:30:00 2025", "2026-10-25T01:30:01Z"), "2025-10-25T00:30:00.000Z");
});

Deno.test("StampReader takes what follows a stamp it remembers into account", () => {
  const stamps: [stamp: string, time: string][] = [
    ["Jul 23 20:30:00 host", "2026-07-23T19:30:00.000Z"],
    ["Jul 23 20:30:00 UTC host", "2026-07-23T20:30:00.000Z"],
    ["Jul 23 20:30:00 utcd host", "2026-07-23T19:30:00.000Z"],
    ["Jul 23 20:30:00 2025 host", "2025-07-23T19:30:00.000Z"],
    ["Jul 23 20:30:00.5 host", "2026-07-23T19:30:00.500Z"],
    ["Jul 23 20:30:00 host", "2026-07-23T19:30:00.000Z"],
  ];
  const reader = new StampReader("Europe/London");
  for (const [stamp, time] of stamps) {
    assert.ok(reader.readBsd(bytesOf(stamp), 0, stamp.length, Date.parse(NOW)) >= 15);
    assert.equal(new Date(reader.ms).toISOString(), time, stamp);
  }
});

Deno.test("StampReader reads zone and fraction of an ISO stamp whose seconds it remembers", () => {
  const stamps: [stamp: string, time: string | undefined][] = [
    ["2026-07-23T20:30:00.25Z", "2026-07-23T20:30:00.250Z"],
    ["2026-07-23T20:30:00+02:00", "2026-07-23T18:30:00.000Z"],
    ["2026-07-23T20:30:00", "2026-07-23T19:30:00.000Z"],
    ["2026-07-23T20:30:00.x", undefined],
    ["2026-07-23T20:30:01Z", "2026-07-23T20:30:01.000Z"],
    ["2026-07-23T9:30:01Z", "2026-07-23T09:30:01.000Z"],
    ["2026-07-23T20:30:01Z", "2026-07-23T20:30:01.000Z"],
    ["2026-07-32T20:30:01Z", undefined],
    ["2026-07-32T20:30:01Z", undefined],
    ["2026-07-23T20:30:0", undefined],
  ];
  const reader = new StampReader("Europe/London");
  for (const [stamp, time] of stamps) {
    const end = reader.readIso(bytesOf(stamp), 0, stamp.length, Date.parse(NOW));
    assert.equal(end < 0 ? undefined : new Date(reader.ms).toISOString(), time, stamp);
  }
});

const months = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

Deno.test("StampReader gives back any second within five months of now, by any zone", () => {
  const reach = 150 * 86_400;
  const now = Math.floor(Date.parse(NOW) / 1_000);
  const readers = new Map(
    ["UTC", "Europe/London", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia", "+05:45"]
      .map((zone) => [zone, new StampReader(zone)]),
  );
  fc.assert(
    fc.property(
      fc.constantFrom(...readers),
      fc.integer({ min: now - 10 * 365 * 86_400, max: now }),
      fc.integer({ min: -reach, max: reach }),
      ([zone, reader], received, age) => {
        const ms = (received - age) * 1_000;
        const timeZone = zone.startsWith("+") ? "Asia/Kathmandu" : zone;
        const wall = new Date(ms).toLocaleString("sv-SE", { timeZone });
        const day = String(Number(wall.slice(8, 10))).padStart(2, " ");
        const stamp = `${months[Number(wall.slice(5, 7)) - 1]} ${day} ${wall.slice(11)}`;
        const bytes = bytesOf(`${stamp} host`);
        assert.equal(reader.readBsd(bytes, 0, bytes.length, received * 1_000), 15, stamp);
        if (reader.ms === ms) return;
        // An hour that comes twice: the other one, if it is nearer to now, is right as well.
        assert.equal(new Date(reader.ms).toLocaleString("sv-SE", { timeZone }), wall);
        assert.ok(Math.abs(reader.ms - received * 1_000) <= Math.abs(ms - received * 1_000));
      },
    ),
    { numRuns: 5_000 },
  );
});
