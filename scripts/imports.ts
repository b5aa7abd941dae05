/** One import of a module, whatever its form, with the line that it stands on. */
export interface Import {
  readonly specifier: string;
  readonly line: number;
}

/**
 * The text of a module with comments blanked out, and strings too if asked: braces, brackets and the
 * word "import" in them mean nothing. Line feeds stay, so lines keep their numbers.
 */
export function bareCode(text: string, options: { readonly keepStrings?: boolean } = {}): string {
  const scanner = { text, at: 0, out: "", keep: options.keepStrings === true };
  scanCode(scanner, false);
  return scanner.out;
}

interface Scanner {
  readonly text: string;
  readonly keep: boolean;
  at: number;
  out: string;
}

function blank(scanner: Scanner, end: number, keep = false): void {
  const part = scanner.text.slice(scanner.at, end);
  scanner.out += keep ? part : part.replace(/[^\n]/g, " ");
  scanner.at = end;
}

/** Scans code; inside `${...}` of a template it ends behind the closing brace. */
function scanCode(scanner: Scanner, inTemplate: boolean): void {
  let depth = 0;
  while (scanner.at < scanner.text.length) {
    const rest = scanner.text.slice(scanner.at, scanner.at + 2);
    const char = rest[0] ?? "";
    if (rest === "//") blank(scanner, endOf(scanner, "\n", 0));
    else if (rest === "/*") blank(scanner, endOf(scanner, "*/", 2));
    else if (char === '"' || char === "'") blank(scanner, endOfString(scanner, char), scanner.keep);
    else if (char === "`") scanTemplate(scanner);
    else if (char === "/" && startsRegex(scanner.out)) blank(scanner, endOfRegex(scanner));
    else {
      if (char === "{") depth++;
      if (char === "}" && depth-- === 0 && inTemplate) return blank(scanner, scanner.at + 1);
      scanner.out += char;
      scanner.at++;
    }
  }
}

function scanTemplate(scanner: Scanner): void {
  blank(scanner, scanner.at + 1, scanner.keep);
  while (scanner.at < scanner.text.length) {
    const rest = scanner.text.slice(scanner.at, scanner.at + 2);
    if (rest[0] === "`") return blank(scanner, scanner.at + 1, scanner.keep);
    if (rest[0] === "\\") blank(scanner, scanner.at + 2, scanner.keep);
    else if (rest === "${") {
      blank(scanner, scanner.at + 2);
      scanCode(scanner, true);
    } else blank(scanner, scanner.at + 1, scanner.keep);
  }
}

function endOf({ text, at }: Scanner, mark: string, length: number): number {
  const end = text.indexOf(mark, at + length);
  return end < 0 ? text.length : end + length;
}

function endOfString({ text, at }: Scanner, quote: string): number {
  let end = at + 1;
  while (end < text.length && text[end] !== quote && text[end] !== "\n") {
    end += text[end] === "\\" ? 2 : 1;
  }
  return end + 1;
}

function endOfRegex({ text, at }: Scanner): number {
  let inClass = false;
  let end = at + 1;
  while (end < text.length && text[end] !== "\n") {
    if (text[end] === "\\") end++;
    else if (text[end] === "[") inClass = true;
    else if (text[end] === "]") inClass = false;
    else if (text[end] === "/" && !inClass) break;
    end++;
  }
  return end + 1;
}

/** Whether a slash behind this code begins a regular expression and does not divide. */
function startsRegex(before: string): boolean {
  const last = before.trimEnd();
  return last === "" || /[(,=:[!&|?{};+\-*%<>~^]$/.test(last) ||
    /(^|[^\w$.])(return|typeof|case|in|of|do|else|void|delete|throw|new|await|yield)$/.test(last);
}

const importForms = [
  /(?:^|[;}\s])(?:import|export)\s+(?:type\s+)?[\w$*{][^;"'`]*?\sfrom\s*(["'])([^"'\n]+)\1/g,
  /(?:^|[;}\s])import\s*(["'])([^"'\n]+)\1/g,
  /(?<![\w$.])import\s*\(\s*(["'])([^"'\n]+)\1/g,
];

/** How a worker is named: a module that nothing imports, though it is part of the program. */
const workerForm =
  /(?<![\w$.])new\s+URL\s*\(\s*(["'])(\.[^"'\n]*\.ts)\1\s*,\s*import\.meta\.url\s*,?\s*\)/g;

/**
 * Every import of a module: static, of a type, re-export, `import("...")`, types included, and
 * {@linkcode workersIn} it.
 */
export function importsOf(text: string): Import[] {
  return matchesIn(text, [...importForms, workerForm]);
}

/** The modules that a module starts as workers: `new URL("./a.ts", import.meta.url)`. */
export function workersIn(text: string): Import[] {
  return matchesIn(text, [workerForm]);
}

function matchesIn(text: string, forms: readonly RegExp[]): Import[] {
  const code = bareCode(text, { keepStrings: true });
  const outsideStrings = bareCode(text);
  const found: Import[] = [];
  for (const form of forms) {
    for (const match of code.matchAll(form)) {
      if (form === workerForm && !outsideStrings.startsWith("new", match.index)) continue;
      const upTo = code.slice(0, match.index + match[0].length);
      found.push({ specifier: match[2] ?? "", line: upTo.split("\n").length });
    }
  }
  return found.sort((a, b) => a.line - b.line);
}
