#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Gives a program its surroundings in the mount namespace that it starts in, and becomes that program.
# PRIVATE_HOSTS: lines of its hosts file. PRIVATE_APP: its working directory. PRIVATE_SERVICE_ACCOUNT, PRIVATE_AUTHORITY: a directory
# and a file, or nothing. PRIVATE_USER: the number of a user without any privilege, or nothing to stay who it is.
# PRIVATE_SHOWN: directories, a line each, that this user has to reach below PRIVATE_HIDDEN, somebody's home directory.
set -eu

# Whatever the machine has there, a service account of its own too, is not for this program.
mount -t tmpfs -o size=64m,mode=755 tmpfs /var/run
printf '127.0.0.1 localhost\n::1 localhost\n%s\n' "$PRIVATE_HOSTS" >/var/run/hosts
mount --bind /var/run/hosts /etc/hosts
mkdir -m 1777 /var/run/tmp
mkdir -p /var/run/app /var/run/certificates /var/run/secrets/kubernetes.io/serviceaccount
mount --bind "$PRIVATE_APP" /var/run/app
if [ -n "$PRIVATE_SERVICE_ACCOUNT" ]; then
  mount --bind -o ro "$PRIVATE_SERVICE_ACCOUNT" /var/run/secrets/kubernetes.io/serviceaccount
fi
if [ -n "$PRIVATE_AUTHORITY" ]; then
  cp "$PRIVATE_AUTHORITY" /var/run/authority.pem
  # And no public one: a call that is led elsewhere must not succeed.
  export SSL_CERT_FILE=/var/run/authority.pem SSL_CERT_DIR=/var/run/certificates
fi
# An agent's clones go there, so that each has its own.
export TMPDIR=/var/run/tmp HOME=/var/run/tmp
if [ -n "$PRIVATE_SHOWN" ]; then
  mkdir -m 700 /var/run/hidden
  mount --rbind "$PRIVATE_HIDDEN" /var/run/hidden
  mount -t tmpfs -o mode=755 tmpfs "$PRIVATE_HIDDEN"
  printf '%s\n' "$PRIVATE_SHOWN" | while read -r directory; do
    mkdir -p "$directory"
    mount --rbind "/var/run/hidden${directory#"$PRIVATE_HIDDEN"}" "$directory"
  done
fi
user=$PRIVATE_USER
unset PRIVATE_HOSTS PRIVATE_APP PRIVATE_SERVICE_ACCOUNT PRIVATE_AUTHORITY PRIVATE_USER PRIVATE_HIDDEN PRIVATE_SHOWN
cd /var/run/app
[ -n "$user" ] || exec "$@"
mount -o remount,bind,ro /
mount -o remount,bind,ro /var/run/app
exec setpriv --reuid "$user" --regid "$user" --clear-groups --bounding-set=-all --inh-caps=-all --no-new-privs "$@"
