/** Paths of PEM files: an authority, what it has signed, and an authority that nobody knows. */
export interface CertificateSet {
  readonly folder: string;
  readonly ca: string;
  /** For localhost and 127.0.0.1. */
  readonly serverCert: string;
  readonly serverKey: string;
  /** CN=client, signed by the same authority. */
  readonly clientCert: string;
  readonly clientKey: string;
  /** An authority that has signed none of these. */
  readonly wrongCa: string;
  /** CN=client, signed by the wrong authority. */
  readonly wrongClientCert: string;
  readonly wrongClientKey: string;
}

/** Makes a set of certificates, valid for two days, in an existing folder by the openssl command. */
export async function makeCertificates(folder: string): Promise<CertificateSet> {
  const path = (name: string) => `${folder}/${name}.pem`;
  await authority(folder, "ca", "Test authority");
  await authority(folder, "wrong-ca", "Unknown authority");
  await sign(folder, "ca", "server", "localhost");
  await sign(folder, "ca", "client", "client");
  await sign(folder, "wrong-ca", "wrong-client", "client");
  return {
    folder,
    ca: path("ca"),
    serverCert: path("server"),
    serverKey: path("server-key"),
    clientCert: path("client"),
    clientKey: path("client-key"),
    wrongCa: path("wrong-ca"),
    wrongClientCert: path("wrong-client"),
    wrongClientKey: path("wrong-client-key"),
  };
}

/**
 * Signs one more certificate `NAME.pem` with its key `NAME-key.pem`, or makes an existing one anew:
 * what an operator does before SIGHUP.
 */
export async function sign(
  folder: string,
  ca: string,
  name: string,
  commonName: string,
): Promise<void> {
  await openssl(folder, ...newKey(name), "-subj", `/CN=${commonName}`, "-out", `${name}.csr`);
  await Deno.writeTextFile(
    `${folder}/${name}.ext`,
    "subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n",
  );
  await openssl(
    folder,
    ...["x509", "-req", "-in", `${name}.csr`, "-days", "2", "-extfile", `${name}.ext`],
    ...["-CA", `${ca}.pem`, "-CAkey", `${ca}-key.pem`, "-CAcreateserial", "-out", `${name}.pem`],
  );
}

async function authority(folder: string, name: string, commonName: string): Promise<void> {
  await openssl(
    folder,
    ...[...newKey(name), "-x509", "-days", "2", "-subj", `/CN=${commonName}`],
    ...["-out", `${name}.pem`],
  );
}

/** A key as PKCS #8, the only form that Kafka reads. */
function newKey(name: string): string[] {
  return ["req", "-newkey", "rsa:2048", "-nodes", "-keyout", `${name}-key.pem`];
}

async function openssl(folder: string, ...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("openssl", { args, cwd: folder }).output();
  if (success) return;
  throw new Error(
    `Cannot make a certificate: openssl ${args[0]}: ${new TextDecoder().decode(stderr)}`,
  );
}
