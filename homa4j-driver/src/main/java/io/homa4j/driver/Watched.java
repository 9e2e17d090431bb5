package io.homa4j.driver;

/** A descriptor that a {@link Sleeper} wakes for, and what epoll has said of it. */
abstract class Watched {
    final int descriptor;
    /** Whether the sleeper shall wake for room to send. Owner. */
    boolean wantsRoom;
    /** Something is there to be read. Set by whoever asks epoll. */
    volatile boolean isReadable;
    /** There is room to send again. Set by whoever asks epoll. */
    volatile boolean hasRoom;
    /** The error queue has something. Set by whoever asks epoll. */
    volatile boolean hasErrors;

    Watched(int descriptor) {
        this.descriptor = descriptor;
    }
}
