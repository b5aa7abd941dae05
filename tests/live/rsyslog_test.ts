import assert from "node:assert/strict";
import { makeCertificates } from "../support/certificates.ts";
import { numberedLines } from "../support/numbered_lines.ts";
import { compareLines, describeComparison } from "../support/oracle.ts";
import { freePort } from "../support/ports.ts";
import { type RsyslogSender, startRsyslog, startRsyslogSender } from "../support/rsyslog.ts";
import { eventually } from "../support/waiting.ts";

const inputs: Record<RsyslogSender["protocol"], (port: number, tls: Tls) => string> = {
  "tcp": (port) => `module(load="imtcp")\ninput(type="imtcp" port="${port}" ruleset="file")`,
  "tls": (port, { ca, cert, key }) =>
    `module(load="imtcp" StreamDriver.Name="gtls" StreamDriver.Mode="1"
  StreamDriver.AuthMode="anon")
global(DefaultNetstreamDriverCAFile="${ca}" DefaultNetstreamDriverCertFile="${cert}"
  DefaultNetstreamDriverKeyFile="${key}")
input(type="imtcp" port="${port}" ruleset="file")`,
  "relp": (port) => `module(load="imrelp" ruleset="file")\ninput(type="imrelp" port="${port}")`,
  "relp+tls": (port, { ca, cert, key }) =>
    `module(load="imrelp" ruleset="file")
input(type="imrelp" port="${port}" tls="on" tls.caCert="${ca}" tls.myCert="${cert}"
  tls.myPrivKey="${key}" tls.authMode="certvalid")`,
};

interface Tls {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

for (const protocol of Object.keys(inputs) as RsyslogSender["protocol"][]) {
  Deno.test(`The rsyslog sender hands every line over, unaltered, by ${protocol}`, async () => {
    const folder = await Deno.makeTempDir({ prefix: "sluice-rsyslog-test-" });
    const set = await makeCertificates(folder);
    const port = freePort();
    const tls = { ca: set.ca, cert: set.serverCert, key: set.serverKey };
    const file = `${folder}/received`;
    await using _receiver = await startRsyslog(
      `${inputs[protocol](port, tls)}
ruleset(name="file") { action(type="omfile" file="${file}" template="rawline") }
ruleset(name="out") { stop }\n`,
    );
    await using sender = await startRsyslogSender({
      protocol,
      port,
      ca: set.ca,
      cert: set.clientCert,
      key: set.clientKey,
    });
    const lines = [...numberedLines(5_000)];
    await sender.inject(lines);
    const received = await eventually(`5,000 lines by ${protocol}`, async () => {
      const text = await Deno.readTextFile(file).catch(() => "");
      const some = text.trimEnd().split("\n");
      return some.length >= lines.length && some;
    });
    const found = compareLines(lines, received);
    assert.equal(found.lost.length + found.altered.length, 0, describeComparison(found));
    assert.equal(found.foreign.length + found.orderBreaks, 0, describeComparison(found));
    await Deno.remove(folder, { recursive: true });
  });
}
