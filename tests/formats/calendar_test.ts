import assert from "node:assert/strict";
import { daysInMonth, daysSince1970 } from "../../lib/formats/calendar.ts";

Deno.test("daysSince1970() and daysInMonth() agree with Date for every day from 1900 to 2500", () => {
  let days = Date.UTC(1900, 0, 1) / 86_400_000;
  for (let year = 1900; year <= 2500; year++) {
    for (let month = 1; month <= 12; month++) {
      assert.equal(daysInMonth(year, month), new Date(Date.UTC(year, month, 0)).getUTCDate());
      for (let day = 1; day <= daysInMonth(year, month); day++, days++) {
        if (daysSince1970(year, month, day) !== days) assert.fail(`${year}-${month}-${day}`);
      }
    }
  }
  assert.equal(days, Date.UTC(2501, 0, 1) / 86_400_000);
});
