package io.homa4j.cli;

/** The loads of {@code homa bench peers}. */
enum PeersLoad {
    RTT("round trip, 100 B requests and responses, one at a time", 100, 100, 1),
    RATE("100 B requests and responses, 100 outstanding", 100, 100, 100),
    OUT_1("500 kB requests, 100 B responses, one at a time", 500_000, 100, 1),
    OUT_8("500 kB requests, 100 B responses, 8 outstanding", 500_000, 100, 8),
    IN_1("100 B requests, 500 kB responses, one at a time", 100, 500_000, 1),
    IN_8("100 B requests, 500 kB responses, 8 outstanding", 100, 500_000, 8);

    final String title;
    final int requestBytes;
    final int responseBytes;
    final int outstanding;

    PeersLoad(String title, int requestBytes, int responseBytes, int outstanding) {
        this.title = title;
        this.requestBytes = requestBytes;
        this.responseBytes = responseBytes;
        this.outstanding = outstanding;
    }

    boolean isLong() {
        return requestBytes + responseBytes > 100_000;
    }

    /** Gigabytes of payload of one RPC, both directions. */
    double gigabytes() {
        return (requestBytes + responseBytes) / 1e9;
    }
}
