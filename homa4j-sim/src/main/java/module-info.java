/** A simulated datacenter: links, switches and hosts that run the real protocol engine under virtual time. */
module io.homa4j.sim {
    requires static org.jspecify;
    requires io.homa4j.protocol;

    exports io.homa4j.sim;
}
