package io.homa4j.grpc;

import io.grpc.ServerCredentials;

/**
 * Says that a server is to be called over Homa: {@code Grpc.newServerBuilderForPort(4000, HomaServerCredentials.create())}. There is no
 * encryption yet.
 */
public final class HomaServerCredentials extends ServerCredentials {
    private HomaServerCredentials() {}

    /** Nothing but plain text. */
    public static ServerCredentials create() {
        return new HomaServerCredentials();
    }
}
