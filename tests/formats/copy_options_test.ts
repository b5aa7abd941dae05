import assert from "node:assert/strict";
import fc from "fast-check";
import { type CopyOptions, parseCopyOptions } from "../../lib/formats/copy_options.ts";
import { isoOf, readTimePattern } from "../../lib/formats/time_pattern.ts";

const defaults: CopyOptions = {
  format: "delimited",
  delimiter: "|",
  quote: null,
  escape: false,
  removeQuotes: false,
  nullAs: "\\N",
  ignoreHeader: 0,
  ignoreBlankLines: false,
  compression: "none",
  dateFormat: null,
  timeFormat: null,
  truncateColumns: false,
  blanksAsNull: false,
  emptyAsNull: false,
  trimBlanks: false,
  fillRecord: false,
  roundDecimals: false,
  acceptInvChars: null,
  jsonIgnoresCase: false,
  maxError: 0,
};

const csv = { format: "csv", delimiter: ",", quote: '"' } as const;

const read: [options: string[], said: Partial<CopyOptions>][] = [
  [[], {}],
  [["DELIMITER '\\t'"], { delimiter: "\t" }],
  [["DELIMITER AS '\\001'"], { delimiter: "\x01" }],
  [["delimiter ';'"], { delimiter: ";" }],
  [["DELIMITER", "','"], { delimiter: "," }],
  [["DELIMITER'|'"], {}],
  [["DELIMITER '\\\\'"], { delimiter: "\\" }],
  [["IGNOREHEADER 1"], { ignoreHeader: 1 }],
  [["IGNOREHEADER AS 2"], { ignoreHeader: 2 }],
  [["IGNOREHEADER '3'"], { ignoreHeader: 3 }],
  [["ESCAPE TRIMBLANKS"], { escape: true, trimBlanks: true }],
  [["ESCAPE", "REMOVEQUOTES"], { escape: true, removeQuotes: true }],
  [["NULL AS '\\N'"], {}],
  [["NULL AS '\\\\N'"], {}],
  [["NULL AS ''"], { nullAs: "" }],
  [["null as 'NULL'"], { nullAs: "NULL" }],
  [["NULL AS '\\000'"], { nullAs: "\0" }],
  [["NULL AS 'it''s'"], { nullAs: "it's" }],
  [["GZIP"], { compression: "gzip" }],
  [["ZSTD"], { compression: "zstd" }],
  [["BZIP2"], { compression: "bzip2" }],
  [["CSV"], csv],
  [["FORMAT AS CSV"], csv],
  [["FORMAT CSV DELIMITER ';'"], { ...csv, delimiter: ";" }],
  [["CSV QUOTE AS '%'"], { ...csv, quote: "%" }],
  [["CSV QUOTE AS ''''"], { ...csv, quote: "'" }],
  [["CSV QUOTE AS '\"'"], csv],
  [["JSON 'auto'"], { format: "json" }],
  [["JSON AS 'auto'"], { format: "json" }],
  [["FORMAT JSON"], { format: "json" }],
  [["FORMAT AS JSON 'auto ignorecase'"], { format: "json", jsonIgnoresCase: true }],
  [["DATEFORMAT 'auto'"], { dateFormat: "auto" }],
  [["DATEFORMAT AS 'DD/MM/YYYY'"], { dateFormat: "DD/MM/YYYY" }],
  [["TIMEFORMAT 'epochmillisecs'"], { timeFormat: "epochmillisecs" }],
  [["TIMEFORMAT 'MM.DD.YYYY HH:MI:SS'"], { timeFormat: "MM.DD.YYYY HH:MI:SS" }],
  [["MAXERROR 10"], { maxError: 10 }],
  [["MAXERROR AS 100000"], { maxError: 100_000 }],
  [["COMPUPDATE OFF", "STATUPDATE ON"], {}],
  [["COMPUPDATE", "STATUPDATE"], {}],
  [["COMPUPDATE PRESET GZIP"], { compression: "gzip" }],
  [["COMPROWS 1000000 REGION AS 'eu-west-1' READRATIO 50"], {}],
  [["TRUNCATECOLUMNS BLANKSASNULL EMPTYASNULL FILLRECORD IGNOREBLANKLINES ROUNDEC"], {
    truncateColumns: true,
    blanksAsNull: true,
    emptyAsNull: true,
    fillRecord: true,
    ignoreBlankLines: true,
    roundDecimals: true,
  }],
  [["ACCEPTINVCHARS"], { acceptInvChars: "?" }],
  [["ACCEPTINVCHARS AS '^'"], { acceptInvChars: "^" }],
  [["ACCEPTINVCHARS '^' GZIP"], { acceptInvChars: "^", compression: "gzip" }],
  [["ENCODING UTF8"], {}],
  [["ENCODING AS utf-8"], {}],
];

