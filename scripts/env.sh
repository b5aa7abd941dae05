# Sourced by scripts/quickstart and scripts/test: finds or installs what they need, or says what is
# missing and how to get it. Leaves the shell in the checkout with the pinned Deno on PATH.

sluice_deno_version=2.9.6
sluice_root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
cd -- "$sluice_root" || exit 1

# npm, Maven and Deno keep their caches at home; a bare container may have none that can be used.
if [ -z "${HOME:-}" ] || [ ! -d "$HOME" ] || [ ! -w "$HOME" ]; then
  export HOME="$sluice_root/.tools/home"
  mkdir -p "$HOME" || exit 1
  # Java does not look at HOME.
  export MAVEN_OPTS="${MAVEN_OPTS:-} -Duser.home=$HOME"
fi

sluice_missing=()

# sluice_need COMMAND PACKAGE: notes a Debian package whose command is not there.
sluice_need() {
  PATH="$PATH:/usr/sbin" command -v "$1" >/dev/null 2>&1 || sluice_missing+=("$2")
}

# Says what is missing, and stops.
sluice_stop_if_missing() {
  [ ${#sluice_missing[@]} -eq 0 ] && return
  echo "Missing: ${sluice_missing[*]}" >&2
  echo "On Debian: apt-get install ${sluice_missing[*]}" >&2
  exit 1
}

sluice_java_major() {
  java -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p' | head -n 1
}

sluice_check_basics() {
  sluice_need npm npm
  sluice_need mvn maven
  if ! command -v java >/dev/null 2>&1; then
    sluice_missing+=(openjdk-17-jre-headless)
  elif [ "$(sluice_java_major)" -lt 17 ] 2>/dev/null; then
    echo "Java $(sluice_java_major) is too old: 17 or newer is needed" >&2
    sluice_missing+=(openjdk-17-jre-headless)
  fi
  sluice_stop_if_missing
}

sluice_has_deno() {
  [ "$(deno --version 2>/dev/null | sed -n 's/^deno \([0-9.]*\).*/\1/p')" = "$sluice_deno_version" ]
}

# The pinned Deno: on PATH, or installed from npm into .tools once.
sluice_find_deno() {
  sluice_has_deno && return
  export PATH="$sluice_root/.tools/deno/node_modules/.bin:$PATH"
  sluice_has_deno && return
  echo "Installing Deno $sluice_deno_version into .tools" >&2
  mkdir -p .tools
  if ! npm install --no-audit --no-fund --loglevel=error --prefix .tools/deno \
    "deno@$sluice_deno_version" >&2 || ! sluice_has_deno; then
    echo "Cannot install Deno $sluice_deno_version with npm; install it so that \`deno\` is on PATH" >&2
    exit 1
  fi
}

# The servers and tools that the tests drive: installed when we may, named otherwise.
sluice_need_test_tools() {
  local module=/usr/lib/*/rsyslog
  sluice_need rsyslogd rsyslog
  sluice_need kcat kcat
  sluice_need openssl openssl
  sluice_need nc netcat-openbsd
  sluice_need git git
  sluice_need go golang-go
  sluice_need python3 python3
  # Debian's python3 comes without what makes virtual environments.
  python3 -c 'import ensurepip, venv' >/dev/null 2>&1 || sluice_missing+=(python3-venv)
  sluice_need systemd-analyze systemd
  sluice_need psql postgresql-client
  sluice_need tmux tmux
  sluice_need chromium chromium
  sluice_need zsh zsh
  sluice_need fish fish
  # Debian keeps the server's programs off PATH.
  command -v postgres >/dev/null 2>&1 || compgen -G "/usr/lib/postgresql/*/bin/postgres" >/dev/null ||
    sluice_missing+=(postgresql)
  compgen -G "$module/omrelp.so" >/dev/null || sluice_missing+=(rsyslog-relp)
  compgen -G "$module/omkafka.so" >/dev/null || sluice_missing+=(rsyslog-kafka)
  compgen -G "$module/lmnsd_gtls.so" >/dev/null || sluice_missing+=(rsyslog-gnutls)
  [ ${#sluice_missing[@]} -eq 0 ] && return
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing ${sluice_missing[*]} with apt-get" >&2
    if apt-get update -qq >&2 && DEBIAN_FRONTEND=noninteractive \
      apt-get install -y -qq --no-install-recommends "${sluice_missing[@]}" >/dev/null; then
      sluice_missing=()
    fi
  fi
  sluice_stop_if_missing
}

sluice_check_basics
sluice_find_deno
export NO_COLOR="${NO_COLOR-1}"
