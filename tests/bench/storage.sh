#!/bin/sh -e
# What a run costs the disk, in a folder of its own that goes afterwards (storage.c).
#
#	storage.sh STORAGE GOLDEN_FOLDER RUNS
folder=$(mktemp -d "${TMPDIR:-/tmp}/mailprobe-storage-XXXXXX")
trap 'rm -r "$folder"' EXIT
"$1" "$2" "$folder" "$3"
