/** JMH measurements; not published. */
module io.homa4j.bench {
    requires static org.jspecify;
    requires io.homa4j;
    requires jmh.core;
}
