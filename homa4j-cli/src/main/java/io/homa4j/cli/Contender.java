package io.homa4j.cli;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Locale;

/**
 * A way to make RPCs that {@code homa bench peers} measures: Homa, or what somebody would take instead. Found as a service, so
 * that what the rivals need stays out of the modules of the product. Server and client live in processes of their own.
 *
 * <p>Requests say what answer they want ({@link Pattern}); a server answers each with so many bytes.
 */
public interface Contender {
    /** What either end does when there is nothing to do. */
    enum Waiting {
        /** It never sleeps. */
        POLLING,
        /** As it does by itself. */
        DEFAULT,
        /** It sleeps in the kernel at once. */
        SLEEPING;

        /** As it stands in tables and JSON. */
        public String text() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** Answers until it is closed. */
    interface Server extends AutoCloseable {
        /** Where it listens. */
        int port();

        @Override
        void close();
    }

    /** Makes RPCs. */
    interface Client extends AutoCloseable {
        /**
         * Keeps {@link PeerLoad#outstanding} RPCs on their way until the load is over, on whatever thread does it best, and returns
         * when the last answer is there. Each answer is told to the load, by one thread at a time.
         */
        void run(PeerLoad load) throws Exception;

        /**
         * Makes a mixed load until it is over, and returns when the last answer is there; only of contenders that have streams.
         *
         * @throws UnsupportedOperationException if it has none
         */
        default void run(MixedLoad load) throws Exception {
            throw new UnsupportedOperationException("it has no streams");
        }

        @Override
        void close();
    }

    /** One word, perhaps with a variant behind a slash: {@code netty}, {@code grpc/direct}. */
    String id();

    /** How it is set up and who does the work, one line for people. */
    String setUp();

    /** The ways of waiting it has. */
    List<Waiting> waitings();

    /** Options for the JVM at either end beside those of the {@code homa} command; one that names a collector replaces it. */
    default List<String> jvmOptions() {
        return List.of();
    }

    /**
     * Starts a server on a free port.
     *
     * @throws Exception if that is not possible here; the message says why
     */
    Server serve(InetAddress local, Waiting waiting) throws Exception;

    /**
     * Connects.
     *
     * @param local address of this end
     * @throws Exception if that is not possible
     */
    Client connect(InetAddress local, InetSocketAddress server, Waiting waiting) throws Exception;
}