for (const [options, said] of read) {
  Deno.test(`parseCopyOptions() reads ${JSON.stringify(options)}`, () => {
    assert.deepEqual(parseCopyOptions(options), { ...defaults, ...said });
  });
}

const refused: [options: string[], message: RegExp][] = [
  [["GZIPP"], /unknown option GZIPP: write GZIP/],
  [["IGNOREHEADERS 1"], /unknown option IGNOREHEADERS: write IGNOREHEADER/],
  [["constructor"], /unknown option CONSTRUCTOR/],
  [["IGNOREHEADER"], /cannot use IGNOREHEADER "": give a whole number from 0/],
  [["IGNOREHEADER -1"], /cannot use IGNOREHEADER "-1"/],
  [["MAXERROR 100001"], /cannot use MAXERROR "100001": give a whole number from 0 to 100000/],
  [["DELIMITER"], /cannot use DELIMITER without a value/],
  [["DELIMITER ''"], /cannot use DELIMITER '': give one ASCII character/],
  [["DELIMITER '|~|'"], /cannot use DELIMITER '\|~\|': give one ASCII character/],
  [["DELIMITER 'é'"], /cannot use DELIMITER 'é'/],
  [["DELIMITER '\\n'"], /cannot use DELIMITER/],
  [["DELIMITER 'x"], /a literal after DELIMITER does not end/],
  [["GZIP GZIP"], /cannot use GZIP twice/],
  [["GZIP ZSTD"], /cannot use ZSTD with GZIP: a file has one compression/],
  [["CSV JSON 'auto'"], /cannot use JSON with CSV: a file has one format/],
  [["CSV ESCAPE"], /cannot use ESCAPE with CSV/],
  [["CSV REMOVEQUOTES"], /cannot use REMOVEQUOTES with CSV/],
  [["QUOTE '%'"], /cannot use QUOTE without CSV: add CSV/],
  [["CSV QUOTE ','"], /cannot use QUOTE that is the delimiter too/],
  [["JSON 'auto' DELIMITER ','"], /cannot use DELIMITER with JSON/],
  [["ESCAPE DELIMITER '\\\\'"], /cannot use DELIMITER '\\' with ESCAPE/],
  [["JSON 's3://bucket/paths.json'"], /cannot use JSON with a jsonpaths file on PostgreSQL: only/],
  [["JSON 'noshred'"], /cannot use JSON with noshred on PostgreSQL/],
  [["FORMAT XML"], /cannot use FORMAT XML: give CSV, JSON, PARQUET/],
  [["FORMAT PARQUET"], /cannot use PARQUET on PostgreSQL: only Redshift honours it/],
  [["FIXEDWIDTH 'a:3'"], /cannot use FIXEDWIDTH on PostgreSQL/],
  [["LZOP"], /cannot use LZOP on PostgreSQL/],
  [["ENCODING UTF16LE"], /cannot use ENCODING UTF16LE on PostgreSQL: .* give files in UTF-8/],
  [["ACCEPTANYDATE"], /cannot use ACCEPTANYDATE on PostgreSQL/],
  [["EXPLICIT_IDS"], /cannot use EXPLICIT_IDS on PostgreSQL/],
  [["IGNOREALLERRORS"], /cannot use IGNOREALLERRORS on PostgreSQL/],
  [["MANIFEST"], /cannot use MANIFEST in a manifest: sluice lists the files/],
  [["NOLOAD"], /cannot use NOLOAD in a manifest: run sluice ingest --dry-run/],
  [["IAM_ROLE 'arn:aws:iam::1:role/r'"], /cannot use IAM_ROLE in a manifest/],
  [["DATEFORMAT 'DD.MM.'"], /cannot use DATEFORMAT 'DD.MM.': YYYY is missing/],
  [["DATEFORMAT 'epochsecs'"], /cannot use DATEFORMAT 'epochsecs': "epochsecs" is no element/],
  [["TIMEFORMAT 'YYYY-MM-DD HH12:MI'"], /: AM behind HH12 is missing/],
  [["TIMEFORMAT 'YYYY-MM-DD MM'"], /: MM stands twice/],
  [["'surprise'"], /a literal stands behind no option/],
];

for (const [options, message] of refused) {
  Deno.test(`parseCopyOptions() refuses ${JSON.stringify(options)}`, () => {
    assert.throws(() => parseCopyOptions(options), { fault: "usage", message });
  });
}

