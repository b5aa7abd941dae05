import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";

/**
 * What is wrong with a text that should hold certificates in PEM (RFC 7468), in words that follow
 * "it"; undefined when at least one can be read. The TLS library takes any text and fails only when
 * somebody connects.
 */
export function troubleWithAuthorities(text: string): string | undefined {
  const blocks = blocksIn(text);
  if (blocks.length === 0) return "holds no certificate in PEM";
  return blocks.some((block) => certificateOf(block) !== null)
    ? undefined
    : "holds no certificate that can be read";
}

/** Like {@linkcode troubleWithAuthorities} for an own chain: each certificate of it must be sound. */
export function troubleWithChain(text: string): string | undefined {
  const blocks = blocksIn(text);
  if (blocks.length === 0) return "holds no certificate in PEM";
  const bad = blocks.findIndex((block) => certificateOf(block) === null);
  return bad < 0 ? undefined : `holds a certificate that cannot be read, number ${bad + 1}`;
}

/** What is wrong with a text that should hold the private key of a sound chain, in PEM. */
export function troubleWithKey(text: string, chain: string): string | undefined {
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) return "holds no private key in PEM";
  if (/ENCRYPTED/.test(text)) return "is encrypted; give a key without a passphrase";
  const key = keyOf(text);
  if (key === null) return "holds a private key that cannot be read";
  const certificate = certificateOf(blocksIn(chain)[0] ?? "");
  return certificate?.checkPrivateKey(key)
    ? undefined
    : "does not belong to the certificate; give the key that it was made with";
}

function blocksIn(text: string): string[] {
  return text.match(/-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----/gs) ?? [];
}

function certificateOf(block: string): X509Certificate | null {
  try {
    return new X509Certificate(block);
  } catch {
    return null;
  }
}

function keyOf(text: string): KeyObject | null {
  try {
    return createPrivateKey(text);
  } catch {
    return null;
  }
}
