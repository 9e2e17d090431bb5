/** The homa command. */
@SuppressWarnings("module") // the module that is exported to depends on this one, so the compiler does not know it yet
module io.homa4j.cli {
    requires static org.jspecify;
    requires info.picocli;
    requires HdrHistogram;
    requires io.homa4j;
    requires io.homa4j.sim;
    requires java.management;
    requires jdk.management;

    uses io.homa4j.cli.Contender;

    // Whoever brings a rival to homa bench peers.
    exports io.homa4j.cli to
            io.homa4j.bench;

    // picocli sets annotated fields by reflection.
    opens io.homa4j.cli to
            info.picocli;
}
