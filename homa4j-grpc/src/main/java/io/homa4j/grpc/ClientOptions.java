package io.homa4j.grpc;

import io.grpc.internal.TransportTracer;
import java.time.Duration;
import java.util.concurrent.ScheduledExecutorService;

/**
 * What a channel's builder says about its sessions.
 *
 * @param windowBytes DATA bytes a server may send ahead of the application, for each stream
 * @param maxInboundMessageBytes largest message taken
 * @param maxInboundMetadataBytes largest headers and trailers taken, counted as HTTP/2 does
 * @param connectTimeout how long the first RPC of a session may take
 * @param keepAliveNs silence after which the server is asked; {@link Long#MAX_VALUE}: never
 * @param keepAliveTimeoutNs how long it may take to answer
 * @param keepAliveWithoutCalls whether it is asked while no call is open
 * @param timer for deadlines
 * @param tracers for channelz
 */
record ClientOptions(
        int windowBytes,
        int maxInboundMessageBytes,
        int maxInboundMetadataBytes,
        Duration connectTimeout,
        long keepAliveNs,
        long keepAliveTimeoutNs,
        boolean keepAliveWithoutCalls,
        ScheduledExecutorService timer,
        TransportTracer.Factory tracers) {}
