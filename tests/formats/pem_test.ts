import assert from "node:assert/strict";
import { troubleWithAuthorities, troubleWithChain, troubleWithKey } from "../../lib/formats/pem.ts";

/** Runs openssl in a folder of its own and gives the files that it made. */
async function made(commands: readonly string[]): Promise<Record<string, string>> {
  const cwd = await Deno.makeTempDir({ prefix: "sluice-pem-" });
  for (const command of commands) {
    const { success, stderr } = await new Deno.Command("openssl", { args: command.split(" "), cwd })
      .output();
    assert.ok(success, `openssl ${command}: ${new TextDecoder().decode(stderr)}`);
  }
  const files: Record<string, string> = {};
  for await (const { name } of Deno.readDir(cwd)) {
    files[name] = await Deno.readTextFile(`${cwd}/${name}`);
  }
  await Deno.remove(cwd, { recursive: true });
  return files;
}

const files = await made([
  "req -x509 -newkey rsa:2048 -nodes -keyout rsa-key -subj /CN=rsa -out rsa",
  "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ec-key",
  "req -x509 -key ec-key -subj /CN=ec -out ec",
  "genpkey -algorithm ed25519 -out ed-key",
  "req -x509 -key ed-key -subj /CN=ed -out ed",
  "rsa -in rsa-key -traditional -out rsa-key-1",
  "rsa -in rsa-key -traditional -aes128 -passout pass:x -out rsa-key-1-encrypted",
  "pkcs8 -topk8 -in rsa-key -passout pass:x -out rsa-key-8-encrypted",
]);
const pem = (name: string) => files[name] ?? assert.fail(name);

const damaged = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
const rsa = pem("rsa");

const chains: [what: string, text: string, trouble: string | undefined][] = [
  ["one certificate", rsa, undefined],
  ["several, with words between them", `# first\n${rsa}\n# then\n${pem("ec")}`, undefined],
  ["lines that end as on Windows", rsa.replaceAll("\n", "\r\n"), undefined],
  ["nothing", "", "holds no certificate in PEM"],
  ["something else", "<html>not found</html>", "holds no certificate in PEM"],
  ["a key", pem("rsa-key"), "holds no certificate in PEM"],
  ["a cut certificate", rsa.slice(0, 400), "holds no certificate in PEM"],
  ["a damaged one", damaged, "holds a certificate that cannot be read, number 1"],
  ["a damaged one behind", rsa + damaged, "holds a certificate that cannot be read, number 2"],
];

for (const [what, text, trouble] of chains) {
  Deno.test(`a chain of ${what}: ${trouble ?? "is sound"}`, () => {
    assert.equal(troubleWithChain(text), trouble);
  });
}

Deno.test("authorities are usable when one of them can be read", () => {
  assert.equal(troubleWithAuthorities(damaged + rsa), undefined);
  assert.equal(troubleWithAuthorities(damaged), "holds no certificate that can be read");
  assert.equal(troubleWithAuthorities("x"), "holds no certificate in PEM");
});

const alien = "does not belong to the certificate; give the key that it was made with";
const encrypted = "is encrypted; give a key without a passphrase";
const keys: [key: string, chain: string, trouble: string | undefined][] = [
  ["rsa-key", "rsa", undefined],
  ["rsa-key-1", "rsa", undefined],
  ["ec-key", "ec", undefined],
  ["ed-key", "ed", undefined],
  ["ec-key", "rsa", alien],
  ["rsa-key", "ec", alien],
  ["rsa-key-1-encrypted", "rsa", encrypted],
  ["rsa-key-8-encrypted", "rsa", encrypted],
  ["rsa", "rsa", "holds no private key in PEM"],
];

for (const [key, chain, trouble] of keys) {
  Deno.test(`key ${key} of certificate ${chain}: ${trouble ?? "is sound"}`, () => {
    assert.equal(troubleWithKey(pem(key), pem(chain)), trouble);
  });
}

Deno.test("a damaged key, and one that belongs to a later certificate of the chain, are refused", () => {
  const cut = pem("rsa-key").replace(/\n.{64}\n/, "\n");
  assert.equal(troubleWithKey(cut, rsa), "holds a private key that cannot be read");
  assert.equal(troubleWithKey(pem("ec-key"), rsa + pem("ec")), alien);
});
