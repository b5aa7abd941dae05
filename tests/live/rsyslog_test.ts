import assert from "node:assert/strict";
import { type CertificateSet, makeCertificates } from "../support/certificates.ts";
import { numberedLines } from "../support/numbered_lines.ts";
import { compareLines, describeComparison } from "../support/oracle.ts";
import { freePort } from "../support/ports.ts";
import { Rsyslog, type RsyslogPlan } from "../support/rsyslog.ts";
import { eventually } from "../support/waiting.ts";

type Protocol = RsyslogPlan["protocol"];

/** The receiving rsyslog's input; what it gets goes to the ruleset `file`. */
const inputs: Record<Protocol, (port: number, set: CertificateSet) => string> = {
  "tcp": (port) => `module(load="imtcp")\ninput(type="imtcp" port="${port}" ruleset="file")`,
  "tls": (port, { ca, serverCert, serverKey }) =>
    `global(defaultNetstreamDriverCAFile="${ca}" defaultNetstreamDriverCertFile="${serverCert}"
  defaultNetstreamDriverKeyFile="${serverKey}")
module(load="imtcp" streamDriver.name="gtls" streamDriver.mode="1" streamDriver.authMode="anon")
input(type="imtcp" port="${port}" ruleset="file")`,
  "relp": (port) => `module(load="imrelp" ruleset="file")\ninput(type="imrelp" port="${port}")`,
  "relp+tls": (port, { ca, serverCert, serverKey }) =>
    `module(load="imrelp" ruleset="file")
input(type="imrelp" port="${port}" tls="on" tls.caCert="${ca}" tls.myCert="${serverCert}"
  tls.myPrivKey="${serverKey}" tls.authMode="certvalid")`,
};

for (const protocol of Object.keys(inputs) as Protocol[]) {
  Deno.test(`The rsyslog sender hands every line over, unaltered, by ${protocol}`, async () => {
    const folder = await Deno.makeTempDir({ prefix: "sluice-rsyslog-test-" });
    const certificates = await makeCertificates(folder);
    const port = freePort();
    const file = `${folder}/received`;
    await using _receiver = await Rsyslog.run(
      port,
      () =>
        `template(name="line" type="string" string="%rawmsg%\\n")
${inputs[protocol](port, certificates)}
ruleset(name="file") { action(type="omfile" file="${file}" template="line") }\n`,
    );
    await using sender = await Rsyslog.start({ protocol, port, certificates });
    const lines = [...numberedLines(5_000)];
    await sender.inject(lines);
    const received = await eventually(`5,000 lines by ${protocol}`, async () => {
      const text = await Deno.readTextFile(file).catch(() => "");
      // Behind the last line feed there is nothing, or what is being written: pages, not lines.
      const some = text.split("\n").slice(0, -1);
      return some.length >= lines.length && some;
    });
    const found = compareLines(lines, received);
    assert.equal(found.lost.length + found.altered.length, 0, describeComparison(found));
    assert.equal(found.foreign.length + found.orderBreaks, 0, describeComparison(found));
    await Deno.remove(folder, { recursive: true });
  });
}
