/**
 * All files below a folder, by their paths from there, in order.
 *
 * @param passedOver the name of folders that are not looked into.
 */
export async function filesBelow(
  folder: string,
  passedOver?: string,
  prefix = "",
): Promise<string[]> {
  const paths: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(`${folder}/${prefix}`)) {
    if (name === passedOver) continue;
    if (isDirectory) paths.push(...await filesBelow(folder, passedOver, `${prefix}${name}/`));
    else paths.push(`${prefix}${name}`);
  }
  return paths.sort();
}
