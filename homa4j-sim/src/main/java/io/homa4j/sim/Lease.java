package io.homa4j.sim;

/** A piece of a receive region in the application's hands. */
final class Lease {
    final int socket;
    final long offset;
    final int length;
    /** Where its bytes stand in the pattern of all messages. */
    final int patternAt;

    Lease(int socket, long offset, int length, int patternAt) {
        this.socket = socket;
        this.offset = offset;
        this.length = length;
        this.patternAt = patternAt;
    }
}
