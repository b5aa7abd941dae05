/** The TypeScript files in a folder and in those inside it, or the file itself; none if it is not there. */
export async function* sourcesUnder(path: string): AsyncGenerator<string> {
  const stat = await Deno.stat(path).catch(() => undefined);
  if (stat?.isFile && path.endsWith(".ts")) yield path;
  if (!stat?.isDirectory) return;
  for await (const { name } of Deno.readDir(path)) yield* sourcesUnder(`${path}/${name}`);
}
