#!/usr/bin/env bash
# Runs a command from a clone of the repository. Sets up .venv from the pinned requirements when they are new or have
# changed, then starts `python -m commands`. `./run.sh --help` lists the commands.
set -euo pipefail

# The folder of this file, also when it is called through a symbolic link. The working directory stays the caller's.
file=${BASH_SOURCE[0]}
while [[ -L $file ]]; do
  target=$(readlink "$file")
  [[ $target == /* ]] || target=$(dirname "$file")/$target
  file=$target
done
root=$(CDPATH='' cd "$(dirname "$file")" && pwd -P)
venv=$root/.venv

fail() { echo "error: $*" >&2; exit 2; }

find_python() {
  local python
  for python in ${PYTHON:+"$PYTHON"} "$venv/bin/python" python3.13 python3.12 python3.11 python3; do
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$python" && return
    [[ $python == "${PYTHON:-}" ]] && break
  done
  fail "Python 3.11 or newer is needed and was not found; install it, or set PYTHON to its path"
}

pip() {  # COMMAND ARGUMENT…: pip for .venv; uv does the same faster
  if command -v uv >/dev/null; then
    uv pip "$1" --quiet --python "$venv/bin/python" "${@:2}"
  else
    PIP_YES=1 "$venv/bin/python" -m pip "$1" --quiet --disable-pip-version-check "${@:2}"
  fi
}

install() {  # FILE: install the requirements in FILE, unless this was done with the same content on the same hardware
  local stamp=$venv/.installed-$1 list=$venv/$1 wanted python
  wanted="$(cksum <"$root/$1") $gpu"
  [[ -f $stamp && "$(<"$stamp")" == "$wanted" ]] && return
  echo "Setting up .venv from $1 (once, and again only when that file changes) …" >&2
  if [[ ! -x $venv/bin/python ]]; then
    python=$(find_python)
    if command -v uv >/dev/null; then uv venv --quiet --python "$python" "$venv"; else "$python" -m venv "$venv"; fi
  fi
  # Earlier versions installed opencv-python as well. Both packages own the folder cv2: removing one damages the other.
  if compgen -G "$venv/lib/python*/site-packages/opencv_python-*.dist-info" >/dev/null; then
    pip uninstall opencv-python opencv-python-headless
  fi
  cp "$root/$1" "$list"
  if [[ $gpu == cuda ]]; then sed -i.plain 's/^tensorflow==/tensorflow[and-cuda]==/' "$list"; fi
  pip install -r "$list"
  echo "$wanted" >"$stamp"
}

run() {  # PYTHON ARGUMENT…: never with the caller's folder on the module path; it may hold a models.py of its own
  # Large arrays come in huge pages: page faults otherwise take a quarter of the time of a training on a CPU.
  export GLIBC_TUNABLES=${GLIBC_TUNABLES:-glibc.malloc.hugetlb=1}
  export CAMERA_PROGRAM=$0 PYTHONPATH=$root${PYTHONPATH:+:$PYTHONPATH}
  exec "$1" -P -m commands "${@:2}"
}

# Help, the version and the error for an unknown command need nothing that is installed.
name=${1:-}
light=
[[ $name == --print-completion || -f $root/commands/${name//-/_}.py ]] || light=yes
for word in "$@"; do [[ $word == -h || $word == --help ]] && light=yes; done
if [[ $light ]]; then
  python=$(find_python)
  run "$python" "$@"
fi

gpu=cpu
if command -v nvidia-smi >/dev/null && nvidia-smi >/dev/null 2>&1; then gpu=cuda; fi
install requirements.txt
if [[ $name == test ]]; then install requirements-dev.txt; fi
if [[ ${KERAS_BACKEND:-} == jax ]]; then install requirements-jax.txt; fi
run "$venv/bin/python" "$@"
