#!/usr/bin/env bash
# Made these certificates once: a chain as AWS's endpoints have it (RSA 2048: root, intermediate, leaf), for `localhost`, valid for a century. The keys of
# the root and the intermediate are thrown away, so nobody can sign anything else with them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

touch "$work/index"
cat >"$work/ca.cnf" <<END
[ca]
default_ca = any
[any]
database = $work/index
new_certs_dir = $work
rand_serial = yes
default_md = sha256
policy = name
[name]
commonName = supplied
[authority]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign, cRLSign
[server]
basicConstraints = critical, CA:false
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = DNS:localhost
END

request() { openssl req -new -newkey rsa:2048 -nodes -keyout "$work/$1.key" -out "$work/$1.csr" -subj "/CN=$2" 2>/dev/null; }
sign() { openssl ca -batch -notext -config "$work/ca.cnf" -startdate 20200101000000Z -enddate 21200101000000Z "$@" 2>/dev/null; }

request root "Tocsin bench: root"
request intermediate "Tocsin bench: intermediate"
request leaf localhost
sign -selfsign -keyfile "$work/root.key" -in "$work/root.csr" -extensions authority -out root.pem
sign -cert root.pem -keyfile "$work/root.key" -in "$work/intermediate.csr" -extensions authority -out "$work/intermediate.pem"
sign -cert "$work/intermediate.pem" -keyfile "$work/intermediate.key" -in "$work/leaf.csr" -extensions server -out "$work/leaf.pem"
cat "$work/leaf.pem" "$work/intermediate.pem" >chain.pem
cp "$work/leaf.key" leaf-key.pem
chmod 644 leaf-key.pem
