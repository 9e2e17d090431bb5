/** Samples: one file per idea, each with its own main method. */
module io.homa4j.samples {
    requires static org.jspecify;
    requires io.homa4j;
    requires io.homa4j.grpc;
    requires io.grpc.stub;
}
