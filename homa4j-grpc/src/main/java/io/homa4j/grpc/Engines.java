package io.homa4j.grpc;

import io.grpc.internal.FixedObjectPool;
import io.grpc.internal.ObjectPool;
import io.grpc.internal.SharedResourceHolder;
import io.grpc.internal.SharedResourcePool;
import io.homa4j.Homa;

/**
 * The engines under channels and servers that name none: one for all channels of the process, one for all servers; each is opened by
 * its first user and closed after its last.
 */
final class Engines {
    /** Calls that wait for an application are in service too, so there may be many. */
    static final int MAX_IN_SERVICE = 200_000;

    private static final ObjectPool<Homa> CLIENT = SharedResourcePool.forResource(new Resource("client"));
    private static final ObjectPool<Homa> SERVER = SharedResourcePool.forResource(new Resource("server"));

    private Engines() {}

    static ObjectPool<Homa> client() {
        return CLIENT;
    }

    static ObjectPool<Homa> server() {
        return SERVER;
    }

    /** An engine that belongs to the application. */
    static ObjectPool<Homa> of(Homa homa) {
        return new FixedObjectPool<>(homa);
    }

    private static final class Resource implements SharedResourceHolder.Resource<Homa> {
        private final String side;

        Resource(String side) {
            this.side = side;
        }

        @Override
        public Homa create() {
            // What completes takes microseconds and never blocks: see HomaClientStream.
            return Homa.builder()
                    .shortCompletions()
                    .set("max_in_service", Integer.toString(MAX_IN_SERVICE))
                    .open();
        }

        @Override
        public void close(Homa homa) {
            // Closing waits for what is on its way, and gRPC holds a lock here that callbacks of this engine may want.
            Thread.ofVirtual().name("homa-grpc-close").start(homa::close);
        }

        @Override
        public String toString() {
            return "homa-grpc-" + side;
        }
    }
}
