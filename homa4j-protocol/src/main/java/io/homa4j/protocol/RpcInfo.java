package io.homa4j.protocol;

import org.jspecify.annotations.Nullable;

/**
 * The state of one RPC (spec api 10, P-210 to P-218).
 *
 * @param id local id: even at the client, odd at the server
 * @param peerHi high half of the peer's address
 * @param peerLo low half of the peer's address
 * @param peerPort the peer's port
 * @param attachment client: the object given with the request
 * @param sendLength bytes of the outgoing message, -1 before it exists
 * @param sentBytes offset of the next byte to be sent for the first time
 * @param sendGranted bytes that may be sent, unscheduled ones included
 * @param sendLevel level of the last GRANT received
 * @param receiveLength bytes of the incoming message, -1 if unknown
 * @param receiveRemaining bytes of it still missing
 * @param gaps holes below the highest byte received
 * @param gapBytes bytes in the holes
 * @param receiveGranted bytes of it we have granted
 * @param waitsForSpace it waits for receive space
 * @param isPrivate its response is received by naming the id
 * @param isReady it waits for the application to receive it
 */
public record RpcInfo(
        long id,
        long peerHi,
        long peerLo,
        int peerPort,
        @Nullable Object attachment,
        int sendLength,
        int sentBytes,
        int sendGranted,
        int sendLevel,
        int receiveLength,
        int receiveRemaining,
        int gaps,
        int gapBytes,
        int receiveGranted,
        boolean waitsForSpace,
        boolean isPrivate,
        boolean isReady) {

    static RpcInfo of(Rpc rpc) {
        InboundMessage in = rpc.in;
        OutboundMessage out = rpc.out;
        return new RpcInfo(
                rpc.id,
                rpc.peer.hi,
                rpc.peer.lo,
                rpc.remotePort,
                rpc.attachment,
                out.length == 0 ? -1 : out.length,
                out.nextOffset,
                out.granted,
                out.scheduledLevel,
                in.isKnown ? in.length : -1,
                in.remaining,
                in.gaps(),
                in.gapBytes(),
                in.granted,
                rpc.spacePlace >= 0,
                rpc.isPrivate,
                rpc.isReady);
    }
}
