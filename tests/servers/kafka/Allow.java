// Says who may do what: `java -cp 'JARS/*' Allow.java BROKERS {TYPE NAME USER OPERATION}...`. Whatever is named here is
// no longer open to everyone.

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;

public final class Allow {
    public static void main(String[] arguments) throws Exception {
        List<AclBinding> rules = new ArrayList<>();
        for (int at = 1; at + 3 < arguments.length; at += 4) {
            ResourceType type = ResourceType.valueOf(arguments[at]);
            ResourcePattern what = new ResourcePattern(type, arguments[at + 1], PatternType.LITERAL);
            AclOperation operation = AclOperation.valueOf(arguments[at + 3]);
            String who = "User:" + arguments[at + 2];
            rules.add(new AclBinding(what, new AccessControlEntry(who, "*", operation, AclPermissionType.ALLOW)));
        }
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", arguments[0]))) {
            admin.createAcls(rules).all().get();
        }
    }
}
