# apt-install.sh PACKAGE...: installs Debian packages, as root, without starting a service of theirs or making a database cluster.
# For the launcher and the test runner; run by sh -eu.
policy=/usr/sbin/policy-rc.d
saved=$policy.before-lictor
restore() {
  rm -f "$policy"
  if [ -e "$saved" ]; then mv "$saved" "$policy"; fi
}
trap restore EXIT
trap 'exit 130' INT TERM HUP
# policy-rc.d (exit 101) keeps the packages from starting services; what was there before comes back.
if [ -e "$policy" ] && [ ! -e "$saved" ]; then mv "$policy" "$saved"; fi
printf '#!/bin/sh\nexit 101\n' >"$policy"
chmod 755 "$policy"
case " $* " in
  *' postgresql '*)
    mkdir -p /etc/postgresql-common
    [ -e /etc/postgresql-common/createcluster.conf ] || echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
    ;;
esac
apt-get -q update || true
apt-get -q -y --no-install-recommends -o DPkg::Lock::Timeout=300 install "$@"
