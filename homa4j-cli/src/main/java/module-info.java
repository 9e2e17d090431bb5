/** The homa command. */
module io.homa4j.cli {
    requires static org.jspecify;
    requires info.picocli;
    requires HdrHistogram;
    requires io.homa4j;
    requires io.homa4j.sim;
    requires java.management;

    // picocli sets annotated fields by reflection.
    opens io.homa4j.cli to
            info.picocli;
}
