import { SluiceError } from "../../core/errors.ts";

/**
 * Makes sure that no other process has the folder's database open: two engines on one folder destroy
 * it. The lock is on `FOLDER.lock` beside it, and ends with the process, however that ends.
 *
 * @returns ends the lock.
 * @throws {SluiceError} `permanent` when another process, or this one, has it open.
 */
export async function lockFolder(action: string, folder: string): Promise<() => void> {
  const path = `${folder.replace(/\/+$/, "")}.lock`;
  let file: Deno.FsFile;
  try {
    const parent = path.includes("/") ? path.slice(0, path.lastIndexOf("/") + 1) : ".";
    await Deno.mkdir(parent, { recursive: true });
    file = await Deno.open(path, { read: true, write: true, create: true });
  } catch (thrown) {
    const detail = `its lock ${path} cannot be made; correct the folder or its rights`;
    const isDenied = thrown instanceof Deno.errors.PermissionDenied;
    throw new SluiceError(action, isDenied ? "denied" : "permanent", detail, { cause: thrown });
  }
  if (await file.tryLock(true)) return () => file.close();
  file.close();
  const detail = "another process has it open, and there can be only one; end that one first";
  throw new SluiceError(action, "permanent", detail);
}
