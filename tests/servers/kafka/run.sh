# Runs a Kafka server of one node until standard input ends: that is, until the test process does, however it ends.
# Environment: JARS, DIR (its folder; a second start goes on with what the first left), PORT, SASL_PORT, TLS_PORT,
# CONTROLLER_PORT, FAR_PORT (whose clients are told to come to KNOWN_PORT), PASSWORD (of user `filegen`). Its log is $DIR/log.
umask 077
cd "$DIR" || exit 1
options="-Xms64m -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:-UsePerfData"
if [ ! -f server.properties ]; then
    # Certificates: an authority (ca.pem), a server that is `localhost`, and a client.
    curve="-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30"
    {
        printf 'subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\n' > extensions &&
        openssl req -x509 $curve -subj "/CN=filegen test authority" -keyout ca.key -out ca.pem &&
        for name in localhost client; do
            openssl req $curve -subj "/CN=$name" -keyout $name.key -out $name.csr &&
            openssl x509 -req -in $name.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -extfile extensions \
                -out $name.pem || exit 1
        done &&
        cat localhost.key localhost.pem > server.pem
    } > log 2>&1 || exit 1
    cat > server.properties <<PROPERTIES
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:$CONTROLLER_PORT
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:$PORT,SASL_PLAINTEXT://127.0.0.1:$SASL_PORT,SSL://127.0.0.1:$TLS_PORT,FAR://127.0.0.1:$FAR_PORT,CONTROLLER://127.0.0.1:$CONTROLLER_PORT
advertised.listeners=PLAINTEXT://127.0.0.1:$PORT,SASL_PLAINTEXT://127.0.0.1:$SASL_PORT,SSL://localhost:$TLS_PORT,FAR://127.0.0.1:$KNOWN_PORT
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,SSL:SSL,FAR:PLAINTEXT,CONTROLLER:PLAINTEXT
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256
listener.name.sasl_plaintext.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_filegen="$PASSWORD";
listener.name.sasl_plaintext.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.ssl.ssl.keystore.type=PEM
listener.name.ssl.ssl.keystore.location=$DIR/server.pem
listener.name.ssl.ssl.truststore.type=PEM
listener.name.ssl.ssl.truststore.location=$DIR/ca.pem
listener.name.ssl.ssl.client.auth=required
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
allow.everyone.if.no.acl.found=true
super.users=User:ANONYMOUS
log.dirs=$DIR/data
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=500
PROPERTIES
    java $options -cp "$JARS/*" kafka.tools.StorageTool format --standalone -t filegenAAAAAAAAAAAAAAA -c server.properties \
        --add-scram "SCRAM-SHA-256=[name=filegen,password=$PASSWORD]" >> log 2>&1 || exit 1
fi
# Should this shell be killed, the server goes with it.
setpriv --pdeathsig KILL java $options -cp "$JARS/*" kafka.Kafka server.properties >> log 2>&1 < /dev/null &
server=$!
cat > /dev/null
kill -KILL $server
wait $server 2>/dev/null
[ -n "$KEEP" ] || rm -rf "$DIR"
