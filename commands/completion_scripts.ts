/** An option as a shell completes it. */
export interface CompletedOption {
  /** With its dashes. */
  readonly flag: string;
  readonly letter?: string;
  readonly help: string;
  readonly takes: "nothing" | "value" | "folder";
  /** The words it takes; none: any value, maybe a file. */
  readonly words: readonly string[];
}

/** A command as a shell completes it. */
export interface Completed {
  /** Its words: `baldr cat`. */
  readonly name: string;
  readonly summary: string;
  /** The words that may follow it; none: files, or whatever it takes. */
  readonly operands: readonly string[];
  readonly options: readonly CompletedOption[];
}

/** Text between single quotes, for any of the shells. */
function quoted(text: string, escaped = `'\\''`): string {
  return `'${text.replaceAll("'", escaped)}'`;
}

/** The words that may follow these: of none all commands, of `baldr` its own, of a command none. */
function nextWords(
  commands: readonly Completed[],
): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const next = new Map<string, Map<string, string>>([[
    "",
    new Map([["help", "Help on a command"]]),
  ]]);
  for (const { name, summary, operands } of commands) {
    if (operands.length > 0) next.set(name, new Map(operands.map((word) => [word, word])));
    const words = name.split(" ");
    for (const [at, word] of words.entries()) {
      const before = words.slice(0, at).join(" ");
      const known = next.get(before) ?? new Map<string, string>();
      const isWhole = at === words.length - 1;
      if (isWhole || !known.has(word)) known.set(word, isWhole ? summary : `${word} commands`);
      next.set(before, known);
    }
  }
  return next;
}

/** Finds `at`, the words of the command, in the words before the cursor; for bash and zsh alike. */
const findPath = (words: string, nexts: string) =>
  `  local at='' word
  for word in ${words}; do
    [[ $word == help && -z $at ]] && continue
    case "$at/$word" in
${nexts}
      *) break ;;
    esac
  done`;

function pathCases(commands: readonly Completed[]): string {
  const cases: string[] = [];
  for (const [before, words] of nextWords(commands)) {
    for (const word of words.keys()) {
      if (word === "help") continue;
      cases.push(
        `      ${quoted(`${before}/${word}`)}) at=${quoted(`${before} ${word}`.trim())} ;;`,
      );
    }
  }
  return cases.join("\n");
}

/** For bash 4 and newer. */
export function bashScript(commands: readonly Completed[]): string {
  const values: string[] = [];
  const flags: string[] = [];
  for (const { name, options } of commands) {
    for (const { flag, letter, takes, words } of options) {
      // What takes anything else completes files, as all that is not known does.
      if (takes !== "folder" && words.length === 0) continue;
      const names = [flag, ...letter === undefined ? [] : [`-${letter}`]];
      const patterns = names.map((one) => quoted(`${name}/${one}`)).join("|");
      const act = takes === "folder"
        ? "_sluice_files -d"
        : `COMPREPLY=($(compgen -W ${quoted(words.join(" "))} -- "$cur"))`;
      values.push(`    ${patterns}) ${act}; return ;;`);
    }
    const all = options.map(({ flag }) => flag).join(" ");
    flags.push(`    ${quoted(name)}) flags=${quoted(all)} ;;`);
  }
  const nexts = [...nextWords(commands)].map(([before, words]) =>
    `    ${quoted(before)}) nexts=${quoted([...words.keys()].join(" "))} ;;`
  );
  return `# bash completion of sluice; made by: sluice completion bash
# Completes files, -f, or folders, -d, spaces in their names and all.
_sluice_files() {
  local IFS=$'\\n'
  compopt -o filenames 2>/dev/null
  COMPREPLY=($(compgen "$1" -- "$cur"))
}
_sluice() {
  local cur=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]}
  # --flag=value is three words here.
  if [[ $cur == '=' ]]; then cur=''
  elif [[ $before == '=' ]]; then before=\${COMP_WORDS[COMP_CWORD-2]}
  fi
${findPath(`"\${COMP_WORDS[@]:1:COMP_CWORD-1}"`, pathCases(commands))}
  COMPREPLY=()
  case "$at/$before" in
${values.join("\n")}
  esac
  local flags='--help --version' nexts=''
  case "$at" in
${flags.join("\n")}
  esac
  case "$at" in
${nexts.join("\n")}
  esac
  if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "$flags" -- "$cur"))
  elif [[ -n $nexts && $before == "\${at##* }" || -z $at ]]; then
    COMPREPLY=($(compgen -W "$nexts" -- "$cur"))
  else _sluice_files -f
  fi
}
complete -F _sluice sluice
`;
}

