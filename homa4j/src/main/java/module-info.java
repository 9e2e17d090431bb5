/** What applications use: sockets, calls, servers, and the threads behind them. */
module io.homa4j {
    requires static org.jspecify;
    requires transitive io.homa4j.driver;

    exports io.homa4j;
}
