package io.homa4j.protocol;

import java.util.List;

/**
 * The state of one socket (spec api 10).
 *
 * @param port its Homa port
 * @param acceptsRequests whether it is a server
 * @param freeReceiveBytes free bytes of its receive region
 * @param receiveRegionBytes usable bytes of its receive region
 * @param outgoingBytes bytes in messages sent and not yet released
 * @param inService requests handed to the application and not answered
 * @param waitingForSpace messages that wait for receive space
 * @param ready shared messages ready for the application
 * @param rpcs live RPCs of both roles, in order of creation
 */
public record SocketInfo(
        int port,
        boolean acceptsRequests,
        long freeReceiveBytes,
        long receiveRegionBytes,
        long outgoingBytes,
        int inService,
        int waitingForSpace,
        int ready,
        List<RpcInfo> rpcs) {}
