import assert from "node:assert/strict";
import { SluiceError } from "../../lib/core/errors.ts";
import { TimeZone } from "../../lib/formats/time_zone.ts";

const HOUR_MS = 3_600_000;

Deno.test("TimeZone refuses a zone there is none of, as a usage error that names it", () => {
  for (const name of ["Europe/Atlantis", "", "+25:00", "+01:75", "+1", "CEST?"]) {
    assert.throws(() => new TimeZone(name), (error) => {
      assert.ok(error instanceof SluiceError);
      assert.equal(error.fault, "usage");
      assert.ok(error.message.includes(`"${name}"`));
      return true;
    });
  }
});

Deno.test("TimeZone gives fixed offsets for UTC and numbers", () => {
  for (const [name, hours] of [["utc", 0], ["Z", 0], ["+02:00", 2], ["-0330", -3.5]] as const) {
    const zone = new TimeZone(name);
    assert.equal(zone.offsetMsAt(0), hours * HOUR_MS);
    assert.equal(zone.utcMsOf(10 * HOUR_MS, 0), (10 - hours) * HOUR_MS);
  }
});

Deno.test("TimeZone changes its offset in the very millisecond in which the clocks change", () => {
  const zone = new TimeZone("Europe/London");
  const forward = Date.UTC(2026, 2, 29, 1);
  const back = Date.UTC(2026, 9, 25, 1);
  for (let round = 0; round < 2; round++) {
    assert.equal(zone.offsetMsAt(forward - 1), 0);
    assert.equal(zone.offsetMsAt(forward), HOUR_MS);
    assert.equal(zone.offsetMsAt(back - 1), HOUR_MS);
    assert.equal(zone.offsetMsAt(back), 0);
  }
});

Deno.test("TimeZone gives right offsets however many minutes share its memory", () => {
  const zone = new TimeZone("Europe/London");
  const start = Date.UTC(2026, 9, 25);
  for (let round = 0; round < 2; round++) {
    for (let minute = 0; minute < 3_000; minute++) {
      const offset = minute < 60 ? HOUR_MS : 0;
      assert.equal(zone.offsetMsAt(start + minute * 60_000 + 59_999), offset);
    }
  }
});
