/** A folder with files, removed at the end of its scope. */
export class TempFiles implements AsyncDisposable {
  private constructor(readonly folder: string) {}

  /** Makes the folder and these files in it, by name. */
  static async of(files: Readonly<Record<string, string | Uint8Array>> = {}): Promise<TempFiles> {
    const made = new TempFiles(await Deno.makeTempDir({ prefix: "sluice-test-" }));
    for (const [name, content] of Object.entries(files)) await made.write(name, content);
    return made;
  }

  path(name: string): string {
    return `${this.folder}/${name}`;
  }

  async write(name: string, content: string | Uint8Array): Promise<string> {
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    await Deno.writeFile(this.path(name), bytes);
    return this.path(name);
  }

  /** The names of what is in the folder now, in order. */
  async names(): Promise<string[]> {
    return (await Array.fromAsync(Deno.readDir(this.folder))).map(({ name }) => name).sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.folder, { recursive: true });
  }
}
