#!/bin/sh
# Trains the plan in this folder on this machine, which needs no network. After a cut, the same line goes on.
#
#   sh train.sh [N] [--networks]  N runs at once; results.zip is kept up to date, if asked with the trained networks
#   sh train.sh COMMAND ...       a command of the lab, such as: sh train.sh runs
#
# PYTHON may name the Python, and LAB_ARTIFACTS the folder of the runs, where they are not to be beside this file.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
. "$here/bundle.env"

fail() {
    echo "$*" >&2
    exit 2
}

is_right() {
    [ "$("$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)" = "$PYTHON_VERSION" ]
}

if [ -d "$here/wheels" ]; then
    if ! cmp -s "$here/code/requirements.txt" "$here/env/requirements.txt"; then
        for python in ${PYTHON:-"python$PYTHON_VERSION" python3} ''; do
            [ -z "$python" ] || ! is_right "$python" || break
        done
        [ -n "$python" ] ||
            fail "The wheels are for Python $PYTHON_VERSION, which is not here: name it, as in: PYTHON=/opt/python/bin/python3 sh $0"
        echo "Installing the wheels, which is done once." >&2
        rm -rf "$here/env"
        # The pip that was packed, as not every Python brings one.
        for pip in "$here"/wheels/pip-*.whl; do :; done
        "$python" -m venv --without-pip "$here/env" &&
            "$here/env/bin/python" "$pip/pip" install --quiet --no-index --no-cache-dir \
                --disable-pip-version-check --find-links "$here/wheels" -r "$here/code/requirements.txt" ||
            fail "The wheels cannot be installed; the lines above say why."
        cp "$here/code/requirements.txt" "$here/env/"
    fi
    python=$here/env/bin/python
else
    python=${PYTHON:-python3}
fi

export KERAS_BACKEND="${KERAS_BACKEND:-$BACKEND}" PYTHONPATH="$here/code" PYTHONUNBUFFERED=1
export LAB_ARTIFACTS="${LAB_ARTIFACTS:-$here/artifacts}" LAB_DATA="$here/data" KERAS_HOME="$here/keras"
# What JAX has compiled for one run serves all that are like it.
export JAX_COMPILATION_CACHE_DIR="$here/compiled" JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS=1

case ${1:-} in
[a-z]*) exec "$python" -P -m core "$@" ;;
[0-9]*) set -- --at-once "$@" ;;
esac
exec "$python" -P -m core plan "$here/plan.txt" --results "$here/results.zip" "$@"
