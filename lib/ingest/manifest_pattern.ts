/** What Java's expressions have and these have not, or read as something else without a word. */
const onlyJava =
  /\\[QEAzZGhHRX]|\\p\{(?:Alpha|Digit|Alnum|Lower|Upper|Punct|Space|java)|\(\?>|[*+?}]\+|&&/;

/**
 * Compiles a `data-pattern`, an expression of Java as the predecessor has it, to one that matches as a
 * whole. `(?i)` at its beginning is understood.
 *
 * @returns what is wrong with it, as a text, when it cannot be read.
 */
export function readDataPattern(pattern: string): RegExp | string {
  const [, flags = "", rest = pattern] = /^\(\?([is]{1,2})\)(.*)$/s.exec(pattern) ?? [];
  const foreign = onlyJava.exec(rest.replaceAll("\\\\", "  "));
  if (foreign) return `"${foreign[0]}" is Java's alone: write it otherwise`;
  try {
    return new RegExp(`^(?:${rest})$`, flags);
  } catch (thrown) {
    return thrown instanceof Error ? thrown.message.replace(/^[^:]*:\s*/, "") : String(thrown);
  }
}
