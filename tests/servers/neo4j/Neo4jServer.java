import java.nio.file.Path;
import org.neo4j.configuration.connectors.ConnectorPortRegister;
import org.neo4j.configuration.connectors.ConnectorType;
import org.neo4j.dbms.api.DatabaseManagementServiceBuilder;
import org.neo4j.kernel.internal.GraphDatabaseAPI;

/** Serves Bolt from the folder args[0] with the settings file args[1], and prints its address. */
public final class Neo4jServer {
    public static void main(String[] args) throws InterruptedException {
        var dbms = new DatabaseManagementServiceBuilder(Path.of(args[0]))
                .loadPropertiesFromFile(Path.of(args[1]))
                .build();
        Runtime.getRuntime().addShutdownHook(new Thread(dbms::shutdown));
        // Port 0 lets the system choose; only this register knows what it chose.
        var database = (GraphDatabaseAPI) dbms.database("neo4j");
        var ports = database.getDependencyResolver().resolveDependency(ConnectorPortRegister.class);
        System.out.println("ready " + ports.getLocalAddress(ConnectorType.BOLT).getPort());
        Thread.currentThread().join();
    }
}
