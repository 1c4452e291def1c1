// A MongoDB wire server in memory, for the tests: `java -cp 'JARS/*' Server.java`. Prints `ready PORT`, and ends when
// its standard input does: that is, with the test process, however that ends.

import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.backend.memory.MemoryBackend;
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
        System.out.println("ready " + server.bind().getPort());
        System.in.transferTo(java.io.OutputStream.nullOutputStream());
        // At once: clients may still be connected.
        Runtime.getRuntime().halt(0);
    }
}
