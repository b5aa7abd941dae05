import { parse } from "yaml";
import { usageError } from "../core/errors.ts";

/**
 * Reads one YAML 1.2 document into plain data.
 *
 * @throws {SluiceError} `usage` with the line when it is not YAML or a key stands twice.
 */
export function parseYaml(text: string): unknown {
  try {
    return parse(text, { logLevel: "error" });
  } catch (thrown) {
    const [said = ""] = (thrown instanceof Error ? thrown.message : String(thrown)).split("\n");
    throw usageError("read YAML", said.replace(/:$/, ""), thrown);
  }
}
