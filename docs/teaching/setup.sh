#!/bin/sh
# Gradescope runs this once, to make the machine on which submissions are graded: Debian or Ubuntu.
set -eu
apt-get update
apt-get install -y --no-install-recommends nodejs npm gcc binutils bubblewrap
npm install --global terrarium-vm
