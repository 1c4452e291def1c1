# Runs a PostgreSQL server of its own until standard input ends: that is, until the test process does, however it ends.
# Environment: BIN (folder of initdb and pg_ctl), PORT, PASSWORD. Prints `ready FOLDER`, or what went wrong.
umask 077
dir=$(mktemp -d "${TMPDIR:-/tmp}/filegen-postgres.XXXXXX") || exit 1
trap 'rm -rf "$dir"' EXIT
printf '%s\n' "$PASSWORD" > "$dir/password"
"$BIN/initdb" -D "$dir/data" -U filegen --auth-local=trust --auth-host=scram-sha-256 --pwfile="$dir/password" \
    --encoding=UTF8 --locale=C.UTF-8 --no-sync > "$dir/log" 2>&1 || { cat "$dir/log"; exit 1; }
# Certificates for TLS: an authority (ca.pem) and a server that is `localhost` and nobody else.
{
    curve="-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30"
    printf 'subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\n' > "$dir/extensions" &&
    openssl req -x509 $curve -subj "/CN=filegen test authority" -keyout "$dir/ca.key" -out "$dir/ca.pem" &&
    openssl req $curve -subj "/CN=localhost" -keyout "$dir/server.key" -out "$dir/server.csr" &&
    openssl x509 -req -in "$dir/server.csr" -CA "$dir/ca.pem" -CAkey "$dir/ca.key" -CAcreateserial -days 30 \
        -extfile "$dir/extensions" -out "$dir/server.pem"
} > "$dir/log" 2>&1 || { echo "openssl cannot make certificates:"; cat "$dir/log"; exit 1; }
chmod 755 "$dir" && chmod 644 "$dir/ca.pem"
options="-k $dir -p $PORT -c listen_addresses=127.0.0.1 -c max_connections=200 -c ssl=on -c ssl_cert_file=$dir/server.pem -c ssl_key_file=$dir/server.key
    -c fsync=off -c full_page_writes=off"
"$BIN/pg_ctl" start -w -s -D "$dir/data" -l "$dir/log" -o "$options" < /dev/null > /dev/null 2>&1 ||
    { cat "$dir/log"; exit 1; }
echo "ready $dir"
cat > /dev/null
"$BIN/pg_ctl" stop -s -m immediate -D "$dir/data" > /dev/null 2>&1