/** For zsh 5. */
export function zshScript(commands: readonly Completed[]): string {
  // In a description of _arguments and _describe a colon ends it, and brackets are its own.
  const plain = (text: string) => text.replace(/[[\]\\]/g, "").replaceAll(":", "\\:");
  const spec = ({ flag, letter, help, takes, words }: CompletedOption) => {
    const action = takes === "folder"
      ? "_files -/"
      : words.length > 0
      ? `(${words.join(" ")})`
      : "_files";
    const value = takes === "nothing" ? "" : `:${flag.slice(2)}:${action.replaceAll(":", "\\:")}`;
    const sign = takes === "nothing" ? "" : "=";
    const one = (name: string, join: string) => quoted(`*${name}${join}[${plain(help)}]${value}`);
    return [one(flag, sign), ...letter === undefined ? [] : [one(`-${letter}`, "")]].join(" ");
  };
  const nexts = [...nextWords(commands)].map(([before, words]) => {
    const listed = [...words].map(([word, summary]) => quoted(`${word}:${plain(summary)}`));
    return `    ${quoted(before)}) nexts=(${listed.join(" ")}) ;;`;
  });
  const options = commands.map(({ name, options }) =>
    `    ${quoted(name)}) specs=(${options.map(spec).join(" ")}) ;;`
  );
  return `#compdef sluice
# zsh completion of sluice; made by: sluice completion zsh
_sluice() {
  local -a nexts specs
${findPath(`"\${(@)words[2,CURRENT-1]}"`, pathCases(commands))}
  case "$at" in
${nexts.join("\n")}
  esac
  case "$at" in
${options.join("\n")}
    *) specs=('--help[print help]' '--version[print the version]') ;;
  esac
  if [[ $PREFIX != -* && $#nexts -gt 0 && ( -z $at || \${words[CURRENT-1]} == \${at##* } ) ]]; then
    _describe command nexts
    return
  fi
  _arguments $specs '*: :_files'
}
if [[ $funcstack[1] == _sluice ]]; then _sluice "$@"; else compdef _sluice sluice; fi
`;
}

/** For fish 3. */
export function fishScript(commands: readonly Completed[]): string {
  const text = (words: string) => quoted(words.replaceAll("\\", "\\\\"), "\\'");
  const lines = [
    "# fish completion of sluice; made by: sluice completion fish",
    "function __sluice_at",
    "    set -l words (commandline -opc)[2..-1]",
    '    test "$words[1]" = help; and set -e words[1]',
    "    set -l wanted (string split -n ' ' -- $argv[1])",
    "    set -l count (count $wanted)",
    "    test $count -eq 0; and return (count $words)",
    '    test (count $words) -ge $count; and test "$words[1..$count]" = "$argv[1]"; or return 1',
    "    # `archive` is not meant where `archive verify` stands.",
    "    test (count $words) -eq $count; and return 0",
    "    not contains -- $words[(math $count + 1)] $argv[2..-1]",
    "end",
    "complete -c sluice -n '__sluice_at \"\"' -l version -d 'print the version and stop'",
    "complete -c sluice -n '__sluice_at \"\"' -l help -d 'print help and stop'",
  ];
  const next = nextWords(commands);
  const at = (path: string) => {
    const below = [...next.get(path)?.keys() ?? []];
    return text(`__sluice_at "${path}" ${below.join(" ")}`.trim());
  };
  for (const [before, words] of next) {
    for (const [word, summary] of words) {
      lines.push(`complete -c sluice -f -n ${at(before)} -a ${text(word)} -d ${text(summary)}`);
    }
  }
  for (const { name, options } of commands) {
    for (const { flag, letter, help, takes, words } of options) {
      const short = letter === undefined ? "" : ` -s ${letter}`;
      const value = takes === "nothing"
        ? ""
        : takes === "folder"
        ? " -x -a '(__fish_complete_directories)'"
        : words.length > 0
        ? ` -x -a ${text(words.join(" "))}`
        : " -r";
      lines.push(
        `complete -c sluice -n ${at(name)} -l ${flag.slice(2)}${short}${value} -d ${text(help)}`,
      );
    }
  }
  return `${lines.join("\n")}\n`;
}
