import java.util.concurrent.CountDownLatch;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.impl.DefaultCamelContext;

/** Camel's file and NATS components, from folder to folder over JetStream; each file forced to the disk: SOURCE TARGET URL COUNT. */
class Camel {
    public static void main(String[] args) throws Exception {
        var left = new CountDownLatch(Integer.parseInt(args[3]));
        var nats = "nats:files.in?servers=" + args[2].replace("nats://", "") + "&jetstreamEnabled=true&jetstreamName=CAMEL";
        try (var context = new DefaultCamelContext()) {
            context.addRoutes(new RouteBuilder() {
                @Override
                public void configure() {
                    from("file:" + args[0] + "?noop=true&initialDelay=0&delay=60000")
                        .setHeader("name", header("CamelFileName")).to(nats + "&jetstreamAsync=false");
                    from(nats + "&poolSize=16").threads(16, 16)
                        .setHeader("CamelFileName", header("name"))
                        .to("file:" + args[1] + "?tempPrefix=.part-&forceWrites=true")
                        .process(exchange -> left.countDown());
                }
            });
            context.start();
            left.await();
            // Its end waits for what will never come.
            Runtime.getRuntime().halt(0);
        }
    }
}
