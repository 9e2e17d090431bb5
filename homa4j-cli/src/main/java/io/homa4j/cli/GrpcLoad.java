package io.homa4j.cli;

/** What {@code homa bench grpc} measures. */
enum GrpcLoad {
    ONE("unary 100 B, one at a time"),
    MANY("unary 100 B, 100 outstanding"),
    CAPACITY("1 MB calls and streams, as many as go"),
    MIXED("100 B calls beside 1 MB calls and streams at 70 % of that");

    /** Part of what the pair can carry. */
    static final double BULK_SHARE = 0.7;
    /** Seldom enough to be no load themselves. */
    static final double SHORTS_PER_SECOND = 500;

    final String title;

    GrpcLoad(String title) {
        this.title = title;
    }

    /** A measurement of a pair; {@code capacity} counts only for the mixed load. */
    PeersRound run(ContenderPair pair, Rounds<PeersRound> capacity, double seconds) throws InterruptedException {
        return switch (this) {
            case ONE -> pair.run(PeersLoad.RTT, seconds);
            case MANY -> pair.run(PeersLoad.RATE, seconds);
            case CAPACITY -> pair.mix(0, 0, seconds);
            case MIXED -> {
                double gbitPerSecond = BULK_SHARE * capacity.median(PeersRound::gbitOut);
                yield pair.mix(MixedLoad.unitsPerSecond(gbitPerSecond), SHORTS_PER_SECOND, seconds);
            }
        };
    }

    /** The figure that shows whether the load runs as it will go on running. */
    double rate(PeersRound round) {
        return this == CAPACITY || this == MIXED ? round.gbitOut() : round.rpcsPerSecond();
    }
}
