/** The ways a packet can reach the network. */
module io.homa4j.driver {
    requires static org.jspecify;
    requires transitive io.homa4j.protocol;
    requires jdk.net;

    exports io.homa4j.driver;
}
