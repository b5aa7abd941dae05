/** The SGR codes of a terminal for what stands in JSON. */
const colours = { key: "34;1", string: "32", number: "36", word: "33" } as const;

const token = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

/**
 * Lays JSON out over lines, indented by two spaces, for people to read. `json` must be JSON; its
 * tokens stay as they are written: a long number loses no digit.
 */
export function prettyJson(json: string, options: { readonly colours: boolean }): string {
  const tokens = json.match(token) ?? [];
  let indent = "\n";
  let out = "";
  tokens.forEach((one, i) => {
    const next = tokens[i + 1];
    if (one === "{" || one === "[") {
      const isEmpty = next === "}" || next === "]";
      if (!isEmpty) indent += "  ";
      out += isEmpty ? one : one + indent;
    } else if (one === "}" || one === "]") {
      const before = tokens[i - 1];
      const isEmpty = before === "{" || before === "[";
      if (!isEmpty) indent = indent.slice(0, -2);
      out += isEmpty ? one : indent + one;
    } else if (one === ",") out += one + indent;
    else if (one === ":") out += ": ";
    else out += options.colours ? `\x1b[${colours[kindOf(one, next)]}m${one}\x1b[0m` : one;
  });
  return out;
}

function kindOf(one: string, next: string | undefined): keyof typeof colours {
  if (one.startsWith('"')) return next === ":" ? "key" : "string";
  return /^[-\d]/.test(one) ? "number" : "word";
}
