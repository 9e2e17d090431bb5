/** Homa's wire formats and protocol engine: no I/O, clock, thread, lock, randomness or log. */
module io.homa4j.protocol {
    requires static org.jspecify;

    exports io.homa4j.protocol;
    exports io.homa4j.wire;
}
