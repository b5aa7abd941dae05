import type { Column, Row } from "../clients/warehouse/warehouse.ts";
import type { RowWriter, TextOutput } from "./row_writer.ts";
import { distinctNames, isJsonNumber, isNumber } from "./values.ts";

/**
 * A JSON object a line, its keys in the order of the columns. Numbers keep all the digits that the
 * server gave, booleans are true and false, JSON stands in it as it is; all else is text.
 */
export class JsonRows implements RowWriter {
  #fields: readonly ((value: string) => string)[] = [];
  #keys: readonly string[] = [];

  constructor(private readonly output: TextOutput) {}

  begin(columns: readonly Column[]): Promise<void> {
    this.#keys = distinctNames(columns).map((name) => `${JSON.stringify(name)}:`);
    this.#fields = columns.map(fieldOf);
    return Promise.resolve();
  }

  async rows(batch: readonly Row[]): Promise<void> {
    let text = "";
    for (const row of batch) {
      text += "{";
      for (let i = 0; i < row.length; i++) {
        const value = row[i];
        if (i > 0) text += ",";
        text += this.#keys[i];
        text += typeof value === "string" ? this.#fields[i]?.(value) : "null";
      }
      text += "}\n";
    }
    await this.output.write(text);
  }

  end(): Promise<void> {
    return Promise.resolve();
  }
}

function fieldOf(column: Column): (value: string) => string {
  // Not money: it has a currency in it.
  if (isNumber(column) && column.type !== "money") {
    return (value) => isJsonNumber(value) ? value : JSON.stringify(value);
  }
  switch (column.type) {
    case "bool":
      return (value) => value === "t" || value === "true" ? "true" : "false";
    case "json":
    case "jsonb":
    case "super":
      // A line feed can only stand between its parts.
      return (value) => value.replace(/[\n\r]/g, " ");
    default:
      return JSON.stringify;
  }
}
