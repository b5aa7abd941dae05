// deno-lint-ignore-file no-console -- a script speaks to a person
/** `deno task kernel`: makes lib/formats/kernel.wasm of kernel.wat. */
import wabt from "wabt";

const folder = new URL("../lib/formats/", import.meta.url);

/** The module that the text of the kernel stands for. */
export async function assembleKernel(): Promise<Uint8Array> {
  const { parseWat } = await wabt();
  const text = await Deno.readTextFile(new URL("kernel.wat", folder));
  const module = parseWat("kernel.wat", text, { simd: true });
  try {
    module.validate();
    return module.toBinary({}).buffer;
  } finally {
    module.destroy();
  }
}

if (import.meta.main) {
  const bytes = await assembleKernel();
  await Deno.writeFile(new URL("kernel.wasm", folder), bytes);
  console.log(`lib/formats/kernel.wasm: ${bytes.length} bytes`);
}
