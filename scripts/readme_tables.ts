import type { Command } from "../commands/command.ts";
import { Exit } from "../lib/core/exit.ts";
import { envOf, flagOf, type Option } from "../lib/core/options.ts";

/** The options of a command as a table: flag, environment variable, key in the file, default, help. */
export function optionTable({ name, options }: Command): string {
  const hasFile = "config" in options;
  const head = ["flag", "environment", ...(hasFile ? ["in the file"] : []), "default", ""];
  const rows = Object.entries(options).map(([option, declared]) => {
    const flag = flagOf(option, declared);
    return [
      code(`${flag} ${declared.placeholder}`.trim()),
      environmentOf(name, option, declared),
      ...(hasFile ? [option === "config" ? "" : code(flag.slice(2))] : []),
      declared.fallbackText === "" ? "" : code(declared.fallbackText),
      cell(declared.help),
    ];
  });
  return table(head, rows);
}

/** The exit codes of a command as a table. */
export function exitTable({ exits }: Command): string {
  const rows = Object.entries(exits).map(([kind, meaning]) => [
    String(Exit[kind as keyof typeof Exit]),
    cell(meaning),
  ]);
  return table(["exit code", ""], rows);
}

/** The metrics of a page in Prometheus's text format whose names begin with `prefix`, as a table. */
export function metricTable(page: string, prefix: string): string {
  const helps = [...page.matchAll(/^# HELP (\S+) (.*)\n# TYPE \S+ (\w+)$/gm)];
  const rows = helps.filter(([, name]) => name?.startsWith(prefix))
    .map(([, name = "", help = "", type = ""]) => [code(name), type, cell(help)]);
  return table(["metric", "type", ""], rows);
}

function environmentOf(command: string, name: string, { kind }: Option<unknown>): string {
  const variable = code(envOf(command, name));
  return kind === "secret" ? `${variable}, or ${code("…_FILE")}` : variable;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

function code(text: string): string {
  return `\`${cell(text)}\``;
}

/** A bar would end the cell, in code too. */
function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}

/** What stands between `<!-- KIND:NAME -->` and `<!-- /KIND:NAME -->`, by `KIND:NAME`. */
export type Tables = Readonly<Record<string, string>>;

/**
 * The text with each table between its marks.
 *
 * @throws {Error} for a mark without its end or its table, and for a table without its mark.
 */
export function withTables(text: string, tables: Tables): string {
  const left = new Set(Object.keys(tables));
  const filled = text.replace(
    /(<!-- ((?:options|exits|metrics):[^ ]+(?: [a-z]+)?) -->\n)[^]*?(\n<!-- \/(.*?) -->)/g,
    (_, begin: string, name: string, end: string, endName: string) => {
      if (endName !== name) throw new Error(`${name} ends with the mark of ${endName}`);
      const table = tables[name];
      if (table === undefined) throw new Error(`there is nothing to put in for ${name}`);
      left.delete(name);
      return `${begin}\n${table}\n${end}`;
    },
  );
  if (left.size > 0) throw new Error(`there is no place for ${[...left].join(", ")}`);
  return filled;
}

/** The first line in which two texts differ; undefined when they do not. */
export function firstDifference(
  written: string,
  wanted: string,
): { readonly line: number; readonly written: string; readonly wanted: string } | undefined {
  if (written === wanted) return undefined;
  const [left, right] = [written.split("\n"), wanted.split("\n")];
  const at = left.findIndex((line, i) => line !== right[i]);
  const index = at < 0 ? left.length : at;
  return { line: index + 1, written: left[index] ?? "", wanted: right[index] ?? "" };
}
