# Runs a Redis server of its own until standard input ends: that is, until the test process does, however it ends.
# Environment: PORT, PASSWORD; arguments are further options. Prints `ready FOLDER`, or what went wrong.
umask 077
dir=${DIR:-$(mktemp -d "${TMPDIR:-/tmp}/filegen-redis.XXXXXX")} || exit 1
printf 'port %s\nbind 127.0.0.1\ndir %s\nrequirepass %s\nsave ""\n' "$PORT" "$dir" "$PASSWORD" > "$dir/redis.conf"
redis-server "$dir/redis.conf" "$@" > "$dir/log" 2>&1 < /dev/null &
server=$!
while ! grep -q 'Ready to accept connections' "$dir/log" 2>/dev/null; do
    kill -0 $server 2>/dev/null || { cat "$dir/log"; exit 1; }
    read -r -t 0.02 _ < /dev/zero 2>/dev/null || :
done
echo "ready $dir $server"
cat > /dev/null
kill -KILL $server 2>/dev/null
[ -n "$DIR" ] || rm -rf "$dir"
