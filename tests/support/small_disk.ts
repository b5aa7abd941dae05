import { runCommand } from "./processes.ts";

/** A file system in memory that is full soon; only root can make one, and not in every container. */
export class SmallDisk implements AsyncDisposable {
  private constructor(readonly folder: string) {}

  /** Mounts one of so many bytes; null where that is not allowed. */
  static async mount(bytes: number): Promise<SmallDisk | null> {
    const folder = await Deno.makeTempDir({ prefix: "sluice-disk-" });
    const { success } = await runCommand([
      ...["mount", "-t", "tmpfs", "-o", `size=${bytes},mode=0700`, "sluice-test", folder],
    ]).catch(() => ({ success: false }));
    if (success) return new SmallDisk(folder);
    await Deno.remove(folder);
    return null;
  }

  /** Gives it another size; what is on it stays. */
  async resize(bytes: number): Promise<void> {
    const { success, text } = await runCommand([
      ...["mount", "-o", `remount,size=${bytes}`, this.folder],
    ]);
    if (!success) throw new Error(`Cannot resize ${this.folder}: ${text.trim()}`);
  }

  /** Fills what is free with a file of this name. */
  async fill(name: string): Promise<void> {
    using file = await Deno.open(`${this.folder}/${name}`, { write: true, create: true });
    const bytes = new Uint8Array(64 * 1024);
    try {
      while (true) await file.write(bytes);
    } catch {
      // Full: what was wanted.
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Lazily: whatever still has a file open there keeps it and nobody else.
    await runCommand(["umount", "-l", this.folder]);
    await Deno.remove(this.folder, { recursive: true });
  }
}

/** Whether the machine lets us mount one. */
export async function canMount(): Promise<boolean> {
  await using disk = await SmallDisk.mount(65_536);
  return disk !== null;
}
