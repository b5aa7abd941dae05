import { bareCode } from "./imports.ts";

/** One function, method or arrow function with a body in braces. */
export interface FunctionSpan {
  readonly name: string;
  /** The line of its opening. */
  readonly line: number;
  readonly lines: number;
}

// Braces behind these words are no function's: a condition looks like a parameter list.
const statements = /^(if|for|while|switch|catch|with|do|else|try|finally|return)$/;

/** The functions of a module, inner ones too, by a scan that knows braces and no more. */
export function functionsOf(text: string): FunctionSpan[] {
  const code = bareCode(text);
  const found: FunctionSpan[] = [];
  const open: (Omit<FunctionSpan, "lines"> | undefined)[] = [];
  let line = 1;
  let statementAt = 0;
  for (let at = 0; at < code.length; at++) {
    const char = code[at];
    if (char === "\n") line++;
    if (char === "{") {
      const head = code.slice(statementAt, at);
      const name = nameOf(head);
      const begun = line - (head.trimStart().split("\n").length - 1);
      open.push(name === undefined ? undefined : { name, line: begun });
    }
    if (char === "}") {
      const span = open.pop();
      if (span) found.push({ ...span, lines: line - span.line + 1 });
    }
    if (char === "{" || char === "}" || char === ";") statementAt = at + 1;
  }
  return found.sort((a, b) => a.line - b.line);
}

/** The name of the function whose body opens behind this text; undefined when none does. */
function nameOf(head: string): string | undefined {
  const text = head.trimEnd();
  const declared = /\bfunction\b\s*\*?\s*([\w$]*)[^]*\)[^)]*$/.exec(text);
  if (declared) return declared[1] || "a function";
  if (text.endsWith("=>")) {
    return /\b(?:const|let)\s+([\w$]+)[^]*=>$/.exec(text)?.[1] ?? "an arrow function";
  }
  // A method: NAME(PARAMETERS): TYPE, at the end of a class member.
  const method = /(?:^|\s)([#\w$]+)\s*(?:<[^()]*>)?\s*\([^]*\)\s*(?::[^=;]*)?$/.exec(text);
  const name = method?.[1];
  return name === undefined || statements.test(name) ? undefined : name;
}
