package io.homa4j.protocol;

import org.jspecify.annotations.Nullable;

/** A message or the outcome of an RPC as an application got it; a value that outlives the engine's {@link Message}. */
@SuppressWarnings("ArrayRecordComponent") // never compared
record Received(
        boolean isRequest,
        long id,
        long handle,
        @Nullable Object attachment,
        Status status,
        int abortCode,
        long peerHi,
        long peerLo,
        int peerPort,
        int length,
        long regionOffset,
        byte[] bytes) {}
