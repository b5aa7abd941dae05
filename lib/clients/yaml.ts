import { isScalar, LineCounter, parseDocument, visit } from "yaml";
import { reasonOf, SluiceError, usageError } from "../core/errors.ts";

/**
 * Reads one YAML 1.2 document into plain data. Aliases that would make much of little are refused, as
 * is what is nested some hundred levels deep.
 *
 * @throws {SluiceError} `usage` with the line when it is not YAML or a key stands twice.
 */
export function parseYaml(text: string): unknown {
  const lines = new LineCounter();
  try {
    // The library compares each key with each: minutes for a megabyte of them. They are looked at below.
    const document = parseDocument(text, {
      lineCounter: lines,
      uniqueKeys: false,
      // Nor does it point at the place of every error, when there are thousands.
      prettyErrors: false,
      logLevel: "error",
    });
    const [error] = document.errors;
    if (error !== undefined) throw wrongAt(lines, error.pos[0], error.message);
    visit(document, {
      Map: (_, map) => {
        const seen = new Set<unknown>();
        for (const { key } of map.items) {
          if (!isScalar(key)) throw usageError("read YAML", "a key is no plain text");
          if (seen.has(key.value)) {
            throw wrongAt(lines, key.range?.[0] ?? 0, "Map keys must be unique");
          }
          seen.add(key.value);
        }
      },
    });
    return document.toJS();
  } catch (thrown) {
    if (thrown instanceof SluiceError) throw thrown;
    throw usageError("read YAML", reasonOf(thrown), thrown);
  }
}

function wrongAt(lines: LineCounter, at: number, what: string): SluiceError {
  const { line, col } = lines.linePos(at);
  if (/call stack/.test(what)) what = "There are too many levels in each other";
  return usageError("read YAML", `${what} at line ${line}, column ${col}`);
}