const onlyOnRedshift = [
  "FORMAT AS PARQUET",
  "FIXEDWIDTH 'a:3'",
  "JSON 's3://bucket/paths.json'",
  "LZOP",
  "ACCEPTANYDATE DATEFORMAT 'YYYY-DD'",
  "DELIMITER '|~|'",
  "ENCODING UTF16",
  "ENCRYPTED MASTER_SYMMETRIC_KEY 'abc'",
];

for (const options of onlyOnRedshift) {
  Deno.test(`parseCopyOptions() takes ${options} for Redshift only`, () => {
    parseCopyOptions([options], "redshift");
    assert.throws(() => parseCopyOptions([options], "postgres"), { fault: "usage" });
  });
}

Deno.test("parseCopyOptions() never tells a key that was given", () => {
  const key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
  const wrong = [
    `CREDENTIALS 'aws_access_key_id=AKIA;aws_secret_access_key=${key}'`,
    `SECRET_ACCESS_KEY '${key}'`,
    `SECRET_ACCESS_KEY ${key}`,
    `SECRET_ACCESS_KEY '${key}`,
    `'${key}'`,
    key,
  ];
  for (const target of ["postgres", "redshift"] as const) {
    for (const option of wrong) {
      assert.throws(() => parseCopyOptions([option], target), (thrown: Error) => {
        assert.ok(!thrown.message.includes(key) && !thrown.message.includes(key.toUpperCase()));
        return true;
      });
    }
  }
});

Deno.test("parseCopyOptions() reads any literal as it was quoted", () => {
  fc.assert(fc.property(fc.string(), (text) => {
    const quoted = text.replace(/[\\']/g, "\\$&");
    assert.equal(parseCopyOptions([`NULL AS '${quoted}'`, "GZIP"]).nullAs, text);
  }));
});

const dates: [pattern: string, text: string, iso: string | undefined][] = [
  ["YYYY-MM-DD", "2024-02-03", "2024-02-03"],
  ["DD/MM/YYYY", "3/2/2024", "2024-02-03"],
  ["MM-DD-YYYY", "02-03-2024", "2024-02-03"],
  ["YYYYMMDD", "20240203", "2024-02-03"],
  ["YYYYMMDD", "2024023", undefined],
  ["DD.MM.YY", "03.02.69", "2069-02-03"],
  ["DD.MM.YY", "03.02.70", "1970-02-03"],
  ["DD-MON-YYYY", "03-feb-2024", "2024-02-03"],
  ["MONTH DD, YYYY", "February 3, 2024", "2024-02-03"],
  ["DD-MON-YYYY", "03-foo-2024", undefined],
  ["DD/MM/YYYY", "2024-02-03", undefined],
  ["YYYY-MM-DD HH:MI:SS", "2024-02-03 04:05:06", "2024-02-03"],
];

for (const [pattern, text, iso] of dates) {
  Deno.test(`isoOf() reads ${text} by ${pattern}`, () => {
    const read = readTimePattern(pattern);
    assert.ok(typeof read !== "string", String(read));
    assert.equal(isoOf(text, read, false), iso);
  });
}

const times: [pattern: string, text: string, iso: string | undefined][] = [
  ["YYYY-MM-DD HH:MI:SS", "2024-02-03 04:05:06", "2024-02-03 04:05:06"],
  ["YYYY-MM-DD HH:MI:SS", "2024-02-03 04:05:06.789", "2024-02-03 04:05:06.789"],
  ["YYYY-MM-DDTHH:MI:SS", "2024-02-03T14:05:06", "2024-02-03 14:05:06"],
  ["MM.DD.YYYY HH24:MI", "02.03.2024 23:05", "2024-02-03 23:05:00"],
  ["YYYY-MM-DD HH12:MI:SS AM", "2024-02-03 12:05:06 am", "2024-02-03 00:05:06"],
  ["YYYY-MM-DD HH12:MI:SS PM", "2024-02-03 01:05:06 PM", "2024-02-03 13:05:06"],
  ["YYYYMMDDHHMISS", "20240203040506", "2024-02-03 04:05:06"],
  ["YYYY-MM-DD", "2024-02-03", "2024-02-03 00:00:00"],
  ["YYYY-MM-DD HH:MI:SS", "2024-02-03", undefined],
];

for (const [pattern, text, iso] of times) {
  Deno.test(`isoOf() reads the time ${text} by ${pattern}`, () => {
    const read = readTimePattern(pattern);
    assert.ok(typeof read !== "string", String(read));
    assert.equal(isoOf(text, read, true), iso);
  });
}
