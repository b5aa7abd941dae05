/** Types by their numbers as PostgreSQL and Redshift have them built in: "NUMBER NAME NUMBER NAME". */
const builtIn = [
  "16 bool 17 bytea 18 char 19 name 20 int8 21 int2 23 int4 25 text 26 oid 27 tid 28 xid",
  "114 json 142 xml 143 _xml 199 _json 271 _xid8 600 point 601 lseg 602 path 603 box",
  "604 polygon 628 line 629 _line 650 cidr 651 _cidr 700 float4 701 float8 705 unknown",
  "718 circle 719 _circle 774 macaddr8 775 _macaddr8 790 money 791 _money 829 macaddr",
  "869 inet 1000 _bool 1001 _bytea 1002 _char 1003 _name 1005 _int2 1007 _int4 1009 _text",
  "1011 _xid 1014 _bpchar 1015 _varchar 1016 _int8 1017 _point 1018 _lseg 1019 _path",
  "1020 _box 1021 _float4 1022 _float8 1027 _polygon 1028 _oid 1033 aclitem 1034 _aclitem",
  "1040 _macaddr 1041 _inet 1042 bpchar 1043 varchar 1082 date 1083 time 1114 timestamp",
  "1115 _timestamp 1182 _date 1183 _time 1184 timestamptz 1185 _timestamptz 1186 interval",
  "1187 _interval 1188 intervaly2m 1190 intervald2s 1231 _numeric 1263 _cstring 1266 timetz",
  "1270 _timetz 1560 bit 1561 _bit 1562 varbit 1563 _varbit 1700 numeric 2205 regclass",
  "2206 regtype 2249 record 2278 void 2935 hllsketch 2950 uuid 2951 _uuid 3000 geometry",
  "3001 geography 3614 tsvector 3615 tsquery 3643 _tsvector 3645 _tsquery 3802 jsonb",
  "3807 _jsonb 3904 int4range 3905 _int4range 3906 numrange 3907 _numrange 3908 tsrange",
  "3909 _tsrange 3910 tstzrange 3911 _tstzrange 3912 daterange 3913 _daterange",
  "3926 int8range 3927 _int8range 4000 super 4072 jsonpath 4073 _jsonpath 5069 xid8",
  "6551 varbyte",
].join(" ").split(" ");

const names: ReadonlyMap<number, string> = new Map(
  builtIn.flatMap((word, i) => i % 2 === 0 ? [[Number(word), builtIn[i + 1] ?? ""]] : []),
);

/** The name of a type: `int4`, `_text` for `text[]`; `oid 16412` for one that somebody has made. */
export function typeNameOf(oid: number): string {
  return names.get(oid) ?? `oid ${oid}`;
}
