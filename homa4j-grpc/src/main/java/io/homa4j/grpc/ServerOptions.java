package io.homa4j.grpc;

import io.grpc.ServerStreamTracer;
import io.grpc.internal.TransportTracer;
import java.time.Duration;
import java.util.List;

/**
 * What a server's builder says about its sessions.
 *
 * @param windowBytes DATA bytes a client may send ahead of the application, for each stream
 * @param maxInboundMessageBytes largest message taken
 * @param maxInboundMetadataBytes largest headers taken, counted as HTTP/2 does
 * @param maxCallsPerSession most calls open in one session
 * @param maxSessions most sessions
 * @param lease silence of a client after which its session ends
 * @param maxIdleNs a session without calls for so long is asked to end; {@link Long#MAX_VALUE}: never
 * @param maxAgeNs a session that old is asked to end; {@link Long#MAX_VALUE}: never
 * @param maxAgeGraceNs what its calls have from then on; {@link Long#MAX_VALUE}: as long as they want
 * @param tracerFactories for each call
 * @param tracers for channelz
 */
record ServerOptions(
        int windowBytes,
        int maxInboundMessageBytes,
        int maxInboundMetadataBytes,
        int maxCallsPerSession,
        int maxSessions,
        Duration lease,
        long maxIdleNs,
        long maxAgeNs,
        long maxAgeGraceNs,
        List<? extends ServerStreamTracer.Factory> tracerFactories,
        TransportTracer.Factory tracers) {}
