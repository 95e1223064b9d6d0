#!/usr/bin/env bash
# The front door. Sets up .venv from the pinned requirements.txt when that file is new or has changed, then hands over to
# `python -m commands`. `./run.sh --help` lists the commands.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

fail() { echo "error: $*" >&2; exit 2; }

find_python() {
  local python
  for python in ${PYTHON:-.venv/bin/python python3.13 python3.12 python3.11 python3}; do
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$python" && return
  done
  fail "Python 3.11 or newer is needed and was not found; install it, or set PYTHON to its path"
}

setup() {
  # What is installed depends on the pins and on whether there is a GPU for them.
  local stamp=.venv/.installed list=.venv/requirements.txt wanted python
  wanted="$(cksum <requirements.txt) $GPU"
  [[ -f $stamp && "$(<"$stamp")" == "$wanted" ]] && return
  echo "Setting up .venv from requirements.txt (once, and again only when that file changes) …" >&2
  python=$(find_python)
  if [[ ! -x .venv/bin/python ]]; then
    if command -v uv >/dev/null; then uv venv --quiet --python "$python" .venv; else "$python" -m venv .venv; fi
  fi
  cp requirements.txt "$list"
  if [[ $GPU == cuda ]]; then sed -i.plain 's/^tensorflow==/tensorflow[and-cuda]==/' "$list"; fi
  if command -v uv >/dev/null; then
    uv pip install --quiet --python .venv/bin/python -r "$list"
  else
    .venv/bin/python -m pip install --quiet --disable-pip-version-check -r "$list"
  fi
  echo "$wanted" >"$stamp"
}

GPU=cpu
if command -v nvidia-smi >/dev/null && nvidia-smi >/dev/null 2>&1; then GPU=cuda; fi

# Help and a mistyped command need nothing that is installed, and answer at once.
light= asked=${1:-}
[[ -f "commands/${asked//-/_}.py" ]] || light=yes
for word in "$@"; do [[ $word == -h || $word == --help ]] && light=yes; done
if [[ $light ]]; then
  python=$(find_python)
  exec "$python" -m commands "$@"
fi

setup
exec .venv/bin/python -m commands "$@"
