// A MongoDB wire server in memory, for the tests: `java -cp 'JARS/*' Server.java`. Prints `ready PORT`, and ends when
// its standard input does: that is, with the test process, however that ends. With two arguments, a certificate and its
// key (PKCS #8, DER), it speaks TLS.

import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.backend.memory.MemoryBackend;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.List;

public final class Server {
    // What MongoDB 7.0 says of itself: today's drivers refuse the versions that the library knows.
    private static final MongoVersion SEVEN = new MongoVersion() {
        @Override
        public List<Integer> getVersionArray() {
            return List.of(7, 0, 0, 0);
        }

        @Override
        public int getWireVersion() {
            return 21;
        }
    };

    public static void main(String[] arguments) throws Exception {
        MongoServer server = new MongoServer(new MemoryBackend().version(SEVEN));
        if (arguments.length == 2) {
            var certificate = CertificateFactory.getInstance("X.509")
                .generateCertificate(Files.newInputStream(Path.of(arguments[0])));
            var key = KeyFactory.getInstance("EC")
                .generatePrivate(new PKCS8EncodedKeySpec(Files.readAllBytes(Path.of(arguments[1]))));
            server.enableSsl(key, null, (X509Certificate) certificate);
        }
        System.out.println("ready " + server.bind().getPort());
        System.in.transferTo(java.io.OutputStream.nullOutputStream());
        // At once: clients may still be connected.
        Runtime.getRuntime().halt(0);
    }
}
