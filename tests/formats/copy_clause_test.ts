import assert from "node:assert/strict";
import { copyClauseOf } from "../../lib/formats/copy_clause.ts";
import { parseCopyOptions } from "../../lib/formats/copy_options.ts";

Deno.test("copyClauseOf() says how COPY text is to be read", () => {
  const cases: [options: string, clause: RegExp][] = [
    ["CSV", /^WITH \(FORMAT text, DELIMITER ',', NULL '\\N', ENCODING 'UTF8'\)$/],
    ["DELIMITER '\\t'", /DELIMITER E'\\x09'/],
    ["DELIMITER '\\001'", /DELIMITER E'\\x01'/],
    ["DELIMITER 'x'", /DELIMITER E'\\x09'/],
    ["DELIMITER 'N'", /DELIMITER E'\\x09'/],
    ["DELIMITER '\\''", /DELIMITER ''''/],
    ["JSON 'auto'", /DELIMITER E'\\x09'/],
  ];
  for (const [options, clause] of cases) {
    assert.match(copyClauseOf(parseCopyOptions([options])), clause);
  }
});
